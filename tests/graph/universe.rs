//! Every question that can be asked with the names of the stories, and chance.

use bailiwick::graph::{
    facts::Timestamp,
    query::{Action, CheckRequest, Subject, Target},
};
use proptest::{
    prelude::RngExt,
    test_runner::{RngAlgorithm, TestRng},
};

use super::strategies::{INSTANTS, MEMBERSHIPS, ORGANIZATIONS, RESOURCES, USERS};
use crate::support::facts::at;

/// Types and ids, of which most fit at times.
const IDS: [(&str, &str); 10] = [
    ("organization", "acme"),
    ("organization", "globex"),
    ("organization", "x"),
    ("workspace", "ws"),
    ("workspace", "x"),
    ("project", "web"),
    ("project", "site"),
    ("project", "x"),
    ("app", "app"),
    ("app", "x"),
];

const ACTIONS: [Action<'static>; 9] = [
    Action::Permission("workspace:edit"),
    Action::Permission("project:edit"),
    Action::Permission("project:view"),
    Action::Permission("app:use"),
    Action::Permission("edit"),
    Action::Permission("view"),
    Action::Permission("no:such"),
    Action::Name("edit"),
    Action::Name("view"),
];

/// All that may stand in a question.
pub struct Universe {
    pub subjects: Vec<Subject<'static>>,
    pub actions: [Action<'static>; 9],
    pub targets_by_name: Vec<Target<'static>>,
    pub targets_by_id: Vec<Target<'static>>,
    pub instants: Vec<Timestamp>,
}

impl Universe {
    pub fn new() -> Self {
        let memberships = MEMBERSHIPS.into_iter().chain(["nobody"]);
        let users = USERS.into_iter().chain(["opaque", "alice-acme", "nobody"]);
        let organizations = || [None, None, Some("x")].into_iter().chain(ORGANIZATIONS.map(Some));
        let targets_by_id = IDS
            .into_iter()
            .flat_map(|(resource_type, id)| {
                organizations().map(move |organization| Target::Id { resource_type, id, organization })
            })
            .collect();
        Self {
            subjects: memberships.map(Subject::Membership).chain(users.map(Subject::User)).collect(),
            actions: ACTIONS,
            targets_by_name: RESOURCES.into_iter().chain(["nowhere"]).map(Target::Name).collect(),
            targets_by_id,
            instants: INSTANTS.into_iter().map(at).collect(),
        }
    }

    /// Every subject with every resource by its name.
    pub fn subjects_and_names(&self) -> impl Iterator<Item = (Subject<'static>, Target<'static>)> {
        self.subjects
            .iter()
            .flat_map(move |&subject| self.targets_by_name.iter().map(move |&resource| (subject, resource)))
    }

    pub fn some_check(&self, chance: &mut Chance) -> CheckRequest<'static> {
        CheckRequest {
            subject: chance.one_of(&self.subjects),
            action: chance.one_of(&self.actions),
            resource: self.some_target(chance),
        }
    }

    pub fn some_target(&self, chance: &mut Chance) -> Target<'static> {
        let targets = if chance.below(3) > 0 { &self.targets_by_name } else { &self.targets_by_id };
        chance.one_of(targets)
    }

    pub fn some_instant(&self, chance: &mut Chance) -> Timestamp {
        chance.one_of(&self.instants)
    }
}

/// Reproducible chance.
pub struct Chance(TestRng);

impl Chance {
    pub fn from_seed(seed: u64) -> Self {
        Self(TestRng::from_seed(RngAlgorithm::XorShift, &[seed.to_le_bytes(), (!seed).to_le_bytes()].concat()))
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0.random_range(..bound)
    }

    pub fn toss(&mut self) -> bool {
        self.0.random()
    }

    pub fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        items.sort_by_cached_key(|_| self.0.random::<u64>());
    }
}
