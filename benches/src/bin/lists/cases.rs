//! The questions that are measured, each as a list of calls that differ in who and what is asked about.

use bailiwick::graph::{
    Graph,
    facts::{Name, Timestamp},
    query::{Action, CheckRequest, PageRequest, Reach, ResourceFilter, Subject, Target},
};

/// A page as the server gives it by default.
pub const PAGE: PageRequest<'static> = PageRequest { limit: 100, after: None };
pub const WHOLE: PageRequest<'static> = PageRequest { limit: usize::MAX, after: None };

/// Who, what and on what, by names.
#[derive(Clone, Debug)]
pub struct Asked {
    pub membership: Name,
    pub permission: Name,
    pub resource: Name,
    pub parent: Name,
}

/// One kind of question.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub label: &'static str,
    /// Asks, and says how long the answer is.
    pub ask: fn(&Graph, &Asked, Timestamp) -> usize,
}

impl Asked {
    fn subject(&self) -> Subject<'_> {
        Subject::Membership(&self.membership)
    }

    fn action(&self) -> Action<'_> {
        Action::Permission(&self.permission)
    }

    fn target(&self) -> Target<'_> {
        Target::Name(&self.resource)
    }

    pub fn request(&self) -> CheckRequest<'_> {
        CheckRequest { subject: self.subject(), action: self.action(), resource: self.target() }
    }

    pub fn resources(
        &self,
        graph: &Graph,
        filter: ResourceFilter<'_>,
        page: PageRequest<'_>,
        now: Timestamp,
    ) -> Vec<Name> {
        let page = graph.resources(self.subject(), self.action(), filter, page, now);
        page.map_or_else(|_| Vec::new(), |page| page.items).into_iter().map(|item| item.name).collect()
    }

    pub fn children(&self) -> ResourceFilter<'_> {
        ResourceFilter { resource_type: None, parent: Some(Target::Name(&self.parent)) }
    }

    pub fn memberships(&self, graph: &Graph, reach: Reach, page: PageRequest<'_>, now: Timestamp) -> Vec<Name> {
        let page = graph.memberships(self.target(), self.action(), reach, page, now);
        page.expect("the resource is there").items.into_iter().map(|item| item.name).collect()
    }

    pub fn permissions(&self, graph: &Graph, now: Timestamp) -> Vec<Name> {
        graph.permissions(self.subject(), self.target(), now).unwrap_or_default()
    }

    pub fn assignments_of_membership(&self, graph: &Graph, page: PageRequest<'_>, now: Timestamp) -> usize {
        graph.assignments_of_membership(&self.membership, page, now).expect("it is there").items.len()
    }

    pub fn assignments_of_resource(&self, graph: &Graph, page: PageRequest<'_>, now: Timestamp) -> usize {
        graph.assignments_of_resource(self.target(), page, now).expect("it is there").items.len()
    }
}

const ALL_RESOURCES: ResourceFilter<'static> = ResourceFilter { resource_type: None, parent: None };
const WORKSPACES: ResourceFilter<'static> = ResourceFilter { resource_type: Some("workspace"), parent: None };

pub const RESOURCES: Case = Case {
    label: "resources of a membership, whole",
    ask: |graph, asked, now| asked.resources(graph, ALL_RESOURCES, WHOLE, now).len(),
};
pub const MEMBERSHIPS: Case = Case {
    label: "memberships of a resource, inherited too, whole",
    ask: |graph, asked, now| asked.memberships(graph, Reach::All, WHOLE, now).len(),
};
pub const ASSIGNMENTS: Case = Case {
    label: "role assignments of a membership, whole",
    ask: |graph, asked, now| asked.assignments_of_membership(graph, WHOLE, now),
};
pub const EXPLAIN: Case = Case {
    label: "explain",
    ask: |graph, asked, now| {
        let explanation = graph.explain(&asked.request(), now);
        explanation.paths.len() + explanation.near_misses.len()
    },
};

/// Every list.
pub const LISTS: [Case; 12] = [
    Case {
        label: "resources of a membership, page of 100",
        ask: |graph, asked, now| asked.resources(graph, ALL_RESOURCES, PAGE, now).len(),
    },
    RESOURCES,
    Case {
        label: "workspaces of a membership, whole",
        ask: |graph, asked, now| asked.resources(graph, WORKSPACES, WHOLE, now).len(),
    },
    Case {
        label: "children of a parent, whole",
        ask: |graph, asked, now| asked.resources(graph, asked.children(), WHOLE, now).len(),
    },
    Case {
        label: "memberships of a resource, direct, whole",
        ask: |graph, asked, now| asked.memberships(graph, Reach::Direct, WHOLE, now).len(),
    },
    Case {
        label: "memberships of a resource, inherited too, page of 100",
        ask: |graph, asked, now| asked.memberships(graph, Reach::All, PAGE, now).len(),
    },
    MEMBERSHIPS,
    Case {
        label: "role assignments of a membership, page of 100",
        ask: |graph, asked, now| asked.assignments_of_membership(graph, PAGE, now),
    },
    ASSIGNMENTS,
    Case {
        label: "role assignments of a resource, page of 100",
        ask: |graph, asked, now| asked.assignments_of_resource(graph, PAGE, now),
    },
    Case {
        label: "role assignments of a resource, whole",
        ask: |graph, asked, now| asked.assignments_of_resource(graph, WHOLE, now),
    },
    Case {
        label: "permissions of a membership on a resource",
        ask: |graph, asked, now| asked.permissions(graph, now).len(),
    },
];
