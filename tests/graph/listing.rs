//! Lists of what refers to what, and roles by slug and priority: examples, and random stories against a look at every
//! object.

use std::collections::BTreeSet;

use bailiwick::graph::{
    Graph,
    facts::{Change, Environment, Fact, IdentitySource, Kind, Name, ORGANIZATION, Object, ObjectRef, Role, Timestamp},
    query::{PageRequest, RoleUses},
};
use proptest::{prop_assert, prop_assert_eq, proptest, test_runner::TestCaseError};

use super::{
    brute_force::{World, references},
    properties::config,
    strategies::{INSTANTS, MEMBERSHIPS, ORGANIZATIONS, Story, TYPES, story},
};
use crate::support::facts::{
    self, at, created, custom_role, deleted, deleting, environment, expiring, grant, graph, group, group_grant,
    having_roles, invalid, known_as, mapping, membership, named, names, nested_group, organization, organization_grant,
    organization_group_grant, resource, resource_type, role, suspended,
};

fn object(kind: Kind, name: &str) -> ObjectRef {
    ObjectRef { kind, name: name.into() }
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort_unstable();
    items
}

fn called(slug: &str, mut object: Object) -> Object {
    if let Fact::Role(role) = &mut object.fact {
        role.slug = slug.into();
    }
    object
}

#[test]
fn only_what_is_there_is_listed() {
    let graph = graph([
        organization("acme"),
        resource("ws", "workspace", "acme"),
        deleting(resource("lab", "workspace", "acme")),
        resource("stray", "workspace", "nowhere"),
        known_as("ws", resource("other", "workspace", "nowhere")),
        suspended(membership("bob-acme", "acme", "bob")),
        deleting(membership("ann-acme", "acme", "bob")),
        group("eng", "acme", &["bob-acme", "opaque"]),
        nested_group("all", "acme", &[], &["eng"]),
        deleting(group("old", "acme", &["opaque"])),
        invalid(Kind::Group, "odd"),
        organization_grant("bob-acme", "admin"),
        expiring(-1, grant("bob-acme", "admin", "ws")),
        deleting(grant("bob-acme", "user", "ws")),
        organization_group_grant("eng", "admin"),
        group_grant("eng", "editor", "nowhere"),
    ]);
    assert_eq!(graph.organization_of("acme").as_deref(), Some("acme"));
    assert_eq!(graph.organization_of("ws").as_deref(), Some("acme"));
    assert_eq!(["lab", "stray", "nowhere", "bob"].map(|name| graph.organization_of(name)), [const { None }; 4]);
    assert_eq!(graph.children_of("acme"), names(&["ws"]));
    assert_eq!(sorted(graph.children_of("nowhere")), names(&["other", "stray"]), "it is not there, they are");
    assert_eq!(sorted(graph.resources_with_external_id("workspace", "ws")), names(&["other", "ws"]));
    assert_eq!(graph.resources_with_external_id("workspace", "lab"), names(&[]));
    assert_eq!(
        (graph.memberships_in("acme"), graph.memberships_of_user("bob")),
        (names(&["bob-acme"]), names(&["bob-acme"]))
    );
    assert_eq!(sorted(graph.groups_in("acme")), names(&["all", "eng"]));
    assert_eq!(graph.groups_listing("opaque"), names(&["eng"]));
    let own = sorted(graph.own_assignments_of_membership("bob-acme"));
    assert_eq!(own, names(&["bob-acme-admin", "bob-acme-admin-ws"]), "also an expired one");
    assert_eq!(sorted(graph.assignments_of_group("eng")), names(&["eng-admin", "eng-editor-nowhere"]));
    let on_acme =
        [object(Kind::GroupRoleAssignment, "eng-admin"), object(Kind::MembershipRoleAssignment, "bob-acme-admin")];
    assert_eq!(sorted(graph.assignments_on("acme")), on_acme, "those that name no resource");
    assert_eq!(graph.assignments_on("nowhere"), [object(Kind::GroupRoleAssignment, "eng-editor-nowhere")]);
    let dependents = ["acme", "ws", "stray", "lab", "nowhere"].map(|name| graph.has_dependents(name));
    assert_eq!(dependents, [true, true, false, false, false]);
}

#[test]
fn a_slug_means_the_organizations_own_role_first() {
    let graph = graph([
        role("editor", "project", &[]),
        named("our-editor", called("editor", custom_role("", "project", &[], "acme"))),
        created(2, named("younger", called("viewer", role("", "project", &[])))),
        created(1, named("z-older", called("viewer", role("", "project", &[])))),
        deleting(named("gone", called("viewer", role("", "project", &[])))),
        custom_role("globex-only", "project", &[], "globex"),
    ]);
    let find = |slug, organization| graph.find_role(slug, organization).map(|name| name.to_string());
    assert_eq!(find("editor", Some("acme")).as_deref(), Some("our-editor"));
    assert_eq!(find("editor", Some("globex")).as_deref(), Some("editor"));
    assert_eq!(find("editor", Some("no-such")).as_deref(), Some("editor"));
    assert_eq!(find("editor", None).as_deref(), Some("editor"));
    assert_eq!(find("viewer", None).as_deref(), Some("z-older"), "the oldest that is there");
    assert_eq!(find("globex-only", Some("acme")), None);
    assert_eq!(find("our-editor", Some("acme")), None, "a name is no slug");
    assert_eq!(graph.roles_in_priority_order(Some("acme")), names(&["editor", "our-editor", "z-older", "younger"]));
}

#[test]
fn organization_roles_are_those_in_effect_but_for_a_suspension() {
    let settings = |multiple_roles| {
        environment(Environment {
            multiple_roles,
            default_role: Some("member".into()),
            role_priority: names(&["admin", "auditor"]),
            ..Environment::default()
        })
    };
    let mut graph = graph([
        settings(false),
        organization("acme"),
        role("member", "organization", &[]),
        role("auditor", "organization", &[]),
        role("admin", "organization", &[]),
        suspended(having_roles(&["auditor"], membership("bob-acme", "acme", "bob"))),
        group("eng", "acme", &["bob-acme"]),
        expiring(10, organization_group_grant("eng", "admin")),
        membership("ann-acme", "acme", "ann"),
        deleting(membership("old-acme", "acme", "old")),
        membership("lost", "nowhere", "lost"),
        grant("opaque", "admin", "acme"),
    ]);
    let roles = |graph: &Graph, membership| graph.organization_roles_of(membership, at(5));
    assert_eq!(roles(&graph, "bob-acme"), names(&["admin"]));
    assert_eq!(graph.organization_roles_of("bob-acme", at(10)), names(&["auditor"]));
    assert_eq!(roles(&graph, "ann-acme"), names(&["member"]));
    for nobody in ["old-acme", "lost", "opaque", "no-such"] {
        assert_eq!(roles(&graph, nobody), names(&[]), "{nobody}");
    }
    graph.apply(&[Change::Apply(settings(true))]);
    assert_eq!(roles(&graph, "bob-acme"), names(&["admin", "auditor"]));
}

#[test]
fn a_role_is_used_by_whatever_names_it() {
    let mut graph = graph([
        environment(Environment {
            default_role: Some("admin".into()),
            // An order is no use.
            role_priority: vec!["admin".into(), "member".into()],
            role_mappings: vec![mapping(IdentitySource::Sso, "staff", "admin")],
            ..Environment::default()
        }),
        organization_grant("bob-acme", "admin"),
        expiring(-1, group_grant("eng", "admin", "acme")),
        deleting(group_grant("ops", "admin", "acme")),
        suspended(having_roles(&["admin"], membership("bob-acme", "acme", "bob"))),
        // One that names it twice uses it once.
        having_roles(&["twice", "twice"], membership("eve-acme", "acme", "eve")),
        having_roles(&["twice"], membership("joe-acme", "acme", "joe")),
    ]);
    let once = RoleUses {
        membership_assignments: 1,
        group_assignments: 1,
        memberships: 1,
        role_mappings: 1,
        is_default: true,
    };
    assert_eq!((graph.uses_of_role("admin"), graph.uses_of_role("member")), (once, RoleUses::default()));
    assert_eq!((graph.default_role(), graph.default_role_is_set()), (None, true), "it is not there");
    assert_eq!(graph.uses_of_role("twice"), RoleUses { memberships: 2, ..RoleUses::default() });
    graph.apply(&[Change::Apply(role("admin", "organization", &[]))]);
    assert_eq!(graph.uses_of_role("admin"), once, "it is there now");
    assert_eq!(graph.default_role().as_deref(), Some("admin"));
    graph.apply(&[deleted(Kind::Environment, "default")]);
    assert_eq!((graph.default_role(), graph.default_role_is_set()), (None, false));
}

#[test]
fn a_name_is_taken_as_long_as_anything_refers_to_it() {
    let referring = [
        (Kind::Resource, "p", resource("web", "project", "p")),
        (Kind::ResourceType, "t", resource("web", "t", "acme")),
        (Kind::Resource, "p", custom_role("r", "project", &[], "p")),
        (Kind::ResourceType, "t", role("r", "t", &[])),
        (Kind::Resource, "p", group("eng", "p", &[])),
        (Kind::OrganizationMembership, "m", group("eng", "acme", &["m"])),
        (Kind::Group, "g", nested_group("eng", "acme", &[], &["g"])),
        (Kind::Group, "g", organization_group_grant("g", "r")),
        (Kind::Role, "r", organization_group_grant("g", "r")),
        (Kind::Resource, "p", group_grant("g", "r", "p")),
        (Kind::OrganizationMembership, "m", organization_grant("m", "r")),
        (Kind::Role, "r", organization_grant("m", "r")),
        (Kind::Resource, "p", grant("m", "r", "p")),
        (Kind::Resource, "p", membership("m", "p", "u")),
        (Kind::Role, "r", having_roles(&["r"], membership("m", "acme", "u"))),
        (Kind::ResourceType, "t", resource_type("project", &["t"], &[])),
    ];
    let staying = organization("stays");
    for (kind, name, referring) in referring {
        let own = object(referring.fact.kind(), &referring.name);
        let taken = |graph: &Graph| [&object(kind, name), &own].map(|object| graph.is_name_taken(object));
        let mut graph = graph([staying.clone(), referring.clone()]);
        assert_eq!(taken(&graph), [true; 2], "{referring:?}");
        graph.apply(&[Change::Apply(deleting(referring.clone()))]);
        assert_eq!(taken(&graph), [true; 2], "under deletion: {referring:?}");
        graph.apply(&[Change::Delete(own.clone())]);
        assert_eq!(taken(&graph), [false; 2], "{referring:?}");
        for other in Kind::ALL.into_iter().filter(|&other| other != kind && other != own.kind) {
            assert!(!graph.is_name_taken(&object(other, name)));
        }
    }
    let default = |spec| graph([environment(spec)]).is_name_taken(&object(Kind::Role, "r"));
    assert!(default(Environment { default_role: Some("r".into()), ..Environment::default() }));
    assert!(default(Environment { role_priority: names(&["r"]), ..Environment::default() }));
    assert!(default(Environment {
        role_mappings: vec![mapping(IdentitySource::Sso, "staff", "r")],
        ..Environment::default()
    }));
    assert!(graph([invalid(Kind::Role, "r")]).is_name_taken(&object(Kind::Role, "r")));
}

#[test]
fn an_unusable_resource_type_declares_its_type() {
    let mut graph = graph([resource_type(ORGANIZATION, &[], &["manage"])]);
    assert!(graph.is_known_type(ORGANIZATION) && !graph.declares_types());
    graph.apply(&[Change::Apply(invalid(Kind::ResourceType, "project"))]);
    assert!(graph.declares_types() && graph.is_known_type("project") && !graph.is_known_type("workspace"));
    graph.apply(&[Change::Apply(resource_type("workspace", &[ORGANIZATION], &["manage", "manage"]))]);
    assert_eq!(sorted(graph.declared_on("manage")), names(&[ORGANIZATION, "workspace"]));
    assert!(!Graph::default().declares_types() && Graph::default().is_known_type(ORGANIZATION));
}

/// Every name that a story mentions, also those of what is gone in the end, and one that it does not.
fn names_in(story: &Story) -> BTreeSet<Name> {
    let mut mentioned: BTreeSet<Name> = [Name::from("nowhere")].into();
    for change in &story.0 {
        match change {
            Change::Delete(object) => {
                mentioned.insert(object.name.clone());
            }
            Change::Apply(Object { name, fact, .. }) => {
                mentioned.insert(name.clone());
                mentioned.extend(references(fact).into_iter().map(|object| object.name));
                match fact {
                    Fact::Resource(it) => mentioned.extend([it.external_id.clone()]),
                    Fact::Role(Role { slug, permissions, .. }) => {
                        mentioned.extend(permissions.iter().chain([slug]).cloned());
                    }
                    Fact::OrganizationMembership(it) => mentioned.extend([it.user.clone()]),
                    _ => {}
                }
            }
        }
    }
    mentioned
}

/// The lists of what refers to a name, of whatever kind it is one.
fn agree_on_name(graph: &Graph, world: &World, name: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(graph.organization_of(name), world.organization_of(name), "{}", name);
    prop_assert_eq!(sorted(graph.children_of(name)), world.children_of(name), "{}", name);
    for resource_type in TYPES {
        let found = sorted(graph.resources_with_external_id(resource_type, name));
        prop_assert_eq!(found, world.resources_with_external_id(resource_type, name), "{} {}", resource_type, name);
    }
    prop_assert_eq!(sorted(graph.memberships_in(name)), world.memberships_in(name), "{}", name);
    prop_assert_eq!(sorted(graph.memberships_of_user(name)), world.memberships_declared_for(name), "{}", name);
    prop_assert_eq!(sorted(graph.groups_in(name)), world.groups_in(name), "{}", name);
    prop_assert_eq!(sorted(graph.groups_listing(name)), world.groups_listing(name), "{}", name);
    let own = sorted(graph.own_assignments_of_membership(name));
    prop_assert_eq!(own, world.own_assignments_of_membership(name), "{}", name);
    prop_assert_eq!(sorted(graph.assignments_of_group(name)), world.assignments_of_group(name), "{}", name);
    prop_assert_eq!(sorted(graph.assignments_on(name)), world.assignments_on(name), "{}", name);
    prop_assert_eq!(graph.has_dependents(name), world.has_dependents(name), "{}", name);
    prop_assert_eq!(graph.uses_of_role(name), world.uses_of_role(name), "{}", name);
    for organization in [None, Some("nowhere")].into_iter().chain(ORGANIZATIONS.map(Some)) {
        let found = graph.find_role(name, organization);
        prop_assert_eq!(found, world.find_role(name, organization), "{} in {:?}", name, organization);
    }
    prop_assert_eq!(graph.is_known_type(name), world.is_known_type(name), "{}", name);
    prop_assert_eq!(sorted(graph.declared_on(name)), world.declared_on(name), "{}", name);
    Ok(())
}

/// The roles in effect on the organization are those that the list of assignments says are, were nobody suspended.
fn agree_on_organization_roles(graph: &Graph, world: &World, now: Timestamp) -> Result<(), TestCaseError> {
    let active = world.without_suspensions();
    let lifted = facts::graph(active.objects().cloned());
    for membership in MEMBERSHIPS.into_iter().chain(["nobody"]) {
        let mut expected = BTreeSet::new();
        if active.has_place(membership) {
            let organization = active.declaration(membership).map(|it| it.organization.clone());
            let everything = PageRequest { limit: usize::MAX, after: None };
            let items = lifted.assignments_of_membership(membership, everything, now).expect("it is declared").items;
            let in_effect = items.into_iter().filter(|item| item.inert.is_empty() && item.resource == organization);
            expected.extend(in_effect.map(|item| item.role));
        }
        let mut expected: Vec<Name> = expected.into_iter().collect();
        world.sort_by_priority(&mut expected);
        prop_assert_eq!(graph.organization_roles_of(membership, now), expected, "{} at {}", membership, now);
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(400))]

    /// However the objects came to be, the lists hold what a look at every one of them finds.
    #[test]
    fn lists_are_what_a_look_at_every_object_finds(story in story(40)) {
        let (mut graph, mut world) = (Graph::default(), World::default());
        for change in &story.0 {
            graph.apply(std::slice::from_ref(change));
            world.apply(change);
        }
        let taken = world.taken();
        for name in names_in(&story) {
            agree_on_name(&graph, &world, &name)?;
            for kind in Kind::ALL {
                let object = object(kind, &name);
                prop_assert_eq!(graph.is_name_taken(&object), taken.contains(&object), "{}", object);
            }
        }
        for organization in [None, Some("nowhere")].into_iter().chain(ORGANIZATIONS.map(Some)) {
            let roles = graph.roles_in_priority_order(organization);
            prop_assert_eq!(roles, world.roles_in_priority_order(organization), "{:?}", organization);
        }
        for now in INSTANTS {
            agree_on_organization_roles(&graph, &world, at(now))?;
        }
        prop_assert_eq!(graph.declares_types(), world.declares_types());
        prop_assert_eq!(graph.allows_multiple_roles(), world.allows_multiple_roles());
        prop_assert_eq!(graph.default_role(), world.default_role());
        prop_assert_eq!(graph.default_role_is_set(), world.default_role_is_set());
    }

    /// What is created under a name that is not taken has no assignments, is in no group and has nothing below it; when
    /// it is gone again, the name is free again.
    #[test]
    fn what_is_created_under_a_free_name_inherits_nothing(story in story(40)) {
        let (mut graph, mut world) = (Graph::default(), World::default());
        for change in &story.0 {
            graph.apply(std::slice::from_ref(change));
            world.apply(change);
        }
        for name in names_in(&story) {
            let member = object(Kind::OrganizationMembership, &name);
            if !graph.is_name_taken(&member) {
                graph.apply(&[Change::Apply(membership(&name, "acme", "newcomer"))]);
                prop_assert!(graph.own_assignments_of_membership(&name).is_empty());
                prop_assert!(graph.groups_listing(&name).is_empty());
                graph.apply(&[Change::Delete(member.clone())]);
                prop_assert!(!graph.is_name_taken(&member));
            }
            let place = object(Kind::Resource, &name);
            if !graph.is_name_taken(&place) {
                graph.apply(&[Change::Apply(resource(&name, "workspace", "acme"))]);
                prop_assert!(!graph.has_dependents(&name));
                graph.apply(&[Change::Delete(place.clone())]);
                prop_assert!(!graph.is_name_taken(&place));
            }
        }
    }
}
