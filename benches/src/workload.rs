//! What every engine is given: facts, and questions with their answers.

use bailiwick::graph::{
    Graph,
    facts::{Change, Fact, Name, Object, Timestamp},
    query::{Action, CheckRequest, Subject, Target},
};

/// A world and what is asked of it.
#[derive(Debug)]
pub struct Workload {
    pub facts: Vec<(Name, Fact)>,
    pub questions: Vec<Question>,
}

/// May the membership do this on the resource?
#[derive(Clone, Debug)]
pub struct Question {
    pub member: Name,
    pub permission: Name,
    pub resource_type: Name,
    pub resource: Name,
    /// The answer by the definition, found without any of the engines.
    pub allowed: bool,
}

impl Question {
    /// What the server makes of it.
    pub fn request(&self) -> CheckRequest<'_> {
        CheckRequest {
            subject: Subject::Membership(&self.member),
            action: Action::Permission(&self.permission),
            resource: Target::Id { resource_type: &self.resource_type, id: &self.resource, organization: None },
        }
    }

    /// Asks a graph, by names, as the server does.
    pub fn ask(&self, graph: &Graph, now: Timestamp) -> bool {
        graph.check(&self.request(), now).is_allowed()
    }
}

impl Workload {
    /// How many role assignments there are.
    pub fn assignments(&self) -> usize {
        self.facts.iter().filter(|(_, fact)| fact.kind().is_assignment()).count()
    }

    /// Tells a writer every fact, some at a time.
    pub fn tell(&self, mut apply: impl FnMut(&[Change])) {
        for facts in self.facts.chunks(10_000) {
            let changes: Vec<Change> = facts.iter().cloned().map(|(name, fact)| written(name, fact)).collect();
            apply(&changes);
        }
    }
}

/// That an object now says this.
pub const fn written(name: Name, fact: Fact) -> Change {
    Change::Apply(Object { name, created: None, deleting: false, fact })
}
