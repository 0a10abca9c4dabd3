//! Cedar with roles as groups: the holders of a role on a resource are a group, a policy for each role, and each
//! resource knows by role which groups hold it there or above.

use std::collections::{BTreeMap, HashMap, HashSet};

use bailiwick_benches::workload::{Question, Workload};
use cedar_policy::{Entity, EntityUid, PolicySet, RestrictedExpression};

use crate::{
    cedar::{Cedar, actions, subject, subjects, uid},
    engine::Engine,
    world::World,
};

pub struct Groups(Cedar);

impl Groups {
    pub fn new(workload: &Workload) -> Self {
        let world = World::new(workload);
        let mut held = HashMap::<EntityUid, HashSet<EntityUid>>::new();
        let mut roles_on = HashMap::<&str, BTreeMap<&str, EntityUid>>::new();
        for grant in &world.grants {
            let holders = uid("Holders", &format!("{} {}", grant.role, grant.resource));
            held.entry(subject(grant.subject)).or_default().insert(holders.clone());
            roles_on.entry(grant.resource).or_default().insert(grant.role, holders);
        }
        let mut entities = actions(&world);
        let holders: HashSet<EntityUid> = held.values().flatten().cloned().collect();
        entities.extend(holders.into_iter().map(|uid| Entity::new_no_attrs(uid, HashSet::new())));
        entities.extend(subjects(&world, held));
        for &(resource, _) in &world.resources {
            let mut by_role = BTreeMap::<String, Vec<RestrictedExpression>>::new();
            for (role, holders) in world.path(resource).filter_map(|resource| roles_on.get(resource)).flatten() {
                let holders = RestrictedExpression::new_entity_uid(holders.clone());
                by_role.entry((*role).to_owned()).or_default().push(holders);
            }
            let attributes = by_role.into_iter().map(|(role, all)| (role, RestrictedExpression::new_set(all)));
            let entity = Entity::new(uid("Resource", resource), attributes.collect(), HashSet::new());
            entities.push(entity.expect("attributes are plain"));
        }
        let policy = |role: &str| {
            format!(
                "permit(principal, action in Action::\"{role}\", resource)
                 when {{ resource has \"{role}\" && principal in resource[\"{role}\"] }};"
            )
        };
        let policies: Vec<String> = world.roles.iter().map(|(role, _)| policy(role)).collect();
        Self(Cedar::new(policies.join("\n").parse::<PolicySet>().expect("policies"), entities))
    }
}

impl Engine for Groups {
    fn prepare(&mut self, questions: &[Question]) {
        self.0.prepare(questions);
    }

    fn ask(&mut self, number: usize) -> bool {
        self.0.ask(number)
    }
}
