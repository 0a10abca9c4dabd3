//! What people see with kubectl.

use crate::support::control_plane::ControlPlane;

const ONE_OF_EACH: &str = "
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Environment
metadata: {name: default}
spec: {multipleRoles: true}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: ResourceType
metadata: {name: project}
spec: {parents: [organization], permissions: [{slug: 'project:edit'}]}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Resource
metadata: {name: acme}
spec: {type: organization}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Resource
metadata: {name: website}
spec: {type: project, parentRef: {name: acme}, externalId: prj-1}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Role
metadata: {name: project-editor}
spec: {resourceType: project, permissions: ['project:edit']}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Group
metadata: {name: designers}
spec: {organizationRef: {name: acme}, members: [alice]}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: GroupRoleAssignment
metadata: {name: designers-edit-website}
spec: {groupRef: {name: designers}, roleRef: {name: project-editor}, resourceRef: {name: website}}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: OrganizationMembership
metadata: {name: alice-at-acme}
spec: {organizationRef: {name: acme}, user: {id: alice}}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: MembershipRoleAssignment
metadata: {name: alice-edits-website}
spec: {membershipRef: {name: alice-at-acme}, roleRef: {name: project-editor}, resourceRef: {name: website}}
";

#[test]
fn get_lists_every_kind_by_category_with_what_it_refers_to() {
    let plane = ControlPlane::shared();
    let namespace = "kubectl-get";
    plane.create_namespace(namespace);
    plane.apply(namespace, ONE_OF_EACH);

    let all = plane.kubectl(&["get", "authz", "--all-namespaces"]).ok();
    for object in [
        "environment.authz.bailiwick.dev/default",
        "resourcetype.authz.bailiwick.dev/project",
        "resource.authz.bailiwick.dev/website",
        "role.authz.bailiwick.dev/project-editor",
        "group.authz.bailiwick.dev/designers",
        "grouproleassignment.authz.bailiwick.dev/designers-edit-website",
        "organizationmembership.authz.bailiwick.dev/alice-at-acme",
        "membershiproleassignment.authz.bailiwick.dev/alice-edits-website",
    ] {
        assert!(all.contains(object), "no {object} in:\n{all}");
    }

    for (name, words) in [
        ("azres", ["TYPE", "website", "project", "acme"]),
        ("azrole", ["project-editor", "project", "READY", "AGE"]),
        ("azgrp", ["designers", "acme", "READY", "AGE"]),
        ("gra", ["designers", "project-editor", "website", "READY"]),
        ("mra", ["alice-at-acme", "project-editor", "website", "READY"]),
        ("azom", ["alice-at-acme", "acme", "alice", "READY"]),
        ("azrt", ["project", "READY", "organization", "AGE"]),
        ("azenv", ["default", "READY", "REASON", "AGE"]),
    ] {
        let table = plane.kubectl(&["get", name, "--namespace", namespace]).ok();
        for word in words {
            assert!(table.contains(word), "no {word} in the table of {name}:\n{table}");
        }
    }

    let with_role = |name: &str| {
        let selector = format!("--field-selector=spec.roleRef.name={name}");
        plane.kubectl(&["get", "mra", "--namespace", namespace, &selector]).ok()
    };
    let selected = with_role("other");
    assert!(!selected.contains("alice"), "the field selector selects too much: {selected}");
    let selected = with_role("project-editor");
    assert!(selected.contains("alice-edits-website"), "the field selector selects too little: {selected}");
}

#[test]
fn explain_reads_well() {
    let plane = ControlPlane::shared();
    let text = plane.kubectl(&["explain", "resource.spec", "--api-version=authz.bailiwick.dev/v1alpha1"]).ok();
    for word in ["KIND:       Resource", "parentRef", "externalId", "type\t<string> -required-"] {
        assert!(text.contains(word), "no {word} in:\n{text}");
    }
    assert!(!text.contains("Auto-generated") && !text.contains("<no description>"), "{text}");
}
