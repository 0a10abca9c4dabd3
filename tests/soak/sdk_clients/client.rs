//! A client that writes with the SDK, and asks at once whether what it wrote is so.

mod changes;
mod expect;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rand::{Rng as _, rngs::SmallRng, seq::IndexedRandom as _};
use serde_json::json;
use workos::{Error, organization_membership as om};

use super::{
    model::{Member, Model, Place, Project, TWO},
    transport::{Endpoint, PLACEHOLDER, ToEndpoint},
};
use crate::workos::sdk_rust::client::World;

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
