//! The objects of an org-tree, made when they are asked for: any number of them takes no room.

use std::fmt::Write as _;

use bailiwick::graph::facts::Kind;
use serde_json::{Value, json};

/// The namespace of all objects.
pub const ENVIRONMENT: &str = "org-tree";

const ORGANIZATIONS: usize = 100;
/// The levels below the organization, and those of roles.
const TYPES: [&str; 4] = ["organization", "workspace", "project", "app"];
const ROLES_PER_TYPE: usize = 4;
const PERMISSIONS_PER_TYPE: usize = 20;

/// How often objects were created, which tells how many have a second in common.
const CREATED_PER_SECOND: usize = 100;

/// An org-tree of so many objects: 35 in 100 are resources, 9 memberships, 1 groups, 55 assignments; of these 70 in 100 are
/// those of groups. What has an index `i` on its level, or as a member or group, belongs to the organization `i % 100`.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    objects: usize,
}

impl Recipe {
    pub const fn new(objects: usize) -> Self {
        assert!(objects >= 10_000, "less is no tree");
        Self { objects: objects / 10_000 * 10_000 }
    }

    pub const fn count(self, kind: Kind) -> usize {
        match kind {
            Kind::Resource => self.objects / 100 * 35,
            Kind::OrganizationMembership => self.objects / 100 * 9,
            Kind::Group => self.objects / 100,
            Kind::GroupRoleAssignment => self.objects / 1000 * 385,
            Kind::MembershipRoleAssignment => {
                // The vocabulary is counted with them.
                self.objects / 1000 * 165 - TYPES.len() * ROLES_PER_TYPE - (TYPES.len() - 1) - 1
            }
            Kind::Role => TYPES.len() * ROLES_PER_TYPE,
            Kind::ResourceType => TYPES.len() - 1,
            Kind::Environment => 1,
        }
    }

    /// All of them.
    pub fn total(self) -> usize {
        Kind::ALL.into_iter().map(|kind| self.count(kind)).sum()
    }

    /// How many resources there are of each level.
    fn levels(self) -> [usize; TYPES.len()] {
        let resources = self.count(Kind::Resource);
        let (workspaces, projects) = (round(resources / 100), round(resources / 10));
        [ORGANIZATIONS, workspaces, projects, resources - ORGANIZATIONS - workspaces - projects]
    }

    /// The name of an object.
    pub fn name(self, kind: Kind, index: usize) -> String {
        match kind {
            Kind::Resource => {
                let mut index = index;
                for (level, count) in self.levels().into_iter().enumerate() {
                    if index < count {
                        return resource(level, index);
                    }
                    index -= count;
                }
                unreachable!("there are no more resources")
            }
            Kind::OrganizationMembership => format!("member-{index:07}"),
            Kind::Group => format!("group-{index:06}"),
            Kind::GroupRoleAssignment => format!("team-grant-{index:07}"),
            Kind::MembershipRoleAssignment => format!("grant-{index:07}"),
            Kind::Role => format!("{}-{}", TYPES[index / ROLES_PER_TYPE], index % ROLES_PER_TYPE),
            Kind::ResourceType => TYPES[index + 1].to_owned(),
            Kind::Environment => "default".to_owned(),
        }
    }

    /// What an object says.
    pub fn spec(self, kind: Kind, index: usize) -> Value {
        let named = |name: String| json!({ "name": name });
        let organization = || named(resource(0, index % ORGANIZATIONS));
        match kind {
            Kind::Resource => {
                let levels = self.levels();
                let (mut level, mut at) = (0, index);
                while at >= levels[level] {
                    at -= levels[level];
                    level += 1;
                }
                let mut spec = json!({ "type": TYPES[level], "displayName": format!("{} {at}", TYPES[level]) });
                if level > 0 {
                    spec["parentRef"] = named(resource(level - 1, at % levels[level - 1]));
                }
                spec
            }
            Kind::OrganizationMembership => {
                json!({ "organizationRef": organization(), "user": { "id": format!("user-{index:07}") } })
            }
            Kind::Group => {
                let members = self.count(Kind::OrganizationMembership) / ORGANIZATIONS;
                let size = 5 + random(kind, index, 0) % 30;
                let start = random(kind, index, 1) % members;
                let member = |offset: usize| {
                    let of_organization = (start + offset) % members;
                    self.name(Kind::OrganizationMembership, of_organization * ORGANIZATIONS + index % ORGANIZATIONS)
                };
                let members: Vec<String> = (0..size.min(members)).map(member).collect();
                json!({ "organizationRef": organization(), "members": members })
            }
            Kind::GroupRoleAssignment | Kind::MembershipRoleAssignment => {
                let (field, subjects) = match kind {
                    Kind::GroupRoleAssignment => ("groupRef", Kind::Group),
                    _ => ("membershipRef", Kind::OrganizationMembership),
                };
                let subject = random(kind, index, 0) % self.count(subjects);
                let level = match random(kind, index, 1) % 10 {
                    0 => 0,
                    1..=3 => 1,
                    4..=7 => 2,
                    _ => 3,
                };
                let of_organization = random(kind, index, 2) % (self.levels()[level] / ORGANIZATIONS);
                let resource = resource(level, of_organization * ORGANIZATIONS + subject % ORGANIZATIONS);
                let role = level * ROLES_PER_TYPE + random(kind, index, 3) % ROLES_PER_TYPE;
                json!({
                    field: named(self.name(subjects, subject)),
                    "roleRef": named(self.name(Kind::Role, role)),
                    "resourceRef": named(resource),
                })
            }
            Kind::Role => {
                let (level, rank) = (index / ROLES_PER_TYPE, index % ROLES_PER_TYPE);
                let each = (rank + 1) * PERMISSIONS_PER_TYPE / ROLES_PER_TYPE;
                let of_level = |level: usize| (0..each).map(move |number| permission(level, number));
                let permissions: Vec<String> = (level.max(1)..TYPES.len()).flat_map(of_level).collect();
                json!({ "resourceType": TYPES[level], "permissions": permissions })
            }
            Kind::ResourceType => {
                let permissions: Vec<Value> =
                    (0..PERMISSIONS_PER_TYPE).map(|number| json!({ "slug": permission(index + 1, number) })).collect();
                json!({ "parents": [TYPES[index]], "permissions": permissions })
            }
            Kind::Environment => json!({ "multipleRoles": true }),
        }
    }

    /// The JSON of an object as an API server tells it that was applied by a person, and whose status was written: with two
    /// managers of fields, as it is in a cluster. Put together by hand, for the server is not what is measured.
    pub fn object(self, kind: Kind, index: usize) -> String {
        let before = Kind::ALL.into_iter().take_while(|other| *other != kind);
        let number = before.map(|kind| self.count(kind)).sum::<usize>() + index;
        let second = number / CREATED_PER_SECOND;
        let (day, hour, minute) = (second / 86_400 + 1, second / 3600 % 24, second / 60 % 60);
        let time = format!("2026-01-{day:02}T{hour:02}:{minute:02}:{:02}Z", second % 60);
        let finalizers = if kind.cascades() { r#"["authz.bailiwick.dev/cascade"]"# } else { "[]" };
        let (name, spec) = (self.name(kind, index), self.spec(kind, index));
        let mut fields = String::new();
        for field in spec.as_object().into_iter().flat_map(|spec| spec.keys()) {
            let comma = if fields.is_empty() { "" } else { "," };
            // Writing to a string cannot fail.
            let _ = write!(fields, r#"{comma}"f:{field}":{{}}"#);
        }
        let (uid, version) = (random(kind, index, 9) & 0xffff_ffff_ffff, 1_000_000 + number);
        let group = "authz.bailiwick.dev/v1alpha1";
        let condition = r#"{".":{},"f:type":{},"f:status":{},"f:reason":{},"f:message":{},"f:observedGeneration":{},"f:lastTransitionTime":{}}"#;
        format!(
            r#"{{"apiVersion":"{group}","kind":"{kind}","metadata":{{"creationTimestamp":"{time}","finalizers":{finalizers},"generation":1,"managedFields":[{{"apiVersion":"{group}","fieldsType":"FieldsV1","fieldsV1":{{"f:spec":{{{fields}}}}},"manager":"kubectl","operation":"Apply","time":"{time}"}},{{"apiVersion":"{group}","fieldsType":"FieldsV1","fieldsV1":{{"f:status":{{"f:conditions":{{"k:{{\"type\":\"Accepted\"}}":{condition},"k:{{\"type\":\"Ready\"}}":{condition},"k:{{\"type\":\"ResolvedRefs\"}}":{condition}}},"f:observedGeneration":{{}}}}}},"manager":"bailiwick-status","operation":"Apply","subresource":"status","time":"{time}"}}],"name":"{name}","namespace":"{ENVIRONMENT}","resourceVersion":"{version}","uid":"{number:08x}-0000-4000-8000-{uid:012x}"}},"spec":{spec},"status":{{"conditions":[{{"lastTransitionTime":"{time}","message":"nothing in it is contradicted","observedGeneration":1,"reason":"Accepted","status":"True","type":"Accepted"}},{{"lastTransitionTime":"{time}","message":"all that it refers to is there","observedGeneration":1,"reason":"ResolvedRefs","status":"True","type":"ResolvedRefs"}},{{"lastTransitionTime":"{time}","message":"the graph has it, and all that it says has effect","observedGeneration":1,"reason":"Indexed","status":"True","type":"Ready"}}],"observedGeneration":1}}}}"#
        )
    }
}

/// Down to as many for each organization, but one at least.
fn round(count: usize) -> usize {
    (count / ORGANIZATIONS).max(1) * ORGANIZATIONS
}

fn resource(level: usize, index: usize) -> String {
    format!("{}-{index:06}", TYPES[level])
}

fn permission(level: usize, number: usize) -> String {
    format!("{}:permission-{number:02}", TYPES[level])
}

/// The same number for the same question each time (splitmix64).
fn random(kind: Kind, index: usize, question: u64) -> usize {
    let mut state = (kind as u64) << 56 ^ (index as u64) << 8 ^ question;
    state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    state = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ state >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((state ^ state >> 31) >> 1).unwrap_or_default()
}
