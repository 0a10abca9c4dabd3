//! What strains an engine, beside the org-tree and in an organization of its own.

use bailiwick::graph::{
    Graph,
    facts::{
        Change, Fact, Group, GroupRoleAssignment, MembershipRoleAssignment, Name, ORGANIZATION, Object,
        OrganizationMembership, Resource, Role,
    },
};

use crate::cases::Asked;

const MEMBERS: usize = 20_000;
const DIRECT: usize = 10_000;
const GROUPS: usize = 1_000;
const ROLES: usize = 1_000;
const CHILDREN: usize = 2_000;
const DEPTH: usize = 32;

const PERMISSION: &str = "corner:see";

/// A question about a corner.
#[derive(Debug)]
pub struct Corner {
    pub label: &'static str,
    pub asked: Asked,
}

/// Adds the corners to a graph.
///
/// One group of everybody sees the project `everybody`; on the project `popular` half of them have a role each. One
/// member is in a thousand groups, each with a role on a child of `wide`; another has a thousand roles, on children of
/// `wide`. `deep` is 32 steps below the organization, at the top of which the group of everybody has a role.
pub fn add(graph: &mut Graph) {
    let mut changes = Vec::new();
    let mut apply = |name: String, fact: Fact| {
        changes.push(Change::Apply(Object { name: name.into(), created: None, deleting: false, fact }));
    };
    let resource = |resource_type: &str, parent: Option<&str>, name: &str| {
        Fact::Resource(Resource {
            resource_type: resource_type.into(),
            parent: parent.map(Name::from),
            external_id: name.into(),
        })
    };
    apply("corner".into(), resource(ORGANIZATION, None, "corner"));
    for name in ["everybody", "popular", "wide", "chain-0"] {
        apply(name.into(), resource("corner", Some("corner"), name));
    }
    for child in 0..CHILDREN {
        let name = format!("child-{child}");
        apply(name.clone(), resource("corner", Some("wide"), &name));
    }
    for depth in 1..DEPTH {
        let name = format!("chain-{depth}");
        apply(name.clone(), resource("corner", Some(&format!("chain-{}", depth - 1)), &name));
    }
    let role = Role {
        slug: "corner-viewer".into(),
        resource_type: "corner".into(),
        permissions: vec![PERMISSION.into()],
        organization: None,
    };
    apply("corner-viewer".into(), Fact::Role(role));
    for name in (0..MEMBERS).map(member).chain(["joiner".into(), "holder".into(), "outsider".into()]) {
        let membership = OrganizationMembership {
            organization: "corner".into(),
            user: name.clone(),
            roles: Vec::new(),
            suspended: false,
            directory_groups: Vec::new(),
            sso_groups: Vec::new(),
        };
        apply(name.to_string(), Fact::OrganizationMembership(membership));
    }
    let group = |members| Fact::Group(Group { organization: "corner".into(), members, subgroups: Vec::new() });
    apply("everyone".into(), group((0..MEMBERS).map(member).collect()));
    for number in 0..GROUPS {
        apply(format!("joined-{number}"), group(vec!["joiner".into()]));
    }
    let group_grant = |group: &str, resource: String| {
        Fact::GroupRoleAssignment(GroupRoleAssignment {
            group: group.into(),
            role: "corner-viewer".into(),
            resource: Some(resource.into()),
            expires_at: None,
            condition: None,
        })
    };
    let grant = |membership: Name, resource: String| {
        Fact::MembershipRoleAssignment(MembershipRoleAssignment {
            membership,
            role: "corner-viewer".into(),
            resource: Some(resource.into()),
            expires_at: None,
            condition: None,
        })
    };
    for resource in ["everybody", "chain-0"] {
        apply(format!("everyone-{resource}"), group_grant("everyone", resource.into()));
    }
    for number in 0..DIRECT {
        apply(format!("direct-{number}"), grant(member(number), "popular".into()));
    }
    for number in 0..GROUPS {
        apply(format!("joined-{number}"), group_grant(&format!("joined-{number}"), format!("child-{number}")));
    }
    for number in 0..ROLES {
        apply(format!("held-{number}"), grant("holder".into(), format!("child-{}", 2 * number)));
    }
    graph.apply(&changes);
}

fn member(number: usize) -> Name {
    format!("corner-{number}").into()
}

/// The questions about the corners.
pub fn questions() -> Vec<Corner> {
    let corner = |label, membership: &str, resource: &str, parent: &str| {
        let [membership, permission, resource, parent] = [membership, PERMISSION, resource, parent].map(Name::from);
        Corner { label, asked: Asked { membership, permission, resource, parent } }
    };
    vec![
        corner("a member in 1,000 groups, allowed", "joiner", "child-5", "wide"),
        corner("a member in 1,000 groups, denied", "joiner", "popular", "wide"),
        corner("1,000 roles on one member, allowed", "holder", "child-10", "wide"),
        corner("1,000 roles on one member, denied", "holder", "popular", "wide"),
        corner("a group of 20,000", "corner-7", "everybody", "everybody"),
        corner("a resource with 10,000 direct assignments, allowed", "corner-7", "popular", "popular"),
        corner("a resource with 10,000 direct assignments, denied", "outsider", "popular", "popular"),
        corner("2,000 children below one node", "outsider", "child-7", "wide"),
        corner("a chain of 32", "corner-7", "chain-31", "chain-30"),
    ]
}
