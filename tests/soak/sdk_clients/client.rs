//! A client that writes with the SDK, and asks at once whether what it wrote is so.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures::future::join;
use rand::{Rng as _, rngs::SmallRng, seq::IndexedRandom as _};
use serde_json::{Value, json};
use workos::{
    Error, RequestOptions, authorization as authz, groups::ListGroupOrganizationMembershipsParams,
    organization_membership as om,
};

use super::{
    model::{Member, Model, Place, Project, TWO},
    transport::{Endpoint, PLACEHOLDER, ToEndpoint},
};
use crate::{
    support::wait::PATIENCE,
    workos::sdk_rust::client::{World, by_id, value},
};

/// How long a client waits before it sends again what was not done.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// How many projects a client has at the most.
const MAX_PROJECTS: usize = 6;

/// Why a request was not done.
#[derive(Debug)]
pub struct Failure {
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// What it says.
    pub text: String,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { status: error.status(), text: error.to_string() }
    }
}

impl Failure {
    fn passes_by_itself(&self) -> bool {
        matches!(self.status, None | Some(503))
    }
}

/// What a write did.
#[derive(Debug)]
enum Written<T> {
    /// It was done, with this answer.
    Now(T),
    /// It had been done by a request that was not answered, or with 503.
    Before,
}

/// What was not as it must be.
pub type Complaints = Arc<Mutex<Vec<String>>>;

/// Who shares a group and a role of an organization.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The id of the organization.
    pub organization: String,
    /// The id of the group.
    pub group: String,
    /// The slug of the role.
    pub role: String,
}

/// A client.
pub struct Client {
    /// Tells it from the others.
    pub number: usize,
    /// What must be so.
    pub model: Model,
    /// With whom it shares what.
    pub pair: Pair,
    world: World,
    partner: World,
    endpoint: Arc<Endpoint>,
    rng: SmallRng,
    complaints: Complaints,
    /// Its permission on projects and on what is above them, and its permission on organizations.
    permissions: [String; 2],
    /// Its roles, for workspaces and for projects.
    roles: [String; TWO],
    last_project: u32,
}

fn list_options<T: Default>(change: impl FnOnce(&mut T)) -> T {
    let mut parameters = T::default();
    change(&mut parameters);
    parameters
}

impl Client {
    /// Makes what belongs to a client alone. Its pair must be known to both replicas.
    pub async fn new(
        number: usize,
        (endpoint, partner): (&Arc<Endpoint>, &Arc<Endpoint>),
        pair: Pair,
        rng: SmallRng,
        complaints: Complaints,
    ) -> Self {
        let world = World::over(PLACEHOLDER, Arc::new(ToEndpoint(Arc::clone(endpoint))));
        let partner = World::over(PLACEHOLDER, Arc::new(ToEndpoint(Arc::clone(partner))));
        // All clients write into two objects here.
        let permissions = [
            world.permission(&format!("project:see-{number}"), "project").await,
            world.permission(&format!("organization:see-{number}"), "organization").await,
        ];
        let roles = [
            world.role(&format!("keeper-{number}"), "workspace", &[]).await,
            world.role(&format!("worker-{number}"), "project", &[]).await,
        ];
        let organization = &pair.organization;
        let mut members = Vec::new();
        let mut workspaces = Vec::new();
        for index in 0..TWO {
            let user = format!("user-{number}-{index}");
            let id = join_organization(&world, organization, &user, &pair.role).await.expect("a membership");
            members.push(Member { id, user, active: true, groups: [false; TWO] });
            let name = format!("workspace-{number}-{index}");
            workspaces.push(world.resource(organization, "workspace", &name, None).await.id);
        }
        let own = world.group(organization, &format!("Group {number}"), &[]).await.id;
        let model = Model {
            members: members.try_into().expect("two"),
            groups: [own, pair.group.clone()],
            roles: [false; TWO],
            shared_role: false,
            workspaces: workspaces.try_into().expect("two"),
            projects: [].into(),
            direct: [].into(),
            by_group: [].into(),
        };
        let endpoint = Arc::clone(endpoint);
        Self { number, model, pair, world, partner, endpoint, rng, complaints, permissions, roles, last_project: 0 }
    }

    /// Works until then. How much it did.
    pub async fn work(&mut self, end: Instant) -> usize {
        let mut steps = 0;
        while Instant::now() < end {
            self.step().await;
            steps += 1;
        }
        steps
    }

    /// Asks everything that must be so of another server, which knows all that was written.
    pub async fn examine(&mut self, endpoint: &Arc<Endpoint>) {
        self.world = World::over(PLACEHOLDER, Arc::new(ToEndpoint(Arc::clone(endpoint))));
        for place in self.model.places() {
            self.expect_access("in the end", place).await;
        }
        for member in 0..TWO {
            self.expect_shared_role("in the end", member).await;
            self.expect_assignments("in the end", member).await;
        }
        for group in 0..TWO {
            self.expect_members("in the end", group).await;
            self.expect_group_assignments("in the end", group).await;
        }
        for workspace in 0..TWO {
            self.expect_children("in the end", workspace).await;
        }
    }

    async fn step(&mut self) {
        let member = self.rng.random_range(0..TWO);
        let group = self.rng.random_range(0..TWO);
        let places = self.model.places();
        let place = *places.choose(&mut self.rng).expect("there are workspaces");
        match self.rng.random_range(0..20) {
            0..=2 if self.model.projects.len() < MAX_PROJECTS => self.create_project().await,
            3 => self.compete().await,
            4..=6 => self.change_assignment(member, place).await,
            7..=8 => self.change_membership_of_group(member, group).await,
            9 => self.patch_members().await,
            10..=11 => self.change_role().await,
            12 => self.change_shared_role(member).await,
            13 => self.replace_group_assignments().await,
            14 => self.patch_group_assignments(place).await,
            15 => self.change_group_assignment(group, place).await,
            16 => self.suspend_or_resume(member).await,
            17 => self.renew_membership(member).await,
            18 => self.renew_group().await,
            _ => match place {
                Place::Project(number) if self.rng.random_bool(0.5) => self.move_project(number).await,
                Place::Project(number) => self.delete_project(number).await,
                Place::Workspace(_) => self.create_project().await,
            },
        }
    }

    async fn create_project(&mut self) {
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
    async fn compete(&mut self) {
        let name = self.world.unique(&format!("race-{}", self.number));
        for _ in 0..2 {
            self.compete_for(&name).await;
        }
    }

    async fn compete_for(&self, name: &str) {
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

    async fn change_assignment(&mut self, member: usize, place: Place) {
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

    async fn change_membership_of_group(&mut self, member: usize, group: usize) {
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
    async fn patch_members(&mut self) {
        let (mut add, mut remove) = (Vec::new(), Vec::new());
        for member in &self.model.members {
            if member.groups[1] { remove.push(member.id.clone()) } else { add.push(member.id.clone()) }
        }
        let path = format!(
            "/organizations/{}/groups/{}/organization-memberships",
            self.pair.organization, self.model.groups[1]
        );
        let body = json!({"add": add, "remove": remove});
        let patch = async || self.endpoint.patch(&path, &body).await;
        if self.write("change members", patch).await.is_some() {
            for member in &mut self.model.members {
                member.groups[1] = !member.groups[1];
            }
            self.expect_members("change members", 1).await;
            self.expect_some_access("change members").await;
        }
    }

    async fn change_role(&mut self) {
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

    async fn change_shared_role(&mut self, member: usize) {
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

    async fn replace_group_assignments(&mut self) {
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
    async fn patch_group_assignments(&mut self, place: Place) {
        let had: Vec<Place> =
            self.model.by_group.iter().filter(|(group, _)| *group == 1).map(|(_, place)| *place).collect();
        let remove: Vec<Place> = had.into_iter().filter(|had| *had != place).take(2).collect();
        let entries = |places: &[Place]| places.iter().map(|place| self.entry(*place)).collect::<Vec<_>>();
        let body = json!({"add": entries(&[place]), "remove": entries(&remove)});
        let path = format!("/authorization/groups/{}/role_assignments", self.model.groups[1]);
        let patch = async || self.endpoint.patch(&path, &body).await;
        if self.write("change the assignments of a group", patch).await.is_some() {
            self.model.by_group.retain(|(group, place)| *group != 1 || !remove.contains(place));
            self.model.by_group.insert((1, place));
            self.expect_group_assignments("change the assignments of a group", 1).await;
            self.expect_access("change the assignments of a group", place).await;
        }
    }

    async fn change_group_assignment(&mut self, group: usize, place: Place) {
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

    async fn suspend_or_resume(&mut self, member: usize) {
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
    async fn renew_membership(&mut self, member: usize) {
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
    async fn renew_group(&mut self) {
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

    async fn move_project(&mut self, number: u32) {
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

    async fn delete_project(&mut self, number: u32) {
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

    fn entry(&self, place: Place) -> Value {
        json!({"role_slug": self.roles[place.role()], "resource_id": self.model.id(place)})
    }

    /// What the members may do on a resource, asked in three ways.
    async fn expect_access(&self, after: &str, place: Place) {
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
    async fn expect_some_access(&self, after: &str) {
        for place in self.model.places() {
            for (index, member) in self.model.members.iter().enumerate() {
                let resource = self.model.id(place);
                let check = async || Ok(self.world.check(&member.id, &self.permissions[0], by_id(&resource)).await?);
                let what = format!("check of {} on {place:?}", member.user);
                self.expect(after, &what, self.model.allows(index, place), check).await;
            }
        }
    }

    async fn expect_shared_role(&self, after: &str, member: usize) {
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
    async fn expect_members(&self, after: &str, group: usize) {
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
    async fn expect_group_assignments(&self, after: &str, group: usize) {
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
    async fn expect_assignments(&self, after: &str, member: usize) {
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
    async fn expect_children(&self, after: &str, workspace: usize) {
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

    async fn find(&self, external_id: &str, kind: &str) -> Option<String> {
        let api = self.world.client.authorization();
        let find = async || match api.get_resource_by_external_id(&self.pair.organization, kind, external_id).await {
            Ok(found) => Ok(Some(found.id)),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error.into()),
        };
        self.read("find a resource", find).await.flatten()
    }

    async fn expect<T: PartialEq + std::fmt::Debug>(
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

    async fn expect_gone<T: std::fmt::Debug>(&self, what: &str, request: impl AsyncFn() -> Result<T, Failure>) {
        let gone = async || match request().await {
            Err(Failure { status: Some(404), .. }) => Ok(None),
            other => other.map(Some),
        };
        if let Some(Some(found)) = self.read(what, gone).await {
            self.complain(format!("stale: {what}: {found:?}"));
        }
    }

    async fn read<T>(&self, what: &str, request: impl AsyncFn() -> Result<T, Failure>) -> Option<T> {
        match self.write(what, request).await? {
            Written::Now(answer) => Some(answer),
            Written::Before => None,
        }
    }

    /// Sends until it is done or refused for good. None: refused, of which it complains.
    async fn write<T>(&self, what: &str, request: impl AsyncFn() -> Result<T, Failure>) -> Option<Written<T>> {
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

    fn complain(&self, complaint: String) {
        self.complaints.lock().unwrap().push(format!("client {}: {complaint}", self.number));
    }

    /// What there must be of the client in the end, in the words of an inventory.
    pub fn inventory(&self) -> Vec<String> {
        let Self { number, model, roles, permissions, .. } = self;
        let workspace = |index: usize| format!("workspace workspace-{number}-{index}");
        let project = |index: u32| format!("project project-{number}-{index}");
        let resource = |place: Place| match place {
            Place::Workspace(index) => workspace(index),
            Place::Project(index) => project(index),
        };
        let organization = self.pair.organization_name();
        let mut inventory: Vec<_> =
            (0..TWO).map(|index| format!("Resource {} in {organization}", workspace(index))).collect();
        for (index, Project { workspace: above, document, .. }) in &model.projects {
            inventory.push(format!("Resource {} in {}", project(*index), workspace(*above)));
            if document.is_some() {
                inventory.push(format!("Resource document document-{number}-{index} in {}", project(*index)));
            }
        }
        for (role, grants) in roles.iter().zip(model.roles) {
            let permissions: &[&String] = if grants { &[&permissions[0]] } else { &[] };
            inventory.push(format!("Role {role} with {}", json!(permissions)));
        }
        inventory.extend(model.members.iter().map(|member| format!("OrganizationMembership {}", member.user)));
        inventory.push(format!("Group Group {number} with {:?}", sorted(self.users_in(0))));
        inventory.extend(permissions.iter().map(|permission| format!("Permission {permission}")));
        let role = |place: Place| &roles[place.role()];
        inventory.extend(model.direct.iter().map(|(member, place)| {
            let user = &model.members[*member].user;
            format!("MembershipRoleAssignment {} on {} for {user}", role(*place), resource(*place))
        }));
        inventory.extend(model.by_group.iter().map(|(group, place)| {
            let group = if *group == 0 { format!("Group {number}") } else { self.pair.group_name() };
            format!("GroupRoleAssignment {} on {} for {group}", role(*place), resource(*place))
        }));
        inventory
    }

    /// The users of the client in a group.
    pub fn users_in(&self, group: usize) -> Vec<String> {
        self.model.members.iter().filter(|member| member.groups[group]).map(|member| member.user.clone()).collect()
    }

    /// The permission that the client has the role of the pair contain, if it does so.
    pub fn shared_permission(&self) -> Option<&String> {
        self.model.shared_role.then_some(&self.permissions[1])
    }
}

impl Pair {
    /// What the organization is called.
    pub fn organization_name(&self) -> String {
        self.role.replace("org-", "Organization ")
    }

    /// What the group is called.
    pub fn group_name(&self) -> String {
        self.role.replace("org-", "Shared group ")
    }
}

async fn join_organization(world: &World, organization: &str, user: &str, role: &str) -> Result<String, Error> {
    let mut body = om::CreateOrganizationMembershipParamsBody::new(user, organization);
    body.role = Some(om::Role::Single { role_slug: role.to_owned() });
    let params = om::CreateOrganizationMembershipParams::new(body);
    Ok(world.client.organization_membership().create_organization_membership(params).await?.id)
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}
