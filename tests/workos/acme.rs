//! Two small organizations, for the tests of roles and role assignments.

use crate::support::workos::World;

/// Types, roles, two organizations with memberships, a group, and a project in a workspace.
pub const MANIFESTS: &str = r"
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Environment
metadata: {name: default, creationTimestamp: 2026-01-01T00:00:00Z}
spec: {defaultRoleRef: {name: member}}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: ResourceType
metadata: {name: organization, creationTimestamp: 2026-01-01T00:00:00Z}
spec: {permissions: [{slug: 'organization:manage'}]}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: ResourceType
metadata: {name: workspace, creationTimestamp: 2026-01-01T00:00:01Z}
spec: {permissions: [{slug: 'workspace:edit', displayName: Edit workspaces, description: All of them.}]}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: ResourceType
metadata: {name: project, creationTimestamp: 2026-01-01T00:00:02Z}
spec: {parents: [workspace], permissions: [{slug: 'project:view'}, {slug: 'project:edit'}]}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Role
metadata: {name: member, creationTimestamp: 2026-01-01T00:00:00Z}
spec: {displayName: Member}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Role
metadata: {name: admin, creationTimestamp: 2026-01-01T00:00:01Z}
spec: {permissions: ['organization:manage']}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Role
metadata: {name: workspace-admin, creationTimestamp: 2026-01-01T00:00:02Z}
spec: {resourceType: workspace, permissions: ['workspace:edit', 'project:edit']}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Role
metadata: {name: project-viewer, creationTimestamp: 2026-01-01T00:00:03Z}
spec: {resourceType: project, permissions: ['project:view']}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Role
metadata: {name: globex-lead, creationTimestamp: 2026-01-01T00:00:04Z}
spec: {slug: org-lead, organizationRef: {name: globex}}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Resource
metadata: {name: acme, creationTimestamp: 2026-01-01T00:00:00Z}
spec: {type: organization, externalId: acme-1}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Resource
metadata: {name: globex, creationTimestamp: 2026-01-01T00:00:00Z}
spec: {type: organization}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Resource
metadata: {name: tools, creationTimestamp: 2026-01-01T00:00:00Z}
spec: {type: workspace, parentRef: {name: acme}, externalId: 'ws/tools 1'}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Resource
metadata: {name: website, creationTimestamp: 2026-01-01T00:00:00Z}
spec: {type: project, parentRef: {name: tools}, externalId: web-1}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Resource
metadata: {name: globex-tools, creationTimestamp: 2026-01-01T00:00:00Z}
spec: {type: workspace, parentRef: {name: globex}}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: OrganizationMembership
metadata: {name: alice, creationTimestamp: 2026-01-01T00:00:00Z}
spec: {organizationRef: {name: acme}, user: {id: user_alice}}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: OrganizationMembership
metadata: {name: bob, creationTimestamp: 2026-01-01T00:00:01Z}
spec: {organizationRef: {name: acme}, user: {id: user_bob}}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: OrganizationMembership
metadata: {name: carol, creationTimestamp: 2026-01-01T00:00:02Z}
spec: {organizationRef: {name: globex}, user: {id: user_carol}}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Group
metadata: {name: devs, creationTimestamp: 2026-01-01T00:00:00Z}
spec: {organizationRef: {name: acme}, members: [alice, bob], displayName: Developers}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Group
metadata: {name: globex-devs, creationTimestamp: 2026-01-01T00:00:00Z}
spec: {organizationRef: {name: globex}, members: [carol]}
";

/// The world of these manifests.
pub fn world() -> World {
    World::new(MANIFESTS)
}

/// The same, but that a membership may have several roles on its organization.
pub fn multiple_roles() -> World {
    let setting = "spec: {defaultRoleRef: {name: member}}";
    World::new(&MANIFESTS.replace(setting, "spec: {defaultRoleRef: {name: member}, multipleRoles: true}"))
}
