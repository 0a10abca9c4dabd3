//! The manifests that the scenarios create, and trees of them.

use serde_json::{Value, json};

/// An organization.
pub fn organization(name: &str) -> Value {
    json!({"kind": "Resource", "metadata": {"name": name}, "spec": {"type": "organization"}})
}

/// Any other resource.
pub fn resource(name: &str, resource_type: &str, parent: &str) -> Value {
    let spec = json!({"type": resource_type, "parentRef": {"name": parent}});
    json!({"kind": "Resource", "metadata": {"name": name}, "spec": spec})
}

/// A role of all organizations.
pub fn role(name: &str, resource_type: &str, permissions: &[&str]) -> Value {
    let spec = json!({"resourceType": resource_type, "permissions": permissions});
    json!({"kind": "Role", "metadata": {"name": name}, "spec": spec})
}

/// A group.
pub fn group(name: &str, organization: &str, members: &[String]) -> Value {
    let spec = json!({"organizationRef": {"name": organization}, "members": members});
    json!({"kind": "Group", "metadata": {"name": name}, "spec": spec})
}

/// A membership of the user of the same name.
pub fn membership(name: &str, organization: &str) -> Value {
    let spec = json!({"organizationRef": {"name": organization}, "user": {"id": name}});
    json!({"kind": "OrganizationMembership", "metadata": {"name": name}, "spec": spec})
}

/// A role for a membership.
pub fn membership_assignment(name: &str, membership: &str, role: &str, resource: &str) -> Value {
    let spec = json!({
        "membershipRef": {"name": membership}, "roleRef": {"name": role}, "resourceRef": {"name": resource},
    });
    json!({"kind": "MembershipRoleAssignment", "metadata": {"name": name}, "spec": spec})
}

/// A role for a group.
pub fn group_assignment(name: &str, group: &str, role: &str, resource: &str) -> Value {
    let spec = json!({"groupRef": {"name": group}, "roleRef": {"name": role}, "resourceRef": {"name": resource}});
    json!({"kind": "GroupRoleAssignment", "metadata": {"name": name}, "spec": spec})
}

/// How many children a folder has.
const FANOUT: usize = 10;
/// How many groups share the assignments of a tree.
pub const GROUPS: usize = 40;

/// The descendant of a folder that [`tree`] makes last, which lies deepest.
pub fn deepest(root: &str, descendants: usize) -> String {
    format!("{root}-{}", descendants - 1)
}

/// A folder with descendants, and assignments of the role `viewer` on these, all different: to memberships, and every
/// tenth to one of the groups `readers-0` to `readers-39`.
pub fn tree(root: &str, parent: &str, descendants: usize, assignments: usize) -> Vec<Value> {
    let node = |index: usize| format!("{root}-{index}");
    let folders = (0..descendants).map(|index| {
        let above = if index == 0 { root.to_owned() } else { node((index - 1) / FANOUT) };
        resource(&node(index), "folder", &above)
    });
    let grants = (0..assignments).map(|index| {
        let (name, folder, round) = (format!("{root}-grant-{index}"), node(index % descendants), index / descendants);
        if index % 10 == 0 {
            assert!(round < GROUPS, "there are not enough groups");
            group_assignment(&name, &format!("readers-{round}"), "viewer", &folder)
        } else {
            membership_assignment(&name, &format!("reader-{round}-{}", index % 97), "viewer", &folder)
        }
    });
    [resource(root, "folder", parent)].into_iter().chain(folders).chain(grants).collect()
}

/// What all trees need: the organization `acme`, the type `folder`, the role `viewer` that has `folder:view`, the
/// groups, and the settings.
pub fn surroundings() -> Vec<Value> {
    let mut all = vec![
        organization("acme"),
        role("viewer", "folder", &["folder:view"]),
        json!({"kind": "ResourceType", "metadata": {"name": "folder"},
            "spec": {"parents": ["organization", "folder"], "permissions": [{"slug": "folder:view"}]}}),
        json!({"kind": "Environment", "metadata": {"name": "default"}, "spec": {"multipleRoles": true}}),
    ];
    let members = |index: usize| [format!("member-{index}"), "everywhere".to_owned()];
    all.extend((0..GROUPS).map(|index| group(&format!("readers-{index}"), "acme", &members(index))));
    all
}
