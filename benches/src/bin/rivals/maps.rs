//! Maps of strings of the standard library: not a rival, but what somebody would write who has an afternoon.

use bailiwick_benches::{
    definition::Definition,
    workload::{Question, Workload},
};

use crate::engine::Engine;

pub struct Maps {
    definition: Definition,
    questions: Vec<Question>,
}

impl Maps {
    pub fn new(workload: &Workload) -> Self {
        let definition = Definition::new(workload.facts.iter().map(|(name, fact)| (name, fact)));
        Self { definition, questions: Vec::new() }
    }
}

impl Engine for Maps {
    fn prepare(&mut self, questions: &[Question]) {
        self.questions = questions.to_vec();
    }

    fn ask(&mut self, number: usize) -> bool {
        let Question { member, permission, resource, .. } = &self.questions[number];
        self.definition.allows(member, permission, resource)
    }
}
