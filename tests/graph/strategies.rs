//! Random stories: sequences of changes over few names, so that objects collide, dangle, move and come back often.
//!
//! Most changes are sane, which keeps a good part of the checks allowed; the rest takes any name anywhere.

use std::{fmt, ops::RangeInclusive, sync::Arc};

use bailiwick::graph::facts::{
    Change, Condition, Environment, Fact, Group, GroupRoleAssignment, IdentitySource, MembershipRoleAssignment, Name,
    Object, ObjectRef, OrganizationMembership, Resource, ResourceType, Role, RoleMapping, Timestamp, Undeclared,
};
use proptest::{
    collection::vec,
    option,
    prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof},
    sample::{select, subsequence},
};

use crate::support::facts::{
    at, custom_role, environment, grant, group, group_grant, having_roles, in_identity_groups, invalid, known_as,
    mapping, membership, nested_group, organization, organization_grant, organization_group_grant, resource,
    resource_type, role,
};

pub const ORGANIZATIONS: [&str; 2] = ["acme", "globex"];
pub const RESOURCES: [&str; 9] = ["acme", "globex", "ws", "lab", "web", "api", "app", "doc", "site"];
pub const TYPES: [&str; 4] = ["organization", "workspace", "project", "app"];
const EXTERNAL_IDS: [&str; 4] = ["y", "web", "acme", "globex"];
const ROLES: [&str; 8] = ["admin", "member", "auditor", "ws-admin", "editor", "viewer", "org-custom", "user"];
pub const PERMISSIONS: [&str; 6] = ["workspace:edit", "project:edit", "project:view", "app:use", "edit", "view"];
const GROUPS: [&str; 4] = ["eng", "ops", "all", "globals"];
const IDENTITY_GROUPS: [&str; 2] = ["staff", "chiefs"];
/// Declared ones and opaque ones; `bob` and `carol` are users too.
pub const MEMBERSHIPS: [&str; 6] = ["alice-acme", "alice-globex", "bob-acme", "bob", "carol", "opaque"];
pub const USERS: [&str; 3] = ["alice", "bob", "carol"];
/// Just before, at and after each instant at which something expires.
pub const INSTANTS: [i64; 5] = [0, 9, 10, 19, 20];
const EXPIRIES: [i64; 2] = [10, 20];

/// What assignments depend on: brute force knows them by their texts.
const CONDITIONS: [&str; 5] = [BEFORE_10, MFA, NO_MFA, "true", "context.absent == 1"];
/// It is before the 10th second.
pub const BEFORE_10: &str = "now < timestamp('2027-01-15T08:00:10Z')";
/// The question tells of a second factor.
pub const MFA: &str = "context.mfa";
/// It tells nothing of one.
pub const NO_MFA: &str = "!has(context.mfa)";

/// What happens in an environment, in order.
#[derive(Clone)]
pub struct Story(pub Vec<Change>);

impl fmt::Debug for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (step, change) in self.0.iter().enumerate() {
            write!(f, "\n{:>3}. ", step + 1)?;
            match change {
                Change::Delete(object) => write!(f, "delete {object}")?,
                Change::Apply(Object { name, created, deleting, fact }) => {
                    write!(f, "apply {} `{name}`", fact.kind())?;
                    if *deleting {
                        f.write_str(", being deleted")?;
                    }
                    if let Some(created) = created {
                        write!(f, ", created at +{}", created.as_second() - at(0).as_second())?;
                    }
                    let (fact, kind) = (format!("{fact:?}"), fact.kind());
                    let said = fact.strip_prefix(&format!("{kind}({kind} ")).and_then(|said| said.strip_suffix(')'));
                    write!(f, ": {}", said.unwrap_or(&fact))?;
                }
            }
        }
        Ok(())
    }
}

/// A story that begins with a sound part of a small company and goes on at random.
pub fn story(longest: usize) -> impl Strategy<Value = Story> {
    let company = company();
    // Not a subsequence of a least length, for that would not shrink to the few objects that matter.
    let told = vec(proptest::bool::weighted(0.9), company.len());
    (Just(company).prop_shuffle(), told, vec(change(), 0..=longest)).prop_map(|(company, told, rest)| {
        let beginning = company.into_iter().zip(told).filter_map(|(object, told)| told.then_some(object));
        Story(beginning.map(Change::Apply).chain(rest).collect())
    })
}

/// A small company that uses every kind.
fn company() -> Vec<Object> {
    let staff_are_members =
        RoleMapping { organization: Some("acme".into()), ..mapping(IdentitySource::Directory, "staff", "member") };
    let directory_and_settings = Environment {
        default_role: Some("member".into()),
        role_priority: vec!["admin".into(), "auditor".into()],
        role_mappings: vec![staff_are_members, mapping(IdentitySource::Sso, "chiefs", "admin")],
        ..Environment::default()
    };
    vec![
        organization("acme"),
        organization("globex"),
        resource("ws", "workspace", "acme"),
        resource("lab", "workspace", "globex"),
        known_as("x", resource("web", "project", "ws")),
        known_as("web", resource("api", "project", "ws")),
        known_as("x", resource("site", "project", "lab")),
        resource("app", "app", "web"),
        role("admin", "organization", &["workspace:edit", "project:edit", "project:view", "app:use"]),
        role("auditor", "organization", &["project:view", "view", "edit"]),
        role("member", "organization", &["view", "project:view"]),
        role("ws-admin", "workspace", &["workspace:edit", "project:edit", "app:use", "view"]),
        role("editor", "project", &["project:edit", "project:view", "edit"]),
        role("viewer", "project", &["project:view", "view"]),
        custom_role("org-custom", "project", &["app:use", "edit"], "acme"),
        role("user", "app", &["app:use", "view"]),
        group("eng", "acme", &["bob-acme", "opaque"]),
        nested_group("all", "acme", &["carol", "alice-acme"], &["eng"]),
        group("globals", "globex", &["alice-globex", "opaque", "bob"]),
        group_grant("eng", "ws-admin", "ws"),
        group_grant("all", "viewer", "api"),
        organization_group_grant("all", "auditor"),
        group_grant("globals", "editor", "site"),
        organization_group_grant("globals", "admin"),
        having_roles(&["admin"], membership("alice-acme", "acme", "alice")),
        in_identity_groups(IdentitySource::Sso, &["chiefs"], membership("alice-globex", "globex", "alice")),
        in_identity_groups(IdentitySource::Directory, &["staff"], membership("bob-acme", "acme", "bob")),
        grant("bob-acme", "editor", "web"),
        grant("carol", "org-custom", "web"),
        grant("carol", "ws-admin", "ws"),
        grant("opaque", "user", "app"),
        grant("opaque", "admin", "acme"),
        grant("bob", "viewer", "site"),
        organization_grant("bob-acme", "admin"),
        resource_type("workspace", &["organization"], &["workspace:edit"]),
        resource_type("project", &["workspace", "project"], &["project:edit", "project:view", "edit"]),
        resource_type("app", &["project"], &["app:use", "view"]),
        environment(directory_and_settings),
    ]
}

/// Something that happens to one object: it appears or changes, it disappears, or it is one of the company's again.
pub fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        12 => object().prop_map(Change::Apply),
        12 => select(company()).prop_map(Change::Apply),
        2 => name_of_any().prop_map(Change::Delete),
        1 => name_of_any().prop_map(|it| Change::Apply(invalid(it.kind, &it.name))),
        1 => select(company()).prop_map(|object| Change::Apply(Object { deleting: true, ..object })),
    ]
}

fn name_of_any() -> impl Strategy<Value = ObjectRef> {
    prop_oneof![
        4 => select(company()).prop_map(|object| ObjectRef { kind: object.fact.kind(), name: object.name }),
        1 => object().prop_map(|object| ObjectRef { kind: object.fact.kind(), name: object.name }),
    ]
}

/// Boxed, for the types of nested strategies are large and their values live on the stack.
fn object() -> BoxedStrategy<Object> {
    let object = prop_oneof![
        6 => resource_object().boxed(),
        4 => role_object().boxed(),
        3 => group_object().boxed(),
        3 => (assignment_name(), group_assignment()).prop_map(|(name, fact)| object_of(name, fact)).boxed(),
        4 => (assignment_name(), membership_assignment()).prop_map(|(name, fact)| object_of(name, fact)).boxed(),
        3 => (membership_name(), organization_membership()).prop_map(|(name, fact)| object_of(name, fact)).boxed(),
        2 => (select(&TYPES[..]), declared_type()).prop_map(|(name, fact)| object_of(name.into(), fact)).boxed(),
        2 => (environment_name(), settings()).prop_map(|(name, fact)| object_of(name.into(), fact)).boxed(),
    ];
    let created = prop_oneof![1 => Just(None), 2 => (0_i64..3).prop_map(|second| Some(at(second)))];
    (object, created, rarely()).prop_map(|(object, created, deleting)| Object { created, deleting, ..object }).boxed()
}

fn object_of(name: Name, fact: Fact) -> Object {
    Object { name, created: None, deleting: false, fact }
}

/// A resource where the company has it, or anywhere. An organization has no parent, all others have one.
fn resource_object() -> impl Strategy<Value = Object> {
    let own_or_other_id = prop_oneof![
        4 => Just(None),
        2 => Just(Some("x")),
        1 => select(&EXTERNAL_IDS[..]).prop_map(Some)
    ];
    let sane = prop_oneof![
        Just(("acme", "organization", "")),
        Just(("globex", "organization", "")),
        select(&["ws", "lab"][..]).prop_flat_map(|name| (Just(name), Just("workspace"), select(&ORGANIZATIONS[..]))),
        select(&["web", "api", "site"][..]).prop_flat_map(|name| (
            Just(name),
            Just("project"),
            select(&["ws", "lab", "web", "site"][..])
        )),
        select(&["app", "doc"][..]).prop_flat_map(|name| (
            Just(name),
            Just("app"),
            select(&["web", "api", "site"][..])
        )),
    ];
    let anywhere = (select(&RESOURCES[..]), select(&TYPES[..]), select(&RESOURCES[..]));
    (prop_oneof![3 => sane, 1 => anywhere], own_or_other_id).prop_map(|((name, resource_type, parent), id)| {
        let parent = (resource_type != "organization").then(|| parent.into());
        let external_id = id.unwrap_or(name).into();
        object_of(name.into(), Fact::Resource(Resource { resource_type: resource_type.into(), parent, external_id }))
    })
}

fn role_object() -> impl Strategy<Value = Object> {
    let sane = prop_oneof![
        select(&["admin", "member", "auditor"][..]).prop_map(|name| (name, "organization")),
        Just(("ws-admin", "workspace")),
        select(&["editor", "viewer", "org-custom"][..]).prop_map(|name| (name, "project")),
        Just(("user", "app")),
    ];
    let any_type = (select(&ROLES[..]), select(&TYPES[..]));
    let organization = prop_oneof![
        4 => Just(None),
        1 => prop_oneof![3 => select(&ORGANIZATIONS[..]), 1 => select(&RESOURCES[..])].prop_map(Some)
    ];
    let own_or_other_slug = option::weighted(0.3, select(&ROLES[..]));
    (prop_oneof![5 => sane, 1 => any_type], own_or_other_slug, some_of(&PERMISSIONS, 2..=5), organization).prop_map(
        |((name, resource_type), slug, permissions, organization)| {
            let fact = Role {
                slug: slug.unwrap_or(name).into(),
                resource_type: resource_type.into(),
                permissions,
                organization: organization.map(Into::into),
            };
            object_of(name.into(), Fact::Role(fact))
        },
    )
}

fn group_object() -> impl Strategy<Value = Object> {
    (select(&GROUPS[..]), organization_name(), some_of(&MEMBERSHIPS, 0..=3), some_of(&GROUPS, 0..=2)).prop_map(
        |(name, organization, members, subgroups)| {
            object_of(name.into(), Fact::Group(Group { organization: organization.into(), members, subgroups }))
        },
    )
}

fn group_assignment() -> impl Strategy<Value = Fact> {
    (select(&GROUPS[..]), role_on_resource(), expiry(), condition()).prop_map(
        |(group, (role, resource), expires_at, condition)| {
            let resource = resource.map(Into::into);
            Fact::GroupRoleAssignment(GroupRoleAssignment {
                group: group.into(),
                role: role.into(),
                resource,
                expires_at,
                condition,
            })
        },
    )
}

fn membership_assignment() -> impl Strategy<Value = Fact> {
    (membership_name(), role_on_resource(), expiry(), condition()).prop_map(
        |(membership, (role, resource), expires_at, condition)| {
            let resource = resource.map(Into::into);
            Fact::MembershipRoleAssignment(MembershipRoleAssignment {
                membership,
                role: role.into(),
                resource,
                expires_at,
                condition,
            })
        },
    )
}

/// A role and a resource of its type in the company, or any two.
fn role_on_resource() -> impl Strategy<Value = (&'static str, Option<&'static str>)> {
    let own_organization = option::of(select(&ORGANIZATIONS[..]));
    prop_oneof![
        3 => (select(&["admin", "member", "auditor"][..]), own_organization),
        2 => (Just("ws-admin"), select(&["ws", "lab"][..]).prop_map(Some)),
        4 => (
            select(&["editor", "viewer", "org-custom"][..]),
            select(&["web", "api", "site"][..]).prop_map(Some)
        ),
        2 => (Just("user"), select(&["app", "doc"][..]).prop_map(Some)),
        2 => (select(&ROLES[..]), option::of(select(&RESOURCES[..]))),
        1 => (Just("no-such-role"), Just(Some("no-such-resource"))),
    ]
}

fn organization_membership() -> impl Strategy<Value = Fact> {
    (
        organization_name(),
        select(&USERS[..]),
        some_of(&["admin", "member", "auditor", "editor"], 0..=2),
        rarely(),
        some_of(&IDENTITY_GROUPS, 0..=1),
        some_of(&IDENTITY_GROUPS, 0..=1),
    )
        .prop_map(|(organization, user, roles, suspended, directory_groups, sso_groups)| {
            Fact::OrganizationMembership(OrganizationMembership {
                organization: organization.into(),
                user: user.into(),
                roles,
                suspended,
                directory_groups,
                sso_groups,
            })
        })
}

fn declared_type() -> impl Strategy<Value = Fact> {
    (some_of(&TYPES, 0..=2), some_of(&PERMISSIONS, 1..=5))
        .prop_map(|(parents, permissions)| Fact::ResourceType(ResourceType { parents, permissions }))
}

fn settings() -> impl Strategy<Value = Fact> {
    let undeclared = || prop_oneof![3 => Just(Undeclared::Allow), 1 => Just(Undeclared::Deny)];
    let role_mapping = (
        select(vec![IdentitySource::Directory, IdentitySource::Sso]),
        select(&IDENTITY_GROUPS[..]),
        select(&["admin", "member", "auditor", "viewer", "no-such-role"][..]),
        option::weighted(0.3, organization_name()),
    )
        .prop_map(|(source, group, role, organization)| RoleMapping {
            organization: organization.map(Into::into),
            ..mapping(source, group, role)
        });
    (
        any::<bool>(),
        option::of(select(&["member", "auditor", "viewer", "no-such-role"][..])),
        some_of(&ROLES, 0..=3),
        undeclared(),
        undeclared(),
        vec(role_mapping, 0..4),
    )
        .prop_map(|(multiple_roles, default_role, role_priority, memberships, types, role_mappings)| {
            Fact::Environment(Environment {
                multiple_roles,
                default_role: default_role.map(Into::into),
                role_priority,
                undeclared_memberships: memberships,
                undeclared_resource_types: types,
                role_mappings,
            })
        })
}

fn environment_name() -> impl Strategy<Value = &'static str> {
    prop_oneof![6 => Just("default"), 1 => Just("other")]
}

/// An organization, seldom a resource that is none or does not exist.
fn organization_name() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        8 => Just("acme"),
        4 => Just("globex"),
        1 => select(&RESOURCES[..]),
        1 => Just("no-such-organization")
    ]
}

fn membership_name() -> impl Strategy<Value = Name> {
    select(&MEMBERSHIPS[..]).prop_map(Name::from)
}

/// Few, so that assignments are changed and not only added.
fn assignment_name() -> impl Strategy<Value = Name> {
    (0..10).prop_map(|number| format!("grant-{number}").into())
}

fn expiry() -> impl Strategy<Value = Option<Timestamp>> {
    option::weighted(0.3, select(&EXPIRIES[..]).prop_map(at))
}

fn condition() -> impl Strategy<Value = Option<Arc<Condition>>> {
    let compiled = |text: &str| Arc::new(Condition::new(text).expect("a condition"));
    option::weighted(0.2, select(&CONDITIONS[..]).prop_map(compiled))
}

/// Names in any order.
fn some_of(names: &'static [&'static str], count: RangeInclusive<usize>) -> impl Strategy<Value = Vec<Name>> {
    subsequence(names, count).prop_shuffle().prop_map(|names| names.into_iter().map(Name::from).collect())
}

fn rarely() -> impl Strategy<Value = bool> {
    proptest::bool::weighted(0.1)
}
