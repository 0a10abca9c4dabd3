//! Cedar with a template for each role, and a link of it for each assignment.

use std::collections::HashMap;

use bailiwick_benches::workload::{Question, Workload};
use cedar_policy::{PolicyId, PolicySet, SlotId, Template};

use crate::{
    cedar::{Cedar, actions, resources, subject, subjects, uid},
    engine::Engine,
    world::World,
};

pub struct Links(Cedar);

impl Links {
    pub fn new(workload: &Workload) -> Self {
        let world = World::new(workload);
        let mut policies = PolicySet::new();
        for (role, _) in &world.roles {
            let text = format!("permit(principal in ?principal, action in Action::\"{role}\", resource in ?resource);");
            let template = Template::parse(Some(PolicyId::new(role)), text).expect("a template");
            policies.add_template(template).expect("a name that no other has");
        }
        for (number, grant) in world.grants.iter().enumerate() {
            let slots = HashMap::from([
                (SlotId::principal(), subject(grant.subject)),
                (SlotId::resource(), uid("Resource", grant.resource)),
            ]);
            let link = PolicyId::new(format!("assignment-{number}"));
            policies.link(PolicyId::new(grant.role), link, slots).expect("a template and both its slots");
        }
        let entities = [actions(&world), subjects(&world, HashMap::new()), resources(&world)].concat();
        Self(Cedar::new(policies, entities))
    }
}

impl Engine for Links {
    fn prepare(&mut self, questions: &[Question]) {
        self.0.prepare(questions);
    }

    fn ask(&mut self, number: usize) -> bool {
        self.0.ask(number)
    }
}
