//! A company with workspaces and projects, for the tests of resources and checks.

use crate::support::workos::World;

/// Two organizations. In acme: the workspace `engineering` with the projects `website` and `app`, and the workspace `sales`.
///
/// Alice leads `engineering`; Bob is in the group `viewers`, which views the project `website`; Dora, whose membership is
/// inactive, edits `website`; Erin has nothing but the default role; Carl is in globex. Everybody is there since 2026-01-01
/// and a few seconds.
pub const MANIFESTS: &str = r#"
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: ResourceType, metadata: {name: workspace, creationTimestamp: "2026-01-01T00:00:00Z"}, spec: {displayName: Workspace, permissions: [{slug: "workspace:view", displayName: View workspaces, description: See what is in it}, {slug: "workspace:manage"}]}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: ResourceType, metadata: {name: project, creationTimestamp: "2026-01-01T00:00:01Z"}, spec: {parents: [workspace], permissions: [{slug: "project:view", displayName: View projects}, {slug: "project:edit"}]}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: acme, creationTimestamp: "2026-01-01T00:00:02Z"}, spec: {type: organization, displayName: Acme}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: globex, creationTimestamp: "2026-01-01T00:00:03Z"}, spec: {type: organization, externalId: globex-7}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: engineering, creationTimestamp: "2026-01-01T00:00:04Z"}, spec: {type: workspace, parentRef: {name: acme}, externalId: ws-1, displayName: Engineering, description: Where things are made}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: sales, creationTimestamp: "2026-01-01T00:00:05Z"}, spec: {type: workspace, parentRef: {name: acme}}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: website, creationTimestamp: "2026-01-01T00:00:06Z"}, spec: {type: project, parentRef: {name: engineering}, externalId: proj-1}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: app, creationTimestamp: "2026-01-01T00:00:07Z"}, spec: {type: project, parentRef: {name: engineering}, externalId: proj-2}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: labs, creationTimestamp: "2026-01-01T00:00:08Z"}, spec: {type: workspace, parentRef: {name: globex}, externalId: ws-1}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: workspace-lead, creationTimestamp: "2026-01-01T00:00:09Z"}, spec: {resourceType: workspace, permissions: ["workspace:view", "project:view", "project:edit"]}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: project-editor, creationTimestamp: "2026-01-01T00:00:10Z"}, spec: {resourceType: project, permissions: ["project:view", "project:edit"]}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: project-viewer, creationTimestamp: "2026-01-01T00:00:11Z"}, spec: {resourceType: project, permissions: ["project:view"]}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: auditor, creationTimestamp: "2026-01-01T00:00:12Z"}, spec: {permissions: ["workspace:view", "project:view"]}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: member, creationTimestamp: "2026-01-01T00:00:13Z"}, spec: {permissions: ["reports:read"]}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Environment, metadata: {name: default, creationTimestamp: "2026-01-01T00:00:14Z"}, spec: {defaultRoleRef: {name: member}}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: OrganizationMembership, metadata: {name: alice, creationTimestamp: "2026-01-01T00:00:15Z"}, spec: {organizationRef: {name: acme}, user: {id: user_alice, email: alice@example.com, firstName: Alice, lastName: Adams}}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: OrganizationMembership, metadata: {name: bob, creationTimestamp: "2026-01-01T00:00:16Z"}, spec: {organizationRef: {name: acme}, user: {id: user_bob}}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: OrganizationMembership, metadata: {name: carl, creationTimestamp: "2026-01-01T00:00:17Z"}, spec: {organizationRef: {name: globex}, user: {id: user_carl}, roleRefs: [{name: auditor}]}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: OrganizationMembership, metadata: {name: dora, creationTimestamp: "2026-01-01T00:00:18Z"}, spec: {organizationRef: {name: acme}, user: {id: user_dora}, suspended: true}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: OrganizationMembership, metadata: {name: erin, creationTimestamp: "2026-01-01T00:00:19Z"}, spec: {organizationRef: {name: acme}, user: {id: user_erin}}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: OrganizationMembership, metadata: {name: fred, creationTimestamp: "2026-01-01T00:00:20Z"}, spec: {organizationRef: {name: acme}, user: {id: user_fred}, roleRefs: [{name: auditor}]}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Group, metadata: {name: viewers, creationTimestamp: "2026-01-01T00:00:21Z"}, spec: {organizationRef: {name: acme}, displayName: Viewers, members: [bob]}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: GroupRoleAssignment, metadata: {name: viewers-website, creationTimestamp: "2026-01-01T00:00:22Z"}, spec: {groupRef: {name: viewers}, roleRef: {name: project-viewer}, resourceRef: {name: website}}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: MembershipRoleAssignment, metadata: {name: alice-engineering, creationTimestamp: "2026-01-01T00:00:23Z"}, spec: {membershipRef: {name: alice}, roleRef: {name: workspace-lead}, resourceRef: {name: engineering}}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: MembershipRoleAssignment, metadata: {name: dora-website, creationTimestamp: "2026-01-01T00:00:24Z"}, spec: {membershipRef: {name: dora}, roleRef: {name: project-editor}, resourceRef: {name: website}}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: MembershipRoleAssignment, metadata: {name: opaque-website, creationTimestamp: "2026-01-01T00:00:25Z"}, spec: {membershipRef: {name: nobody-declared-me}, roleRef: {name: project-editor}, resourceRef: {name: website}}}
"#;

/// The world of these manifests.
pub fn world() -> World {
    World::new(MANIFESTS)
}
