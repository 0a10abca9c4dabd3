//! Reviews: examples of each rule, and that a review and the diagnosis afterwards cannot disagree.

use std::collections::BTreeSet;

use bailiwick::graph::{
    Graph, Proposal, PublishedGraph, Review,
    facts::{Change, ENVIRONMENT_NAME, Environment, Fact, Kind, Name, Object, ObjectRef, RoleMapping, Timestamp},
    query::{Given, Reason},
};
use proptest::{collection::vec, prelude::any, prop_assert, prop_assert_eq, proptest};

use super::{
    agreement::{Agreed, Agreement},
    brute_force::World,
    properties::{config, rebuilt, seed},
    strategies::{change, story},
    universe::{Chance, Universe},
};
use crate::support::facts::{
    self, applied, at, created, deleting, environment, expiring, grant, group, group_grant, invalid, known_as,
    membership, named, nested_group, organization, organization_grant, resource, resource_type, role, suspended,
};

/// An environment and what is asked of it.
struct Scene(PublishedGraph);

impl Scene {
    fn of(objects: impl IntoIterator<Item = Object>) -> Self {
        let published = PublishedGraph::default();
        published.apply(&applied(objects));
        Self(published)
    }

    fn write(&self, object: Object) -> Review {
        self.0.review(&Proposal::Write(object), at(100))
    }

    fn delete(&self, kind: Kind, name: &str, restricted: bool) -> Review {
        let object = ObjectRef { kind, name: name.into() };
        self.0.review(&Proposal::Delete { object, restricted }, at(100))
    }

    fn refusals(&self, object: Object) -> Vec<String> {
        said(&self.write(object).refusals)
    }

    fn warnings(&self, object: Object) -> Vec<String> {
        let review = self.write(object);
        assert_eq!(review.refusals, [], "it is not refused");
        said(&review.warnings)
    }
}

/// The codes with the names that matter.
fn said(reasons: &[Reason]) -> Vec<String> {
    let say = |reason: &Reason| match reason {
        Reason::DuplicateExternalId { winner } => format!("DuplicateExternalId {winner}"),
        Reason::DuplicateAssignment { object } => format!("DuplicateAssignment {}", object.name),
        Reason::InUse { object, because } => format!("InUse {} {}", object.name, because.code()),
        Reason::HasDependents { count, .. } => format!("HasDependents {count}"),
        reason => reason.code().to_owned(),
    };
    reasons.iter().map(say).collect()
}

/// Two organizations with a resource each that is known by the same id.
fn two_organizations() -> Scene {
    Scene::of([
        created(0, organization("acme")),
        created(0, organization("globex")),
        created(5, known_as("x", resource("web", "project", "acme"))),
        created(9, known_as("x", resource("site", "project", "globex"))),
    ])
}

#[test]
fn what_is_right_passes_in_silence() {
    let scene = two_organizations();
    assert_eq!(scene.write(resource("api", "project", "acme")), Review::default());
    assert_eq!(scene.delete(Kind::Resource, "web", false), Review::default());
    assert_eq!(scene.delete(Kind::Resource, "no-such", true), Review::default());
}

#[test]
fn a_new_object_is_the_youngest_of_rivals() {
    let scene = two_organizations();
    for second in [0, 100] {
        let new = created(second, known_as("x", resource("api", "project", "acme")));
        assert_eq!(scene.refusals(new), ["DuplicateExternalId web"]);
    }
    assert_eq!(scene.refusals(known_as("x", resource("api", "project", "globex"))), ["DuplicateExternalId site"]);
    assert_eq!(scene.refusals(known_as("acme", organization("acme-2"))), ["DuplicateExternalId acme"]);
}

#[test]
fn who_moves_is_the_one_to_be_refused() {
    let scene = two_organizations();
    let younger = known_as("x", resource("site", "project", "acme"));
    assert_eq!(scene.refusals(younger), ["DuplicateExternalId web"]);
    let older = known_as("x", resource("web", "project", "globex"));
    assert_eq!(scene.refusals(older), ["DuplicateExternalId site"]);
}

#[test]
fn what_moves_along_counts_as_well() {
    let scene = Scene::of([
        organization("acme"),
        organization("globex"),
        resource("ws", "workspace", "acme"),
        created(5, known_as("x", resource("web", "project", "ws"))),
        created(9, known_as("x", resource("site", "project", "globex"))),
    ]);
    assert_eq!(scene.refusals(resource("ws", "workspace", "globex")), ["InUse site DuplicateExternalId"]);
}

#[test]
fn a_move_may_not_push_others_too_deep() {
    let name = |number: usize| format!("r{number}");
    let chain = (1..=1024).map(|number| {
        let parent = if number == 1 { "acme".to_owned() } else { name(number - 1) };
        resource(&name(number), "folder", &parent)
    });
    let low = [resource("a", "folder", "acme"), resource("b", "folder", "a"), resource("c", "folder", "b")];
    let scene = Scene::of([organization("acme")].into_iter().chain(chain).chain(low));
    assert_eq!(scene.refusals(resource("a", "folder", &name(1023))), ["InUse b TooDeep", "InUse c TooDeep"]);
    assert_eq!(scene.write(resource("a", "folder", &name(1021))), Review::default());
    assert_eq!(scene.refusals(resource("new", "folder", &name(1024))), ["TooDeep"]);
}

#[test]
fn a_cycle_is_refused() {
    let scene = Scene::of([
        organization("acme"),
        resource("web", "project", "acme"),
        resource("api", "project", "web"),
        group("eng", "acme", &[]),
        nested_group("all", "acme", &[], &["eng"]),
    ]);
    assert_eq!(scene.refusals(resource("web", "project", "api")), ["CycleDetected"]);
    assert_eq!(scene.refusals(resource("own", "project", "own")), ["CycleDetected"]);
    assert_eq!(scene.refusals(nested_group("eng", "acme", &[], &["all"])), ["CycleDetected"]);
}

#[test]
fn a_cycle_of_others_is_only_warned_of() {
    let scene = Scene::of([resource("web", "project", "api"), resource("api", "project", "web")]);
    assert_eq!(scene.warnings(resource("app", "app", "web")), ["ResourceDetached"]);
}

#[test]
fn declared_types_are_enforced() {
    let scene = Scene::of([
        organization("acme"),
        resource_type("workspace", &["organization"], &["workspace:edit"]),
        resource_type("project", &["workspace"], &["project:edit"]),
        resource("ws", "workspace", "acme"),
    ]);
    assert_eq!(scene.refusals(resource("web", "project", "acme")), ["ParentTypeNotAllowed"]);
    assert_eq!(scene.refusals(role("editor", "project", &["project:fly"])), ["UnknownPermission"]);
    assert_eq!(scene.refusals(role("editor", "project", &["workspace:edit"])), ["PermissionOutOfScope"]);
    assert_eq!(scene.write(role("admin", "workspace", &["project:edit"])), Review::default());
}

#[test]
fn roles_and_organizations_must_fit() {
    let scene = Scene::of([
        organization("acme"),
        organization("globex"),
        resource("web", "project", "acme"),
        role("admin", "organization", &[]),
        facts::custom_role("globex-editor", "project", &[], "globex"),
        membership("bob-globex", "globex", "bob"),
        group("globals", "globex", &[]),
    ]);
    assert_eq!(scene.refusals(grant("bob", "admin", "web")), ["RoleTypeMismatch"]);
    assert_eq!(scene.refusals(grant("bob", "globex-editor", "web")), ["OrganizationMismatch"]);
    assert_eq!(scene.refusals(grant("bob-globex", "admin", "acme")), ["OrganizationMismatch"]);
    assert_eq!(scene.refusals(group("eng", "acme", &["bob-globex"])), ["OrganizationMismatch"]);
    assert_eq!(scene.refusals(nested_group("eng", "acme", &[], &["globals"])), ["OrganizationMismatch"]);
    assert_eq!(scene.refusals(membership("bob-web", "web", "bob")), ["NotAnOrganization"]);
    assert_eq!(scene.refusals(named("other", environment(Environment::default()))), ["NotTheDefaultEnvironment"]);
}

#[test]
fn an_assignment_is_granted_once() {
    let scene = Scene::of([
        organization("acme"),
        membership("bob-acme", "acme", "bob"),
        role("admin", "organization", &[]),
        created(5, organization_grant("bob-acme", "admin")),
        expiring(50, named("former", grant("carol", "admin", "acme"))),
        group_grant("eng", "admin", "acme"),
        created(7, grant("dora", "admin", "no-such")),
    ]);
    assert_eq!(scene.refusals(grant("bob-acme", "admin", "acme")), ["DuplicateAssignment bob-acme-admin"]);
    let again = named("again", group_grant("eng", "admin", "acme"));
    assert_eq!(scene.refusals(again), ["DuplicateAssignment eng-admin-acme"]);
    assert_eq!(scene.write(grant("carol", "admin", "acme")), Review::default(), "the other one has expired");
    // An older one that comes to say what a younger one says causes the conflict.
    let changed = named("bob-acme-admin", grant("dora", "admin", "no-such"));
    assert_eq!(scene.refusals(changed), ["DuplicateAssignment dora-admin-no-such"]);
}

#[test]
fn what_may_become_right_is_warned_of() {
    let scene = Scene::of([
        organization("acme"),
        deleting(role("going", "organization", &[])),
        suspended(membership("bob-acme", "acme", "bob")),
        role("admin", "organization", &[]),
        role("member", "organization", &[]),
    ]);
    assert_eq!(scene.warnings(resource("web", "project", "ws")), ["ResourceNotFound"]);
    assert_eq!(scene.warnings(grant("carol", "none", "acme")), ["RoleNotFound"]);
    assert_eq!(scene.warnings(grant("carol", "going", "acme")), ["Terminating"]);
    assert_eq!(scene.warnings(grant("bob-acme", "admin", "acme")), ["Suspended"]);
    assert_eq!(scene.warnings(expiring(100, grant("carol", "admin", "acme"))), ["Expired"]);
    assert_eq!(scene.warnings(group("eng", "globex", &[])), ["ResourceNotFound"]);
    scene.0.apply(&applied([grant("carol", "admin", "acme")]));
    assert_eq!(scene.warnings(created(50, grant("carol", "member", "acme"))), ["Superseded"]);
}

#[test]
fn what_was_wrong_before_is_no_reason_to_refuse() {
    let wrong = role("editor", "project", &["project:fly", "project:edit"]);
    let scene = Scene::of([resource_type("project", &["organization"], &["project:edit"]), wrong.clone()]);
    assert_eq!(scene.write(wrong), Review::default(), "it changes nothing");
    assert_eq!(scene.warnings(role("editor", "project", &["project:fly"])), ["UnknownPermission"]);
    let worse = role("editor", "project", &["project:fly", "project:swim"]);
    assert_eq!(scene.refusals(worse), ["UnknownPermission"]);
}

#[test]
fn what_a_diagnosis_cuts_off_is_no_news() {
    let many: Vec<String> = (0..100).map(|number| format!("project:{number}")).collect();
    let permissions = |from: usize| many[from..].iter().map(String::as_str).collect::<Vec<_>>();
    let scene = Scene::of([
        resource_type("project", &["organization"], &["project:edit"]),
        role("editor", "project", &permissions(0)),
    ]);
    assert!(scene.write(role("editor", "project", &permissions(50))).refusals.is_empty());
}

#[test]
fn what_others_need_of_a_type_stays() {
    let project = |parents: &[&str], permissions: &[&str]| resource_type("project", parents, permissions);
    let scene = Scene::of([
        organization("acme"),
        resource_type("workspace", &["organization"], &[]),
        project(&["organization", "workspace"], &["project:edit", "project:view", "view"]),
        resource("web", "project", "acme"),
        resource("api", "project", "acme"),
        role("editor", "project", &["project:edit"]),
        role("viewer", "workspace", &["project:edit"]),
    ]);
    let unchanged = &["project:edit", "project:view", "view"];
    assert_eq!(
        scene.refusals(project(&["workspace"], unchanged)),
        ["InUse api ParentTypeNotAllowed", "InUse web ParentTypeNotAllowed"]
    );
    assert_eq!(scene.refusals(project(&["organization"], unchanged)), ["InUse viewer PermissionOutOfScope"]);
    assert_eq!(
        scene.refusals(project(&["organization", "workspace"], &["project:view"])),
        ["InUse editor UnknownPermission", "InUse viewer UnknownPermission"]
    );
    assert_eq!(scene.write(project(&["organization", "workspace"], &["project:edit"])), Review::default());
    let more = project(&["organization", "workspace", "folder"], &["project:edit", "project:fly"]);
    assert_eq!(scene.write(more), Review::default());
}

#[test]
fn a_type_that_contradicts_what_is_there_is_warned_of() {
    let scene = Scene::of([
        organization("acme"),
        resource("web", "project", "acme"),
        role("editor", "project", &["project:edit", "project:fly"]),
    ]);
    let declared = resource_type("project", &["workspace"], &["project:edit"]);
    assert_eq!(scene.warnings(declared.clone()), ["InUse editor UnknownPermission", "InUse web ParentTypeNotAllowed"]);
    // Once it is there, what was wrong from the beginning does not forbid to change it.
    scene.0.apply(&applied([declared]));
    let changed = resource_type("project", &["workspace", "folder"], &["project:edit", "project:view"]);
    assert_eq!(scene.refusals(changed), [""; 0]);
}

#[test]
fn a_restricted_resource_is_deleted_last() {
    let scene = Scene::of([
        organization("acme"),
        resource("ws", "workspace", "acme"),
        resource("web", "project", "ws"),
        grant("bob", "editor", "web"),
        deleting(resource("old", "workspace", "acme")),
        resource("older", "project", "old"),
    ]);
    assert_eq!(said(&scene.delete(Kind::Resource, "ws", true).refusals), ["HasDependents 2"]);
    assert_eq!(scene.delete(Kind::Resource, "ws", false), Review::default());
    assert_eq!(scene.delete(Kind::Resource, "old", true), Review::default(), "it is under deletion");
    scene.0.apply(&[
        facts::deleted(Kind::Resource, "web"),
        facts::deleted(Kind::MembershipRoleAssignment, "bob-editor-web"),
    ]);
    assert_eq!(scene.delete(Kind::Resource, "ws", true), Review::default());
}

#[test]
fn deleting_what_is_in_use_is_warned_of() {
    let settings = Environment { default_role: Some("member".into()), ..Environment::default() };
    let scene = Scene::of([
        resource("web", "project", "acme"),
        resource("api", "project", "acme"),
        resource_type("project", &["organization"], &[]),
        role("editor", "project", &[]),
        role("member", "organization", &[]),
        environment(settings),
    ]);
    let warnings = |kind, name| {
        let review = scene.delete(kind, name, true);
        assert_eq!(review.refusals, []);
        said(&review.warnings)
    };
    assert_eq!(
        warnings(Kind::ResourceType, "project"),
        ["InUse api ResourceTypeNotFound", "InUse editor ResourceTypeNotFound"]
    );
    assert_eq!(warnings(Kind::Role, "member"), ["InUse default RoleNotFound"]);
    assert_eq!(warnings(Kind::Role, "editor"), [""; 0]);
}

#[test]
fn what_cannot_be_used_is_refused_and_what_is_going_passes() {
    let unreadable = invalid(Kind::Role, "editor");
    let scene = Scene::of([deleting(role("going", "organization", &[])), invalid(Kind::Role, "old")]);
    assert_eq!(scene.refusals(unreadable.clone()), ["InvalidSpec"]);
    assert_eq!(scene.write(deleting(unreadable)), Review::default());
    assert_eq!(scene.write(invalid(Kind::Role, "old")), Review::default(), "it changes nothing");
    assert_eq!(scene.write(invalid(Kind::Role, "going")), Review::default());
    assert_eq!(scene.write(role("old", "organization", &[])), Review::default());
}

/// What the graph keeps of an object.
fn kept(mut object: Object) -> Object {
    let is_rival = matches!(
        object.fact.kind(),
        Kind::Resource | Kind::Role | Kind::GroupRoleAssignment | Kind::MembershipRoleAssignment
    );
    object.created = object.created.filter(|_| is_rival);
    match &mut object.fact {
        _ if object.deleting => {}
        Fact::Group(spec) => {
            for names in [&mut spec.members, &mut spec.subgroups] {
                *names = names.iter().cloned().collect::<BTreeSet<Name>>().into_iter().collect();
            }
        }
        Fact::Environment(spec) if &*object.name == ENVIRONMENT_NAME => {
            spec.role_mappings.sort_by_key(|RoleMapping { source, group, .. }| (*source, group.clone()));
        }
        Fact::Environment(spec) => *spec = Environment::default(),
        _ => {}
    }
    object
}

/// The reasons in the diagnosis of an object that speak for refusing it.
fn mistakes(graph: &Graph, object: &ObjectRef, now: Timestamp) -> Vec<Reason> {
    let diagnosis = graph.diagnose(object, now).unwrap_or_default();
    let reasons = diagnosis.inert.into_iter().chain(diagnosis.warnings);
    reasons.filter(Reason::needs_a_person).collect()
}

fn some_agreement(world: &World, graph: &Graph, universe: &Universe, chance: &mut Chance) -> Agreed {
    let rebuilt = rebuilt(world, chance);
    let agreement = Agreement { world, incremental: graph, rebuilt: &rebuilt, given: Given::default() };
    for _ in 0..30 {
        agreement.on_check(&universe.some_check(chance), universe.some_instant(chance))?;
    }
    agreement.on_explanation(&universe.some_check(chance), universe.some_instant(chance))?;
    agreement.on_diagnoses(universe.some_instant(chance))?;
    agreement.on_objects(5, universe.some_instant(chance))
}

proptest! {
    #![proptest_config(config(150))]

    /// The graph gives back each object that it was told of, and is the same when it is told so again.
    #[test]
    fn an_object_is_what_was_told(story in story(24), seed in seed()) {
        let universe = Universe::new();
        let mut chance = Chance::from_seed(seed);
        let mut world = World::default();
        let mut graph = Graph::default();
        story.0.iter().for_each(|change| world.apply(change));
        graph.apply(&story.0);
        let objects: Vec<Object> = world.objects().cloned().collect();
        for object in &objects {
            let reference = ObjectRef { kind: object.fact.kind(), name: object.name.clone() };
            let told = graph.object(&reference);
            prop_assert_eq!(told.clone().map(kept), Some(kept(object.clone())));
            prop_assert_eq!(told.clone().map(kept), told.clone());
            graph.apply(&applied(told));
        }
        some_agreement(&world, &graph, &universe, &mut chance)?;
    }

    /// Reviews leave no trace, in either copy, and say what the diagnosis says once the proposal is carried out.
    #[test]
    fn a_review_foretells_the_diagnosis(
        story in story(24),
        proposals in vec((change(), any::<bool>()), 1..12),
        seed in seed(),
    ) {
        let universe = Universe::new();
        let mut chance = Chance::from_seed(seed);
        let mut world = World::default();
        story.0.iter().for_each(|change| world.apply(change));
        let published = PublishedGraph::default();
        published.apply(&story.0);
        for (change, restricted) in proposals {
            let now = universe.some_instant(&mut chance);
            match change {
                Change::Delete(object) => {
                    let review = published.review(&Proposal::Delete { object: object.clone(), restricted }, now);
                    prop_assert!(review.refusals.is_empty() || restricted && object.kind == Kind::Resource);
                }
                Change::Apply(mut object) => {
                    let reference = ObjectRef { kind: object.fact.kind(), name: object.name.clone() };
                    let existing = world.object(&reference).cloned();
                    object.created = existing.as_ref().map_or(Some(at(1000)), |existing| existing.created);
                    let review = published.review(&Proposal::Write(object.clone()), now);
                    if object.deleting || existing.is_some_and(|existing| existing.deleting) {
                        prop_assert_eq!(review, Review::default());
                        continue;
                    }
                    let before = rebuilt(&world, &mut chance);
                    let mut after = rebuilt(&world, &mut chance);
                    after.apply(&applied([object.clone()]));
                    let known = mistakes(&before, &reference, now);
                    for mistake in mistakes(&after, &reference, now) {
                        let is_new = !known.contains(&mistake);
                        let told = if is_new { &review.refusals } else { &review.warnings };
                        let is_told = told.contains(&mistake);
                        // Of an update that changes nothing, nothing is said.
                        prop_assert!(is_told || review == Review::default() && !is_new, "{:?}: {:?}", mistake, review);
                    }
                    for refusal in &review.refusals {
                        let of_others = matches!(
                            refusal,
                            Reason::InUse { .. }
                                | Reason::DuplicateExternalId { .. }
                                | Reason::DuplicateAssignment { .. }
                        );
                        prop_assert!(of_others || mistakes(&after, &reference, now).contains(refusal));
                    }
                    if review.refusals.is_empty() && chance.toss() {
                        world.apply(&Change::Apply(object.clone()));
                        published.apply(&applied([object]));
                    }
                }
            }
        }
        for _copy in 0..2 {
            some_agreement(&world, &published.read(), &universe, &mut chance)?;
            // A batch of nothing makes the other copy the active one.
            published.apply(&[]);
        }
    }
}
