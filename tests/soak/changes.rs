//! Changes at random, to objects of a few names, so that they get in each other's way.

use bailiwick::graph::facts::{Kind, Timestamp};
use rand::{Rng as _, rngs::SmallRng, seq::IndexedRandom as _};
use serde_json::{Value, json};

use super::manifests::{group, group_assignment, membership, membership_assignment, organization, resource, role};
use crate::support::objects::Objects;

/// The types of resources, but for the organization.
const TYPES: [&str; 3] = ["workspace", "project", "app"];
/// Roles are for one of these or, the last of each round, for the organization.
const ROLE_TYPES: usize = TYPES.len() + 1;
/// The permissions that roles have.
const PERMISSIONS: [&str; 6] =
    ["organization:view", "workspace:view", "project:view", "project:edit", "app:view", "app:deploy"];
/// How long assignments last that expire, in seconds, at the most.
pub const LONGEST_GRANT: i64 = 5;

/// How many names there are of each sort.
const ORGANIZATIONS: usize = 3;
const RESOURCES: usize = 150;
const ROLES: usize = 12;
const GROUPS: usize = 12;
const MEMBERSHIPS: usize = 40;
const ASSIGNMENTS: usize = 300;

/// One thing that a writer does.
#[derive(Debug)]
pub enum Change {
    /// Creates an object.
    Create(Value),
    /// Merges something into an object.
    Merge(Kind, String, Value),
    /// Deletes an object.
    Delete(Kind, String),
}

impl Change {
    /// What exists at the beginning.
    pub fn first() -> Vec<Value> {
        let types = TYPES.iter().map(|name| {
            let permissions: Vec<Value> = PERMISSIONS
                .iter()
                .filter(|permission| permission.starts_with(name))
                .map(|permission| json!({"slug": permission}))
                .collect();
            let spec = json!({"parents": ["organization", "workspace", "project"], "permissions": permissions});
            json!({"kind": "ResourceType", "metadata": {"name": name}, "spec": spec})
        });
        let environment = json!({"kind": "Environment", "metadata": {"name": "default"}, "spec": {}});
        (0..ORGANIZATIONS)
            .map(|index| organization(&format!("org-{index}")))
            .chain(types)
            .chain([environment])
            .collect()
    }

    /// Something.
    pub fn random(rng: &mut SmallRng) -> Self {
        match rng.random_range(0..100) {
            0..22 => Self::Create(random_membership_assignment(rng)),
            22..32 => Self::Create(random_group_assignment(rng)),
            32..42 => Self::Delete(Kind::MembershipRoleAssignment, any(rng, "mra", ASSIGNMENTS)),
            42..47 => Self::Delete(Kind::GroupRoleAssignment, any(rng, "gra", ASSIGNMENTS)),
            47..60 => Self::Create(random_resource(rng)),
            60..70 => {
                let name = any(rng, "res", RESOURCES);
                let parent = any_but(rng, &name);
                Self::Merge(Kind::Resource, name, json!({"spec": {"parentRef": {"name": parent}}}))
            }
            70..75 => Self::Delete(Kind::Resource, any(rng, "res", RESOURCES)),
            75..80 => Self::Create(random_role(rng)),
            80..82 => {
                let permissions = some(rng, &PERMISSIONS);
                Self::Merge(Kind::Role, any(rng, "role", ROLES), json!({"spec": {"permissions": permissions}}))
            }
            82..83 => Self::Delete(Kind::Role, any(rng, "role", ROLES)),
            83..87 => Self::Create(group(
                &any(rng, "group", GROUPS),
                &any(rng, "org", ORGANIZATIONS),
                &some(rng, &names("m", MEMBERSHIPS)),
            )),
            87..90 => {
                let name = any(rng, "group", GROUPS);
                let mut subgroups = some(rng, &names("group", GROUPS));
                subgroups.retain(|subgroup| *subgroup != name);
                let members = some(rng, &names("m", MEMBERSHIPS));
                Self::Merge(Kind::Group, name, json!({"spec": {"members": members, "subgroups": subgroups}}))
            }
            90..91 => Self::Delete(Kind::Group, any(rng, "group", GROUPS)),
            // Of half of the memberships there is never an object.
            91..95 => Self::Create(membership(&any(rng, "m", MEMBERSHIPS / 2), &any(rng, "org", ORGANIZATIONS))),
            95..97 => {
                let suspended = rng.random_bool(0.5);
                Self::Merge(
                    Kind::OrganizationMembership,
                    any(rng, "m", MEMBERSHIPS / 2),
                    json!({"spec": {"suspended": suspended}}),
                )
            }
            97..98 => Self::Delete(Kind::OrganizationMembership, any(rng, "m", MEMBERSHIPS / 2)),
            98..99 => {
                let several = rng.random_bool(0.5);
                Self::Merge(Kind::Environment, "default".to_owned(), json!({"spec": {"multipleRoles": several}}))
            }
            _ => {
                let name = (*TYPES.choose(rng).expect("a type")).to_owned();
                let parents = [&["organization"], &some(rng, &["workspace", "project"])[..]].concat();
                Self::Merge(Kind::ResourceType, name, json!({"spec": {"parents": parents}}))
            }
        }
    }

    /// Carries it out. Whether that changed anything: not where others were there first.
    pub async fn carry_out(self, objects: &Objects) -> bool {
        let done = match &self {
            Self::Create(manifest) => objects.create(manifest.clone()).await,
            Self::Merge(kind, name, patch) => objects.merge(*kind, name, patch).await,
            Self::Delete(kind, name) => objects.delete(*kind, name).await,
        };
        match done {
            Ok(()) => true,
            // It exists already, or does not exist.
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => false,
            Err(error) => panic!("{self:?}: {error}"),
        }
    }
}

/// Every check that concerns the objects.
pub fn checks() -> Vec<Value> {
    let resources = [names("org", ORGANIZATIONS), names("res", RESOURCES)].concat();
    let mut checks = Vec::new();
    for membership in names("m", MEMBERSHIPS) {
        for permission in PERMISSIONS {
            for resource in &resources {
                checks
                    .push(json!({"membership": membership, "permission": permission, "resource": {"name": resource}}));
            }
        }
    }
    checks
}

fn random_resource(rng: &mut SmallRng) -> Value {
    let index = rng.random_range(0..RESOURCES);
    let name = format!("res-{index}");
    let parent = any_but(rng, &name);
    // The type is immutable, so it follows from the name.
    resource(&name, TYPES[index % TYPES.len()], &parent)
}

fn random_role(rng: &mut SmallRng) -> Value {
    let index = rng.random_range(0..ROLES);
    let resource_type = TYPES.get(index % ROLE_TYPES).copied().unwrap_or("organization");
    let mut role = role(&format!("role-{index}"), resource_type, &some(rng, &PERMISSIONS));
    if rng.random_bool(0.2) {
        role["spec"]["organizationRef"] = json!({"name": any(rng, "org", ORGANIZATIONS)});
    }
    role
}

fn random_membership_assignment(rng: &mut SmallRng) -> Value {
    let (name, membership) = (any(rng, "mra", ASSIGNMENTS), any(rng, "m", MEMBERSHIPS));
    let (role, resource) = any_grant(rng);
    with_end(rng, membership_assignment(&name, &membership, &role, &resource))
}

fn random_group_assignment(rng: &mut SmallRng) -> Value {
    let (name, group) = (any(rng, "gra", ASSIGNMENTS), any(rng, "group", GROUPS));
    let (role, resource) = any_grant(rng);
    with_end(rng, group_assignment(&name, &group, &role, &resource))
}

/// A role and a resource, which mostly fit.
fn any_grant(rng: &mut SmallRng) -> (String, String) {
    if rng.random_bool(0.3) {
        return (any(rng, "role", ROLES), any_resource(rng));
    }
    let index = rng.random_range(0..RESOURCES);
    let round = rng.random_range(0..ROLES / ROLE_TYPES);
    (format!("role-{}", round * ROLE_TYPES + index % TYPES.len()), format!("res-{index}"))
}

/// Lets some assignments expire soon, and others name no resource.
fn with_end(rng: &mut SmallRng, mut assignment: Value) -> Value {
    if rng.random_bool(0.1) {
        let end = Timestamp::now().as_second() + rng.random_range(1..=LONGEST_GRANT);
        assignment["spec"]["expiresAt"] = json!(Timestamp::new(end, 0).expect("a time").to_string());
    }
    if rng.random_bool(0.15) {
        assignment["spec"].as_object_mut().expect("a spec").remove("resourceRef");
    }
    assignment
}

fn any_resource(rng: &mut SmallRng) -> String {
    if rng.random_bool(0.5) { any(rng, "org", ORGANIZATIONS) } else { any(rng, "res", RESOURCES) }
}

/// The API server refuses a resource that is its own parent.
fn any_but(rng: &mut SmallRng, name: &str) -> String {
    Some(any_resource(rng)).filter(|other| other != name).unwrap_or_else(|| any(rng, "org", ORGANIZATIONS))
}

fn any(rng: &mut SmallRng, sort: &str, count: usize) -> String {
    format!("{sort}-{}", rng.random_range(0..count))
}

fn names(sort: &str, count: usize) -> Vec<String> {
    (0..count).map(|index| format!("{sort}-{index}")).collect()
}

/// Up to four of these, in their order.
fn some<T: Clone>(rng: &mut SmallRng, all: &[T]) -> Vec<T> {
    let wanted = rng.random_range(0..=4.min(all.len()));
    let mut chosen: Vec<usize> = rand::seq::index::sample(rng, all.len(), wanted).into_vec();
    chosen.sort_unstable();
    chosen.into_iter().map(|index| all[index].clone()).collect()
}
