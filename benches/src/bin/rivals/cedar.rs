//! What the three ways to use Cedar share.

use std::collections::{HashMap, HashSet};

use bailiwick_benches::workload::Question;
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
};

use crate::world::{Subject, World};

pub fn uid(kind: &str, id: &str) -> EntityUid {
    let kind: EntityTypeName = kind.parse().expect("a name of a type");
    EntityUid::from_type_name_and_id(kind, EntityId::new(id))
}

pub fn subject(subject: Subject<'_>) -> EntityUid {
    match subject {
        Subject::Member(member) => uid("Member", member),
        Subject::Group(group) => uid("Group", group),
    }
}

pub fn request(question: &Question) -> Request {
    let Question { member, permission, resource, .. } = question;
    let (principal, action) = (uid("Member", member), uid("Action", permission));
    Request::new(principal, action, uid("Resource", resource), Context::empty(), None).expect("no schema to violate")
}

/// Requests and what they are judged by.
pub struct Cedar {
    pub authorizer: Authorizer,
    pub policies: PolicySet,
    pub entities: Entities,
    pub requests: Vec<Request>,
}

impl Cedar {
    pub fn new(policies: PolicySet, entities: Vec<Entity>) -> Self {
        let entities = Entities::from_entities(entities, None).expect("the entities hang together");
        Self { authorizer: Authorizer::new(), policies, entities, requests: Vec::new() }
    }

    pub fn prepare(&mut self, questions: &[Question]) {
        self.requests = questions.iter().map(request).collect();
    }

    pub fn ask(&self, number: usize) -> bool {
        let response = self.authorizer.is_authorized(&self.requests[number], &self.policies, &self.entities);
        response.decision() == Decision::Allow
    }
}

/// Members in their groups, groups in those that list them, and each subject in the further entities given.
pub fn subjects(world: &World<'_>, mut further: HashMap<EntityUid, HashSet<EntityUid>>) -> Vec<Entity> {
    for (group, members, subgroups) in &world.groups {
        let group = uid("Group", group);
        let below = members.iter().map(|member| uid("Member", member));
        for below in below.chain(subgroups.iter().map(|subgroup| uid("Group", subgroup))) {
            further.entry(below).or_default().insert(group.clone());
        }
    }
    let members = world.members.iter().map(|member| uid("Member", member));
    let all = members.chain(world.groups.iter().map(|(group, ..)| uid("Group", group)));
    all.map(|uid| Entity::new_no_attrs(uid.clone(), further.remove(&uid).unwrap_or_default())).collect()
}

/// Each permission as an action in the actions that stand for the roles that have it.
pub fn actions(world: &World<'_>) -> Vec<Entity> {
    let mut parents = HashMap::<EntityUid, HashSet<EntityUid>>::new();
    for (role, permissions) in &world.roles {
        for permission in permissions {
            parents.entry(uid("Action", permission)).or_default().insert(uid("Action", role));
        }
    }
    let roles = world.roles.iter().map(|(role, _)| Entity::new_no_attrs(uid("Action", role), HashSet::new()));
    roles.chain(parents.into_iter().map(|(uid, parents)| Entity::new_no_attrs(uid, parents))).collect()
}

/// Each resource in its parent.
pub fn resources(world: &World<'_>) -> Vec<Entity> {
    let parents = |parent: Option<&str>| parent.into_iter().map(|parent| uid("Resource", parent)).collect();
    let entity = |&(name, parent): &(&str, _)| Entity::new_no_attrs(uid("Resource", name), parents(parent));
    world.resources.iter().map(entity).collect()
}
