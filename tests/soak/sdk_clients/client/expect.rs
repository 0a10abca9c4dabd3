//! What a client asks after it has written, and how it sends.

use std::time::Instant;

use workos::{authorization as authz, groups::ListGroupOrganizationMembershipsParams};

use super::{
    super::model::{Member, Place},
    Client, Failure, RETRY_AFTER, Written, list_options, sorted,
};
use crate::{support::wait::PATIENCE, workos::sdk_rust::client::by_id};

impl Client {
    /// What the members may do on a resource, asked in three ways.
    pub(super) async fn expect_access(&self, after: &str, place: Place) {
        let api = self.world.client.authorization();
        let (resource, permission) = (self.model.id(place), &self.permissions[0]);
        for (index, member) in self.model.members.iter().enumerate() {
            let expected = self.model.allows(index, place);
            let check = async || Ok(self.world.check(&member.id, permission, by_id(&resource)).await?);
            self.expect(after, &format!("check of {} on {place:?}", member.user), expected, check).await;
            let permissions = async || {
                let params = list_options(|list: &mut authz::ListEffectivePermissionsParams| list.limit = Some(100));
                let listed = api.list_effective_permissions(&member.id, &resource, params).await?;
                Ok(listed.data.iter().any(|listed| listed.slug == *permission))
            };
            self.expect(after, &format!("permissions of {} on {place:?}", member.user), expected, permissions).await;
        }
    }

    /// The same on all resources, but each asked only whether one of the members may.
    pub(super) async fn expect_some_access(&self, after: &str) {
        for place in self.model.places() {
            for (index, member) in self.model.members.iter().enumerate() {
                let resource = self.model.id(place);
                let check = async || Ok(self.world.check(&member.id, &self.permissions[0], by_id(&resource)).await?);
                let what = format!("check of {} on {place:?}", member.user);
                self.expect(after, &what, self.model.allows(index, place), check).await;
            }
        }
    }

    pub(super) async fn expect_shared_role(&self, after: &str, member: usize) {
        let Member { id, user, active, .. } = &self.model.members[member];
        let target = authz::ResourceTarget::ByExternalId {
            resource_external_id: self.pair.organization.clone(),
            resource_type_slug: "organization".to_owned(),
        };
        let check = async || Ok(self.world.check(id, &self.permissions[1], target.clone()).await?);
        let expected = *active && self.model.shared_role;
        self.expect(after, &format!("check of {user} on the organization"), expected, check).await;
    }

    /// The members of the client that a group lists.
    pub(super) async fn expect_members(&self, after: &str, group: usize) {
        let members = self.model.members.iter().filter(|member| member.groups[group]);
        let expected = sorted(members.map(|member| member.id.clone()).collect());
        let listed = async || {
            let params = list_options(|list: &mut ListGroupOrganizationMembershipsParams| list.limit = Some(100));
            let api = self.world.client.groups();
            let id = &self.model.groups[group];
            let listed = api.list_group_organization_memberships(&self.pair.organization, id, params).await?;
            let ids = listed.data.into_iter().map(|member| member.id);
            Ok(sorted(ids.filter(|id| self.model.members.iter().any(|member| member.id == *id)).collect()))
        };
        self.expect(after, &format!("members of group {group}"), expected, listed).await;
    }

    /// The assignments of a group that give a role of the client.
    pub(super) async fn expect_group_assignments(&self, after: &str, group: usize) {
        let places = self.model.by_group.iter().filter(|(of, _)| *of == group);
        let expected = sorted(places.map(|(_, place)| self.model.id(*place)).collect());
        let listed = async || {
            let params = list_options(|list: &mut authz::ListGroupRoleAssignmentsParams| list.limit = Some(100));
            let api = self.world.client.authorization();
            let listed = api.list_group_role_assignments(&self.model.groups[group], params).await?;
            let own = listed.data.into_iter().filter(|listed| self.roles.contains(&listed.role.slug));
            Ok(sorted(own.map(|listed| listed.resource.id).collect()))
        };
        self.expect(after, &format!("assignments of group {group}"), expected, listed).await;
    }

    /// The direct assignments of a membership.
    pub(super) async fn expect_assignments(&self, after: &str, member: usize) {
        let places = self.model.direct.iter().filter(|(of, _)| *of == member);
        let expected = sorted(places.map(|(_, place)| self.model.id(*place)).collect());
        let listed = async || {
            let params = list_options(|list: &mut authz::ListRoleAssignmentsParams| list.limit = Some(100));
            let api = self.world.client.authorization();
            let listed = api.list_role_assignments(&self.model.members[member].id, params).await?;
            let own = listed.data.into_iter().filter(|listed| {
                self.roles.contains(&listed.role.slug) && listed.source.group_role_assignment_id.is_none()
            });
            Ok(sorted(own.map(|listed| listed.resource.id).collect()))
        };
        self.expect(after, &format!("assignments of {}", self.model.members[member].user), expected, listed).await;
    }

    /// The projects of a workspace.
    pub(super) async fn expect_children(&self, after: &str, workspace: usize) {
        let projects = self.model.projects.values().filter(|project| project.workspace == workspace);
        let expected = sorted(projects.map(|project| project.id.clone()).collect());
        let listed = async || {
            let parent = authz::Parent::ById { parent_resource_id: self.model.workspaces[workspace].clone() };
            let params = list_options(|list: &mut authz::ListResourcesParams| {
                list.limit = Some(100);
                list.parent = Some(parent);
            });
            let listed = self.world.client.authorization().list_resources(params).await?;
            Ok(sorted(listed.data.into_iter().map(|resource| resource.id).collect()))
        };
        self.expect(after, &format!("children of workspace {workspace}"), expected, listed).await;
    }

    pub(super) async fn find(&self, external_id: &str, kind: &str) -> Option<String> {
        let api = self.world.client.authorization();
        let find = async || match api.get_resource_by_external_id(&self.pair.organization, kind, external_id).await {
            Ok(found) => Ok(Some(found.id)),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error.into()),
        };
        self.read("find a resource", find).await.flatten()
    }

    pub(super) async fn expect<T: PartialEq + std::fmt::Debug>(
        &self,
        after: &str,
        what: &str,
        expected: T,
        request: impl AsyncFn() -> Result<T, Failure>,
    ) {
        if let Some(answer) = self.read(&format!("{after}: {what}"), request).await
            && answer != expected
        {
            self.complain(format!("{after}: stale: {what}: {answer:?} instead of {expected:?}"));
        }
    }

    pub(super) async fn expect_gone<T: std::fmt::Debug>(
        &self,
        what: &str,
        request: impl AsyncFn() -> Result<T, Failure>,
    ) {
        let gone = async || match request().await {
            Err(Failure { status: Some(404), .. }) => Ok(None),
            other => other.map(Some),
        };
        if let Some(Some(found)) = self.read(what, gone).await {
            self.complain(format!("stale: {what}: {found:?}"));
        }
    }

    pub(super) async fn read<T>(&self, what: &str, request: impl AsyncFn() -> Result<T, Failure>) -> Option<T> {
        match self.write(what, request).await? {
            Written::Now(answer) => Some(answer),
            Written::Before => None,
        }
    }

    /// Sends until it is done or refused for good. None: refused, of which it complains.
    pub(super) async fn write<T>(
        &self,
        what: &str,
        request: impl AsyncFn() -> Result<T, Failure>,
    ) -> Option<Written<T>> {
        let started = Instant::now();
        let mut repeated = false;
        loop {
            let failure = match request().await {
                Ok(answer) => return Some(Written::Now(answer)),
                Err(failure) => failure,
            };
            if failure.passes_by_itself() && started.elapsed() < PATIENCE {
                repeated = true;
                tokio::time::sleep(RETRY_AFTER).await;
            } else if repeated && matches!(failure.status, Some(404 | 409)) {
                return Some(Written::Before);
            } else {
                self.complain(format!("{what}: {}", failure.text));
                return None;
            }
        }
    }

    pub(super) fn complain(&self, mut complaint: String) {
        complaint.insert_str(0, &format!("client {}: ", self.number));
        self.complaints.lock().unwrap().push(complaint);
    }
}
