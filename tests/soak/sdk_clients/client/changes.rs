//! What a client writes.

use futures::future::join;
use rand::Rng as _;
use serde_json::{Value, json};
use workos::{RequestOptions, authorization as authz, organization_membership as om};

use super::{
    super::model::{Member, Place, Project, TWO},
    Client, Failure, Written, join_organization, list_options,
};
use crate::workos::sdk_rust::client::{World, by_id, value};

impl Client {
    pub(super) async fn create_project(&mut self) {
        self.last_project += 1;
        let number = self.last_project;
        let workspace = self.rng.random_range(0..TWO);
        let external_id = format!("project-{}-{number}", self.number);
        let mut body = authz::CreateResourceParamsBody::new(
            external_id.as_str(),
            external_id.as_str(),
            "project",
            self.pair.organization.as_str(),
        );
        body.parent_resource =
            Some(authz::ParentResource::ById { parent_resource_id: self.model.workspaces[workspace].clone() });
        let params = authz::CreateResourceParams::new(body);
        let options = RequestOptions::new().idempotency_key(format!("{external_id}-{}", self.world.unique("key")));
        let api = self.world.client.authorization();
        let create = async || Ok(api.create_resource_with_options(params.clone(), Some(&options)).await?);
        let Some(written) = self.write("create a project", create).await else { return };
        let known = api.get_resource_by_external_id(&self.pair.organization, "project", &external_id);
        let id = match (written, known.await) {
            (Written::Now(made), _) => made.id,
            (Written::Before, Ok(found)) => found.id,
            (Written::Before, Err(error)) => return self.complain(format!("{external_id} is not there: {error}")),
        };
        self.model.projects.insert(number, Project { id: id.clone(), workspace, document: None });
        if self.rng.random_bool(0.3)
            && let Some(Written::Now(again)) = self.write("repeat a creation", create).await
            && again.id != id
        {
            self.complain(format!("repeated with its key, the creation of {id} made {}", again.id));
        }
        self.expect_children("create a project", workspace).await;
        self.expect_access("create a project", Place::Project(number)).await;
        if self.rng.random_bool(0.5) {
            let name = format!("document-{}-{number}", self.number);
            let create =
                async || Ok(self.world.try_resource(&self.pair.organization, "document", &name, Some(&id)).await?.id);
            let document = match self.write("create a document", create).await {
                Some(Written::Now(id)) => Some(id),
                Some(Written::Before) => self.find(&name, "document").await,
                None => None,
            };
            self.model.projects.get_mut(&number).expect("it was inserted").document = document;
        }
    }

    /// Creates one thing twice at the same time, at two replicas; and again as soon as it is deleted.
    pub(super) async fn compete(&self) {
        let name = self.world.unique(&format!("race-{}", self.number));
        for _ in 0..2 {
            self.compete_for(&name).await;
        }
    }

    pub(super) async fn compete_for(&self, name: &str) {
        let (organization, workspace) = (&self.pair.organization, &self.model.workspaces[0]);
        let create = async |world: &World| {
            let made = world.try_resource(organization, "project", name, Some(workspace)).await;
            made.map_or_else(|error| error.status(), |_| Some(201))
        };
        let (here, there) = join(create(&self.world), create(&self.partner)).await;
        // After no answer, or 503, nobody knows whether it was created.
        let is_known = ![here, there].iter().any(|status| matches!(status, None | Some(503)));
        if is_known && !matches!((here, there), (Some(201), Some(409)) | (Some(409), Some(201))) {
            self.complain(format!("two creations of {name} were answered with {here:?} and {there:?}"));
        }
        let found = self.find(name, "project").await;
        if found.is_none() && is_known {
            self.complain(format!("{name} is not found after creations with {here:?} and {there:?}"));
        }
        let api = self.world.client.authorization();
        let delete = async || {
            let params = authz::DeleteResourceByExternalIdParams { cascade_delete: Some(false) };
            Ok(api.delete_resource_by_external_id(organization, "project", name, params).await?)
        };
        if found.is_some() {
            self.write("delete what was created twice", delete).await;
        }
        if let Some(id) = self.find(name, "project").await {
            self.complain(format!("{name} is still there after it was deleted, as {id}"));
        }
    }

    pub(super) async fn change_assignment(&mut self, member: usize, place: Place) {
        let (membership, resource) = (self.model.members[member].id.clone(), self.model.id(place));
        let role = self.roles[place.role()].clone();
        let api = self.world.client.authorization();
        if self.model.direct.contains(&(member, place)) {
            let written = if self.rng.random_bool(0.5) {
                let body = authz::RemoveRoleParamsBody::new(&role, by_id(&resource));
                let params = authz::RemoveRoleParams::new(body);
                let remove = async || Ok(api.remove_role(&membership, params.clone()).await?);
                self.write("remove a role", remove).await
            } else {
                let params = authz::ListRoleAssignmentsForResourceParams {
                    role_slug: Some(role.clone()),
                    limit: Some(100),
                    ..Default::default()
                };
                let listed = self.read("find an assignment", async || {
                    Ok(api.list_role_assignments_for_resource(&resource, params.clone()).await?)
                });
                let Some(listed) = listed.await else { return };
                let of_member = listed.data.iter().find(|assignment| {
                    assignment.organization_membership_id == membership && assignment.source.group.is_none()
                });
                let Some(assignment) = of_member else {
                    return self.complain(format!("{role} for {membership} is not listed on {resource}"));
                };
                let remove = async || Ok(api.remove_role_assignment(&membership, &assignment.id).await?);
                self.write("remove an assignment", remove).await
            };
            if written.is_none() {
                return;
            }
            self.model.direct.remove(&(member, place));
        } else {
            let assign = async || Ok(self.world.assign(&membership, &role, by_id(&resource)).await?);
            if self.write("assign a role", assign).await.is_none() {
                return;
            }
            self.model.direct.insert((member, place));
        }
        self.expect_access("assign or remove a role", place).await;
        self.expect_assignments("assign or remove a role", member).await;
    }

    pub(super) async fn change_membership_of_group(&mut self, member: usize, group: usize) {
        let (membership, id) = (self.model.members[member].id.clone(), self.model.groups[group].clone());
        let organization = self.pair.organization.clone();
        let joins = !self.model.members[member].groups[group];
        let written = if joins {
            let join = async || Ok(self.world.join(&organization, &id, &membership).await?);
            self.write("add a member", join).await.is_some()
        } else {
            let api = self.world.client.groups();
            let leave = async || Ok(api.delete_group_organization_membership(&organization, &id, &membership).await?);
            self.write("remove a member", leave).await.is_some()
        };
        if written {
            self.model.members[member].groups[group] = joins;
            self.expect_members("add or remove a member", group).await;
            self.expect_some_access("add or remove a member").await;
        }
    }

    /// Turns over who is in the group of the pair, at one stroke.
    pub(super) async fn patch_members(&mut self) {
        let (mut add, mut remove) = (Vec::new(), Vec::new());
        for member in &self.model.members {
            if member.groups[1] { remove.push(member.id.clone()) } else { add.push(member.id.clone()) }
        }
        let path = format!(
            "/organizations/{}/groups/{}/organization-memberships",
            self.pair.organization, self.model.groups[1]
        );
        let body = json!({"add": add, "remove": remove});
        let change = async || self.endpoint.patch(&path, &body).await;
        if self.write("change members", change).await.is_some() {
            for member in &mut self.model.members {
                member.groups[1] = !member.groups[1];
            }
            self.expect_members("change members", 1).await;
            self.expect_some_access("change members").await;
        }
    }

    pub(super) async fn change_role(&mut self) {
        let index = self.rng.random_range(0..TWO);
        let (role, permission) = (self.roles[index].clone(), self.permissions[0].clone());
        let api = self.world.client.authorization();
        let grants = !self.model.roles[index];
        let written = if grants && self.rng.random_bool(0.5) {
            let params = authz::AddEnvironmentRolePermissionParams::new(value(json!({"slug": permission})));
            let add = async || Ok(api.add_environment_role_permission(&role, params.clone()).await?);
            self.write("add a permission", add).await
        } else {
            let permissions: &[&str] = if grants { &[&permission] } else { &[] };
            let params = authz::SetEnvironmentRolePermissionsParams::new(value(json!({"permissions": permissions})));
            let set = async || Ok(api.set_environment_role_permissions(&role, params.clone()).await?);
            self.write("set permissions", set).await
        };
        if written.is_none() {
            return;
        }
        self.model.roles[index] = grants;
        self.expect_some_access("change a role").await;
        let read = self.read("read a role", async || Ok(api.get_environment_role(&role).await?)).await;
        if let Some(read) = read
            && read.permissions.contains(&permission) != grants
        {
            self.complain(format!("change a role: stale: {role} has {:?}", read.permissions));
        }
    }

    pub(super) async fn change_shared_role(&mut self, member: usize) {
        let api = self.world.client.authorization();
        let (organization, role) = (self.pair.organization.clone(), self.pair.role.clone());
        let permission = self.permissions[1].clone();
        let grants = !self.model.shared_role;
        let written = if grants {
            let params = authz::AddOrganizationRolePermissionParams::new(value(json!({"slug": permission})));
            let add = async || Ok(api.add_organization_role_permission(&organization, &role, params.clone()).await?);
            self.write("add a permission to the role of the pair", add).await
        } else {
            let remove =
                async || Ok(api.remove_organization_role_permission(&organization, &role, &permission).await?);
            self.write("remove a permission from the role of the pair", remove).await
        };
        if written.is_some() {
            self.model.shared_role = grants;
            self.expect_shared_role("change the role of the pair", member).await;
        }
    }

    pub(super) async fn replace_group_assignments(&mut self) {
        let mut places = self.model.places();
        places.retain(|_| self.rng.random_bool(0.4));
        let entries: Vec<Value> = places.iter().map(|place| self.entry(*place)).collect();
        let params = authz::UpdateGroupRoleAssignmentsParams::new(value(json!({"role_assignments": entries})));
        let group = self.model.groups[0].clone();
        let api = self.world.client.authorization();
        let replace = async || Ok(api.update_group_role_assignments(&group, params.clone()).await?);
        if self.write("replace the assignments of a group", replace).await.is_some() {
            self.model.by_group.retain(|(group, _)| *group != 0);
            self.model.by_group.extend(places.into_iter().map(|place| (0, place)));
            self.expect_group_assignments("replace the assignments of a group", 0).await;
            self.expect_some_access("replace the assignments of a group").await;
        }
    }

    /// Takes one assignment from the group of the pair and gives it another, at one stroke.
    pub(super) async fn patch_group_assignments(&mut self, place: Place) {
        let had: Vec<Place> =
            self.model.by_group.iter().filter(|(group, _)| *group == 1).map(|(_, place)| *place).collect();
        let remove: Vec<Place> = had.into_iter().filter(|had| *had != place).take(2).collect();
        let entries = |places: &[Place]| places.iter().map(|place| self.entry(*place)).collect::<Vec<_>>();
        let body = json!({"add": entries(&[place]), "remove": entries(&remove)});
        let path = format!("/authorization/groups/{}/role_assignments", self.model.groups[1]);
        let change = async || self.endpoint.patch(&path, &body).await;
        if self.write("change the assignments of a group", change).await.is_some() {
            self.model.by_group.retain(|(group, place)| *group != 1 || !remove.contains(place));
            self.model.by_group.insert((1, place));
            self.expect_group_assignments("change the assignments of a group", 1).await;
            self.expect_access("change the assignments of a group", place).await;
        }
    }

    pub(super) async fn change_group_assignment(&mut self, group: usize, place: Place) {
        let (id, resource) = (self.model.groups[group].clone(), self.model.id(place));
        let role = self.roles[place.role()].clone();
        if self.model.by_group.contains(&(group, place)) {
            let params = authz::DeleteGroupRoleAssignmentsParams::new(value(self.entry(place)));
            let api = self.world.client.authorization();
            let delete = async || Ok(api.delete_group_role_assignments(&id, params.clone()).await?);
            if self.write("delete an assignment of a group", delete).await.is_none() {
                return;
            }
            self.model.by_group.remove(&(group, place));
        } else {
            let create = async || Ok(self.world.assign_group(&id, &role, Some(&resource)).await?);
            if self.write("create an assignment of a group", create).await.is_none() {
                return;
            }
            self.model.by_group.insert((group, place));
        }
        self.expect_group_assignments("change an assignment of a group", group).await;
        self.expect_access("change an assignment of a group", place).await;
    }

    pub(super) async fn suspend_or_resume(&mut self, member: usize) {
        let api = self.world.client.organization_membership();
        let Member { id, active, .. } = self.model.members[member].clone();
        let change = async || {
            if active {
                api.deactivate_organization_membership(&id).await?;
            } else {
                api.reactivate_organization_membership(&id).await?;
            }
            Ok(())
        };
        if self.write("suspend or resume a membership", change).await.is_some() {
            self.model.members[member].active = !active;
            self.expect_some_access("suspend or resume a membership").await;
            self.expect_shared_role("suspend or resume a membership", member).await;
        }
    }

    /// Deletes a membership, and lets the user join anew: nothing of what there was comes back.
    pub(super) async fn renew_membership(&mut self, member: usize) {
        let api = self.world.client.organization_membership();
        let Member { id, user, .. } = self.model.members[member].clone();
        let delete = async || Ok(api.delete_organization_membership(&id).await?);
        if self.write("delete a membership", delete).await.is_none() {
            return;
        }
        let target = by_id(&self.model.workspaces[0]);
        let permission = self.permissions[0].clone();
        self.expect_gone("a deleted membership", async || {
            Ok(self.world.check(&id, &permission, target.clone()).await?)
        })
        .await;
        let organization = self.pair.organization.clone();
        let create = async || Ok(join_organization(&self.world, &organization, &user, &self.pair.role).await?);
        let Some(written) = self.write("create a membership again", create).await else { return };
        let created = match written {
            Written::Now(created) => created,
            Written::Before => {
                let params = om::ListOrganizationMembershipsParams {
                    user_id: Some(user.clone()),
                    organization_id: Some(organization.clone()),
                    ..Default::default()
                };
                let list = async || Ok(api.list_organization_memberships(params.clone()).await?);
                let Some(listed) = self.read("find a membership", list).await else { return };
                let Some(found) = listed.data.first() else {
                    return self.complain(format!("{user} has no membership after it was created"));
                };
                found.id.clone()
            }
        };
        self.model.members[member] = Member { id: created, user, active: true, groups: [false; TWO] };
        self.model.direct.retain(|(of, _)| *of != member);
        self.expect_assignments("renew a membership", member).await;
        self.expect_members("renew a membership", 0).await;
        self.expect_members("renew a membership", 1).await;
        self.expect_some_access("renew a membership").await;
    }

    /// Deletes the own group, and makes one of the same name: nothing of what there was comes back.
    pub(super) async fn renew_group(&mut self) {
        let api = self.world.client.groups();
        let (organization, id) = (self.pair.organization.clone(), self.model.groups[0].clone());
        let delete = async || Ok(api.delete_organization_group(&organization, &id).await?);
        if self.write("delete a group", delete).await.is_none() {
            return;
        }
        self.model.by_group.retain(|(group, _)| *group != 0);
        for member in &mut self.model.members {
            member.groups[0] = false;
        }
        self.expect_some_access("delete a group").await;
        let name = format!("Group {}", self.number);
        let params = workos::groups::CreateOrganizationGroupParams::new(value(json!({"name": name})));
        let found = async || {
            let search = list_options(|list: &mut workos::groups::ListOrganizationGroupsParams| {
                list.limit = Some(100);
                list.search = Some(name.clone());
            });
            let listed = api.list_organization_groups(&organization, search).await?;
            Ok::<_, Failure>(listed.data.into_iter().find(|group| group.name == name))
        };
        let create = async || {
            // A name is no identity: who does not know whether a group was created has to look.
            if let Some(group) = found().await? {
                return Ok(group.id);
            }
            Ok(api.create_organization_group(&organization, params.clone()).await?.id)
        };
        if let Some(Written::Now(created)) = self.write("create a group again", create).await {
            self.model.groups[0] = created;
            self.expect_members("renew a group", 0).await;
            self.expect_group_assignments("renew a group", 0).await;
            self.expect_some_access("renew a group").await;
        }
    }

    pub(super) async fn move_project(&mut self, number: u32) {
        let Project { id, workspace, .. } = self.model.projects[&number].clone();
        let other = 1 - workspace;
        let mut body = authz::UpdateResourceParamsBody::new();
        body.parent_resource =
            Some(authz::ParentResource::ById { parent_resource_id: self.model.workspaces[other].clone() });
        let params = authz::UpdateResourceParams::new(body);
        let api = self.world.client.authorization();
        let update = async || Ok(api.update_resource(&id, params.clone()).await?);
        if self.write("move a project", update).await.is_some() {
            self.model.projects.get_mut(&number).expect("it is there").workspace = other;
            self.expect_children("move a project", workspace).await;
            self.expect_children("move a project", other).await;
            self.expect_access("move a project", Place::Project(number)).await;
        }
    }

    pub(super) async fn delete_project(&mut self, number: u32) {
        let Project { id, workspace, document } = self.model.projects[&number].clone();
        let api = self.world.client.authorization();
        let delete =
            async || Ok(api.delete_resource(&id, authz::DeleteResourceParams { cascade_delete: Some(true) }).await?);
        if self.write("delete a project", delete).await.is_none() {
            return;
        }
        self.model.forget_project(number);
        for gone in [Some(id), document].into_iter().flatten() {
            let membership = self.model.members[0].id.clone();
            let (target, permission) = (by_id(&gone), self.permissions[0].clone());
            self.expect_gone("a deleted resource", async || Ok(api.get_resource(&gone).await?)).await;
            self.expect_gone("a check on a deleted resource", async || {
                Ok(self.world.check(&membership, &permission, target.clone()).await?)
            })
            .await;
        }
        self.expect_children("delete a project", workspace).await;
        for member in 0..TWO {
            self.expect_assignments("delete a project", member).await;
        }
        for group in 0..TWO {
            self.expect_group_assignments("delete a project", group).await;
        }
    }

    pub(super) fn entry(&self, place: Place) -> Value {
        json!({"role_slug": self.roles[place.role()], "resource_id": self.model.id(place)})
    }
}
