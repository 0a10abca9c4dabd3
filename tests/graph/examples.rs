//! One readable test for each rule. "Rule N" cites the numbered rules of the WorkOS authorization semantics, as
//! `docs/semantics.md` does.

mod conditions;
mod deletion_and_order;
mod explanations;
mod identity;
mod organization_level;
mod rules;
mod vocabulary;

use bailiwick::graph::{
    Graph,
    facts::{Change, Kind, Object, ObjectRef, Timestamp},
    query::{
        Action, AssignmentItem, CheckRequest, Decision, Explanation, Given, PageRequest, Reach, Reason, ResourceFilter,
        Subject, Target,
    },
};

use super::{agreement::Agreement, brute_force::World};
use crate::support::facts::{applied, at, graph, organization, resource, role};

const ALL: PageRequest<'static> = PageRequest { limit: 1_000, after: None };

/// A graph and its objects. Each answer is compared with brute force before it is given.
struct Scene {
    world: World,
    graph: Graph,
}

/// `acme` with the workspace `engineering`, in it the projects `web` and `api`, in `web` the app `shop`; and a role for
/// each type.
fn acme() -> Vec<Object> {
    vec![
        organization("acme"),
        resource("engineering", "workspace", "acme"),
        resource("web", "project", "engineering"),
        resource("api", "project", "engineering"),
        resource("shop", "app", "web"),
        role("org-admin", "organization", &["org:manage", "project:edit"]),
        role("org-member", "organization", &["project:view"]),
        role("workspace-admin", "workspace", &["workspace:edit", "project:edit"]),
        role("project-editor", "project", &["project:edit", "project:view"]),
        role("project-viewer", "project", &["project:view"]),
        role("app-user", "app", &["app:use"]),
    ]
}

/// A second organization, whose resources have the external ids that those of `acme` have.
fn globex() -> Vec<Object> {
    use crate::support::facts::known_as;
    vec![
        organization("globex"),
        known_as("engineering", resource("globex-engineering", "workspace", "globex")),
        known_as("web", resource("globex-web", "project", "globex-engineering")),
    ]
}

/// `acme` and what else there is.
fn acme_with(more: impl IntoIterator<Item = Object>) -> Scene {
    Scene::of(acme().into_iter().chain(more))
}

/// `acme`, `globex` and what else there is.
fn both_with(more: impl IntoIterator<Item = Object>) -> Scene {
    Scene::of(acme().into_iter().chain(globex()).chain(more))
}

fn by_id<'a>(resource_type: &'a str, id: &'a str) -> Target<'a> {
    Target::Id { resource_type, id, organization: None }
}

fn by_id_in<'a>(organization: &'a str, resource_type: &'a str, id: &'a str) -> Target<'a> {
    Target::Id { resource_type, id, organization: Some(organization) }
}

impl Scene {
    fn of(objects: impl IntoIterator<Item = Object>) -> Self {
        let mut scene = Self { world: World::default(), graph: Graph::default() };
        scene.tell(&applied(objects));
        scene
    }

    fn tell(&mut self, changes: &[Change]) {
        self.graph.apply(changes);
        for change in changes {
            self.world.apply(change);
        }
    }

    fn add(&mut self, object: Object) {
        self.tell(&[Change::Apply(object)]);
    }

    /// May the membership do this on the resource of this name, at the start?
    fn may(&self, membership: &str, permission: &str, resource: &str) -> bool {
        self.may_at(0, membership, permission, resource)
    }

    fn may_at(&self, second: i64, membership: &str, permission: &str, resource: &str) -> bool {
        let subject = Subject::Membership(membership);
        self.decide(subject, permission, Target::Name(resource), at(second)).is_allowed()
    }

    /// What the graph says to a subject, at the start.
    fn ask(&self, subject: Subject<'_>, permission: &str, resource: Target<'_>) -> Decision {
        self.decide(subject, permission, resource, at(0))
    }

    fn decide(&self, subject: Subject<'_>, permission: &str, resource: Target<'_>, now: Timestamp) -> Decision {
        let request = CheckRequest { subject, action: Action::Permission(permission), resource };
        let rebuilt = graph(self.world.objects().cloned().collect::<Vec<_>>().into_iter().rev());
        let agreement =
            Agreement { world: &self.world, incremental: &self.graph, rebuilt: &rebuilt, given: Given::default() };
        agreement.on_check(&request, now).expect("brute force agrees");
        agreement.on_explanation(&request, now).expect("the explanation agrees");
        agreement.on_diagnoses(now).expect("the diagnoses agree");
        self.graph.check(&request, now)
    }

    fn explain(&self, membership: &str, permission: &str, resource: &str) -> Explanation {
        let request = CheckRequest {
            subject: Subject::Membership(membership),
            action: Action::Permission(permission),
            resource: Target::Name(resource),
        };
        self.graph.explain(&request, at(0))
    }

    fn memberships(&self, resource: &str, permission: &str, reach: Reach) -> Vec<String> {
        let page = self
            .graph
            .memberships(Target::Name(resource), Action::Permission(permission), reach, ALL, at(0))
            .expect("the resource is there");
        page.items.iter().map(|item| item.name.to_string()).collect()
    }

    fn resources(&self, membership: &str, permission: &str, parent: Option<&str>) -> Vec<String> {
        let filter = ResourceFilter { resource_type: None, parent: parent.map(Target::Name) };
        let page = self
            .graph
            .resources(Subject::Membership(membership), Action::Permission(permission), filter, ALL, at(0))
            .expect("the membership is known");
        page.items.iter().map(|item| item.name.to_string()).collect()
    }

    fn permissions(&self, membership: &str, resource: &str) -> Vec<String> {
        let permissions = self
            .graph
            .permissions(Subject::Membership(membership), Target::Name(resource), at(0))
            .expect("both are known");
        permissions.iter().map(ToString::to_string).collect()
    }

    fn assignments(&self, membership: &str) -> Vec<AssignmentItem> {
        self.graph.assignments_of_membership(membership, ALL, at(0)).expect("the membership is known").items
    }

    /// Why an object has no effect, each reason by its code and what it says.
    fn inert(&self, kind: Kind, name: &str) -> Vec<(&'static str, String)> {
        coded(&self.diagnosis(kind, name).inert)
    }

    /// What of an object has no effect.
    fn warnings(&self, kind: Kind, name: &str) -> Vec<(&'static str, String)> {
        coded(&self.diagnosis(kind, name).warnings)
    }

    fn diagnosis(&self, kind: Kind, name: &str) -> bailiwick::graph::query::Diagnosis {
        self.graph.diagnose(&ObjectRef { kind, name: name.into() }, at(0)).expect("the object exists")
    }
}

fn coded(reasons: &[Reason]) -> Vec<(&'static str, String)> {
    reasons.iter().map(|reason| (reason.code(), reason.to_string())).collect()
}

/// That one of the reasons has this code and says all these words.
fn assert_says(reasons: &[(&'static str, String)], code: &str, words: &[&str]) {
    let told = reasons.iter().any(|(of, text)| *of == code && words.iter().all(|word| text.contains(word)));
    assert!(told, "no {code} with {words:?} in {reasons:?}");
}
