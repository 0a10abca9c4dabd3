//! Our graph, published, asked by names as the server asks.

use bailiwick::graph::{PublishedGraph, facts::Timestamp};
use bailiwick_benches::workload::{Question, Workload};

use crate::engine::Engine;

pub struct Ours {
    graph: PublishedGraph,
    questions: Vec<Question>,
    now: Timestamp,
}

impl Ours {
    pub fn new(workload: &Workload) -> Self {
        let graph = PublishedGraph::default();
        workload.tell(|changes| graph.apply(changes));
        Self { graph, questions: Vec::new(), now: Timestamp::now() }
    }
}

impl Engine for Ours {
    fn prepare(&mut self, questions: &[Question]) {
        self.questions = questions.to_vec();
    }

    fn ask(&mut self, number: usize) -> bool {
        self.questions[number].ask(&self.graph.read(), self.now)
    }
}
