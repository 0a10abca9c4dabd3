//! How a [`Cascade`] is found: down from the objects under deletion to all that goes with them, and then from
//! everything that exists to what it depends on.
//!
//! Resources, and the memberships, groups and custom roles of organizations, form a forest: each depends on one
//! other. Assignments and names in groups are the leaves. So each object that goes belongs to one deletion, the
//! nearest above it, and one pass over the environment suffices.

use smallvec::SmallVec;

use super::{
    super::{
        Graph, Map,
        facts::{Fact, Kind, Name, ORGANIZATION, ObjectRef},
        grants::SubjectId,
        records::{Assignment, Group, Membership, Resource, Role, State},
        table::{Id, Table},
    },
    Cascade, Deletion, Removal,
};

/// An object that others may depend on.
#[derive(Clone, Copy, Debug)]
enum Node {
    Resource(Id<Resource>),
    Role(Id<Role>),
    Group(Id<Group>),
    Membership(Id<Membership>),
}

impl From<SubjectId> for Node {
    fn from(subject: SubjectId) -> Self {
        match subject {
            SubjectId::Membership(id) => Self::Membership(id),
            SubjectId::Group(id) => Self::Group(id),
        }
    }
}

/// What is known of a node.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    /// The number of the deletion that it goes with: its own if it is under deletion, or else the nearest above.
    /// None: it stays.
    deletion: Option<u32>,
    /// Something that depends on it exists.
    is_needed: bool,
}

/// By the indices of the ids.
#[derive(Debug)]
struct Marks {
    resources: Vec<Mark>,
    roles: Vec<Mark>,
    groups: Vec<Mark>,
    memberships: Vec<Mark>,
}

impl Marks {
    fn new(graph: &Graph) -> Self {
        Self {
            resources: vec![Mark::default(); graph.resources.capacity()],
            roles: vec![Mark::default(); graph.roles.capacity()],
            groups: vec![Mark::default(); graph.groups.capacity()],
            memberships: vec![Mark::default(); graph.memberships.capacity()],
        }
    }

    fn of(&self, node: Node) -> Mark {
        match node {
            Node::Resource(id) => self.resources[id.index()],
            Node::Role(id) => self.roles[id.index()],
            Node::Group(id) => self.groups[id.index()],
            Node::Membership(id) => self.memberships[id.index()],
        }
    }

    fn of_mut(&mut self, node: Node) -> &mut Mark {
        match node {
            Node::Resource(id) => &mut self.resources[id.index()],
            Node::Role(id) => &mut self.roles[id.index()],
            Node::Group(id) => &mut self.groups[id.index()],
            Node::Membership(id) => &mut self.memberships[id.index()],
        }
    }
}

/// An object under deletion.
#[derive(Debug)]
struct Terminating<'a> {
    object: &'a ObjectRef,
    fact: &'a Fact,
    node: Node,
    /// What it goes before: its parent or organization, and the deletion that this goes with.
    above: Option<(Id<Resource>, u32)>,
    /// What depends on it is removed.
    cascades: bool,
    remaining: usize,
}

/// A plan in the making.
struct Planner<'a> {
    graph: &'a Graph,
    /// How many removals more there is room for.
    room: usize,
    is_held: &'a dyn Fn(&ObjectRef) -> bool,
    deletions: Vec<Terminating<'a>>,
    /// The organizations under deletion, with the numbers of their deletions.
    organizations: Map<Id<Resource>, u32>,
    marks: Marks,
    /// What is not under deletion and goes with one that is, with what it depends on.
    followers: Vec<(Node, Id<Resource>)>,
    cascade: Cascade,
}

/// As [`Graph::cascade`], but that it asks of objects of every kind whether they are restricted.
pub(super) fn plan(
    graph: &Graph,
    limit: usize,
    is_restricted: &dyn Fn(&ObjectRef) -> bool,
    is_held: &dyn Fn(&ObjectRef) -> bool,
) -> Cascade {
    let deletions = deletions(graph, is_restricted);
    if deletions.is_empty() {
        return Cascade::default();
    }
    let mut planner = Planner {
        graph,
        room: limit,
        is_held,
        deletions,
        organizations: Map::default(),
        marks: Marks::new(graph),
        followers: Vec::new(),
        cascade: Cascade::default(),
    };
    planner.mark_deletions();
    planner.follow_resources();
    planner.follow_organizations();
    planner.link_deletions();
    planner.cut_cycles();
    planner.spread_cascades();
    planner.heed_deletions();
    planner.heed_followers();
    planner.heed_assignments();
    planner.heed_names();
    planner.remove_followers();
    planner.finish()
}

/// The objects under deletion that others may depend on. What depends on those that are restricted is left to others.
fn deletions<'a>(graph: &'a Graph, is_restricted: &dyn Fn(&ObjectRef) -> bool) -> Vec<Terminating<'a>> {
    let known = graph.terminating.iter().filter_map(|(object, fact)| {
        let node = match object.kind {
            Kind::Resource => Node::Resource(graph.resources.id(&object.name)?),
            Kind::Role => Node::Role(graph.roles.id(&object.name)?),
            Kind::Group => Node::Group(graph.groups.id(&object.name)?),
            Kind::OrganizationMembership => Node::Membership(graph.memberships.id(&object.name)?),
            Kind::GroupRoleAssignment | Kind::MembershipRoleAssignment | Kind::ResourceType | Kind::Environment => {
                return None;
            }
        };
        let cascades = !is_restricted(object);
        Some(Terminating { object, fact, node, above: None, cascades, remaining: 0 })
    });
    let mut deletions: Vec<_> = known.collect();
    deletions.sort_unstable_by_key(|deletion| deletion.object);
    deletions
}

impl Planner<'_> {
    fn mark_deletions(&mut self) {
        for (number, Terminating { node, fact, .. }) in (0..).zip(&self.deletions) {
            self.marks.of_mut(*node).deletion = Some(number);
            if let (Node::Resource(id), Fact::Resource(spec)) = (*node, fact)
                && spec.resource_type == ORGANIZATION
            {
                self.organizations.insert(id, number);
            }
        }
    }

    /// Marks the resources below those under deletion. No circle of parents is met: all of it would be below itself,
    /// and those under deletion are nobody's children here.
    fn follow_resources(&mut self) {
        for (number, deletion) in (0..).zip(&self.deletions) {
            let Node::Resource(root) = deletion.node else {
                continue;
            };
            let mut open = vec![root];
            while let Some(parent) = open.pop() {
                for child in self.graph.children(parent) {
                    self.marks.of_mut(Node::Resource(child)).deletion = Some(number);
                    self.followers.push((Node::Resource(child), parent));
                    open.push(child);
                }
            }
        }
    }

    /// Marks the memberships, groups and custom roles of organizations under deletion.
    fn follow_organizations(&mut self) {
        if self.organizations.is_empty() {
            return;
        }
        let graph = self.graph;
        for &organization in self.organizations.keys() {
            let memberships = graph.declared_in(organization);
            let there =
                memberships.filter(|&id| graph.declared(id).is_some_and(|declared| declared.state == State::There));
            self.followers.extend(there.map(|id| (Node::Membership(id), organization)));
        }
        // Of what is under deletion itself the records know no organization.
        let groups = graph.groups.records().filter_map(|(id, record)| Some((Node::Group(id), record.organization?)));
        let roles = graph.roles.records().filter_map(|(id, record)| Some((Node::Role(id), record.organization?)));
        let follows = |(_, organization): &(Node, Id<Resource>)| self.organizations.contains_key(organization);
        self.followers.extend(groups.chain(roles).filter(follows));
        for &(node, organization) in &self.followers {
            if let Some(&number) = self.organizations.get(&organization) {
                self.marks.of_mut(node).deletion = Some(number);
            }
        }
    }

    /// Finds what the objects under deletion depend on themselves.
    fn link_deletions(&mut self) {
        for deletion in &mut self.deletions {
            let (above, in_organization) = match deletion.fact {
                Fact::Resource(spec) => (spec.parent.as_ref(), false),
                Fact::Role(spec) => (spec.organization.as_ref(), true),
                Fact::Group(spec) => (Some(&spec.organization), true),
                Fact::OrganizationMembership(spec) => (Some(&spec.organization), true),
                _ => (None, false),
            };
            let known = above.and_then(|name| self.graph.resources.id(name));
            let above = known.filter(|id| !in_organization || self.organizations.contains_key(id));
            deletion.above = above.and_then(|id| Some((id, self.marks.resources[id.index()].deletion?)));
        }
    }

    /// Takes the resources under deletion that are above themselves out of the order: as if they had no parent.
    fn cut_cycles(&mut self) {
        let mut visited_from = vec![None; self.deletions.len()];
        for start in 0..self.deletions.len() {
            let mut current = Some(start);
            while let Some(number) = current.filter(|&number| visited_from[number].is_none()) {
                visited_from[number] = Some(start);
                current = self.deletions[number].above.map(|(_, above)| above as usize);
            }
            let on_cycle = current.filter(|&number| visited_from[number] == Some(start));
            current = on_cycle;
            while let Some(number) = current {
                current = self.deletions[number].above.take().map(|(_, above)| above as usize);
            }
        }
    }

    /// Cascades all that is below what cascades.
    fn spread_cascades(&mut self) {
        let mut below = vec![Vec::new(); self.deletions.len()];
        for (number, deletion) in self.deletions.iter().enumerate() {
            if let Some((_, above)) = deletion.above {
                below[above as usize].push(number);
            }
        }
        let mut open: Vec<usize> = (0..below.len()).filter(|&number| self.deletions[number].cascades).collect();
        while let Some(above) = open.pop() {
            for &number in &below[above] {
                if !std::mem::replace(&mut self.deletions[number].cascades, true) {
                    open.push(number);
                }
            }
        }
    }

    /// Notes that something that exists depends on these nodes. True: so it has to go.
    fn depend_on(&mut self, nodes: impl IntoIterator<Item = Node>) -> bool {
        let mut counted = SmallVec::<[u32; 3]>::new();
        for node in nodes {
            let mark = self.marks.of_mut(node);
            mark.is_needed = true;
            if let Some(number) = mark.deletion
                && !counted.contains(&number)
            {
                counted.push(number);
                self.deletions[number as usize].remaining += 1;
            }
        }
        counted.iter().any(|&number| self.deletions[number as usize].cascades)
    }

    /// Whether a node is removed in the end.
    fn goes(&self, node: Node) -> bool {
        self.marks.of(node).deletion.is_some_and(|number| self.deletions[number as usize].cascades)
    }

    fn heed_deletions(&mut self) {
        for number in 0..self.deletions.len() {
            if let Some((above, _)) = self.deletions[number].above {
                self.depend_on([Node::Resource(above)]);
            }
        }
    }

    fn heed_followers(&mut self) {
        for index in 0..self.followers.len() {
            let (node, above) = self.followers[index];
            if self.depend_on([Node::Resource(above)]) {
                self.cascade.doomed.push(self.object(node));
            }
        }
    }

    fn heed_assignments(&mut self) {
        let graph = self.graph;
        self.heed_assignments_of(Kind::MembershipRoleAssignment, &graph.membership_assignments);
        self.heed_assignments_of(Kind::GroupRoleAssignment, &graph.group_assignments);
    }

    fn heed_assignments_of(&mut self, kind: Kind, table: &Table<Assignment>) {
        for (id, record) in table.records() {
            // Of what is under deletion itself no terms are known.
            let Some(terms) = record.terms() else {
                continue;
            };
            let resource = terms.resource.map(Node::Resource);
            if self.depend_on([terms.subject.into(), Node::Role(terms.role)].into_iter().chain(resource)) {
                let object = ObjectRef { kind, name: table.name(id).clone() };
                self.cascade.doomed.push(object.clone());
                self.remove(Removal::Object(object));
            }
        }
    }

    /// Heeds the names of memberships and groups in the groups that stay.
    fn heed_names(&mut self) {
        let graph = self.graph;
        let deletions = self.deletions.iter().map(|deletion| deletion.node);
        let nodes: Vec<Node> = deletions.chain(self.followers.iter().map(|&(node, _)| node)).collect();
        for node in nodes {
            match node {
                Node::Membership(member) => {
                    let member_name = graph.memberships.name(member);
                    self.heed_names_of(node, &graph.memberships[member].groups, |group| Removal::Member {
                        group,
                        member: member_name.clone(),
                    });
                }
                Node::Group(subgroup) => {
                    let subgroup_name = graph.groups.name(subgroup);
                    self.heed_names_of(node, &graph.groups[subgroup].supergroups, |group| Removal::Subgroup {
                        group,
                        subgroup: subgroup_name.clone(),
                    });
                }
                Node::Resource(_) | Node::Role(_) => {}
            }
        }
    }

    fn heed_names_of(&mut self, listed: Node, groups: &[Id<Group>], removal: impl Fn(Name) -> Removal) {
        let goes = self.goes(listed);
        for &group in groups {
            // Together with a group that goes as well the name goes by itself.
            let also_goes = if goes { self.goes(Node::Group(group)) } else { self.belongs(Node::Group(group)) };
            if !also_goes && self.depend_on([listed]) {
                self.remove(removal(self.graph.groups.name(group).clone()));
            }
        }
    }

    /// Whether a node would be removed if nothing were restricted.
    fn belongs(&self, node: Node) -> bool {
        self.marks.of(node).deletion.is_some()
    }

    fn remove_followers(&mut self) {
        for index in 0..self.followers.len() {
            let (node, _) = self.followers[index];
            if self.goes(node) && !self.marks.of(node).is_needed {
                self.remove(Removal::Object(self.object(node)));
            }
        }
    }

    fn remove(&mut self, removal: Removal) {
        // What is held must leave room for the others.
        if !(self.is_held)(&removal.target()) {
            let Some(room) = self.room.checked_sub(1) else { return };
            self.room = room;
        }
        self.cascade.removals.push(removal);
    }

    fn object(&self, node: Node) -> ObjectRef {
        let (kind, name) = match node {
            Node::Resource(id) => (Kind::Resource, self.graph.resources.name(id)),
            Node::Role(id) => (Kind::Role, self.graph.roles.name(id)),
            Node::Group(id) => (Kind::Group, self.graph.groups.name(id)),
            Node::Membership(id) => (Kind::OrganizationMembership, self.graph.memberships.name(id)),
        };
        ObjectRef { kind, name: name.clone() }
    }

    fn finish(mut self) -> Cascade {
        self.cascade.doomed.sort_unstable();
        let deletions = self.deletions.into_iter().map(|deletion| Deletion {
            object: deletion.object.clone(),
            remaining: deletion.remaining,
            restricted: !deletion.cascades,
        });
        Cascade { deletions: deletions.collect(), ..self.cascade }
    }
}
