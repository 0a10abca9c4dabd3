//! What a writer does while others read.

use std::{
    hint::spin_loop,
    time::{Duration, Instant},
};

use bailiwick::graph::{
    Proposal, PublishedGraph, Removal,
    facts::{Change, Fact, Kind, MembershipRoleAssignment, Name, ORGANIZATION, Object, ObjectRef, Resource, Timestamp},
};
use bailiwick_benches::{
    churn::{BURST_ROLE, Churn},
    workload::{Workload, written},
};

/// As many removals does a round of the controller plan, and as many changes does a watch bring at the most together.
const REMOVALS_A_ROUND: usize = 256;

/// The root of what is deleted.
const DOOMED: &str = "doomed";

/// What happens while the reader reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// Nothing, and nobody else wants a processor.
    None,
    /// Nothing, but the second processor is as busy as it would be with a writer.
    Spinning,
    /// 10,000 publications of one change each a second, whatever the writer has still to do.
    Steady,
    /// The same pace, of what the workload calls churn.
    Churn,
    /// Churn as fast as it goes.
    ChurnAtFullSpeed,
    /// A role that 10,000 assignments hold is deleted, and its assignments with it.
    Burst,
    /// A resource is deleted with 100,000 below it and their assignments.
    Subtree,
    /// The admission webhook reviews what somebody proposes, one after the other.
    Reviews,
}

/// What was written in what time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Written {
    changes: u32,
    time: Duration,
}

impl Written {
    /// How many changes, and how many a second.
    pub fn figures(self) -> [String; 2] {
        [self.changes.to_string(), format!("{:.0}", f64::from(self.changes) / self.time.as_secs_f64())]
    }
}

impl Writer {
    pub const ALL: [Self; 8] = [
        Self::None,
        Self::Spinning,
        Self::Steady,
        Self::Churn,
        Self::ChurnAtFullSpeed,
        Self::Burst,
        Self::Subtree,
        Self::Reviews,
    ];

    pub const fn label(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Spinning => "none, the other core spins",
            Self::Steady => "10,000 changes a second",
            Self::Churn => "churn, 10,000 a second",
            Self::ChurnAtFullSpeed => "churn, at full speed",
            Self::Burst => "role deleted, 10,000 held it",
            Self::Subtree => "100,000 resources deleted",
            Self::Reviews => "reviews by the webhook",
        }
    }

    /// Whether it changes what the reader is answered.
    pub const fn changes_answers(self) -> bool {
        matches!(self, Self::Churn | Self::ChurnAtFullSpeed)
    }

    /// Does it, for so long or until all is done.
    pub fn run(self, published: &PublishedGraph, workload: &Workload, time: Duration) -> Written {
        let started = Instant::now();
        let changes = match self {
            Self::None => {
                std::thread::sleep(time);
                0
            }
            Self::Spinning => {
                while started.elapsed() < time {
                    spin_loop();
                }
                0
            }
            Self::Steady => {
                let mut assigned = false;
                paced(time, Duration::from_micros(100), || {
                    assigned = !assigned;
                    published.apply(&[toggle(assigned)]);
                })
            }
            Self::Churn | Self::ChurnAtFullSpeed => {
                let mut churn = Churn::new(&workload.facts);
                let pace = Duration::from_micros(if self == Self::Churn { 100 } else { 0 });
                paced(time, pace, || published.apply(&[churn.write()]))
            }
            Self::Burst => delete(published, &ObjectRef { kind: Kind::Role, name: BURST_ROLE.into() }),
            Self::Subtree => delete(published, &ObjectRef { kind: Kind::Resource, name: DOOMED.into() }),
            Self::Reviews => {
                let proposals = [proposed_assignment(), proposed_move()];
                let (now, mut proposals) = (Timestamp::now(), proposals.iter().cycle());
                paced(time, Duration::ZERO, || {
                    let review = proposals.next().map(|proposal| published.review(proposal, now));
                    assert!(review.is_some_and(|review| review.refusals.is_empty()), "nothing speaks against them");
                })
            }
        };
        Written { changes, time: started.elapsed() }
    }
}

/// Does something at fixed instants; one that is late does not put off those after it.
fn paced(time: Duration, pace: Duration, mut act: impl FnMut()) -> u32 {
    let started = Instant::now();
    let mut count = 0;
    while started.elapsed() < time {
        while started.elapsed() < pace * count {
            spin_loop();
        }
        act();
        count += 1;
    }
    count
}

/// Deletes an object as the operator does: it is under deletion from now on; what depends on it is removed in rounds,
/// as the watches tell; and then it goes.
fn delete(published: &PublishedGraph, object: &ObjectRef) -> u32 {
    let existing = published.read().object(object).expect("it is there");
    published.apply(&[Change::Apply(Object { deleting: true, ..existing })]);
    let mut changes = 2;
    loop {
        let cascade = published.read().cascade(REMOVALS_A_ROUND, |_| false, |_| false);
        let removed: Vec<Change> = cascade
            .removals
            .into_iter()
            .map(|removal| match removal {
                Removal::Object(object) => Change::Delete(object),
                Removal::Member { .. } | Removal::Subgroup { .. } => unreachable!("no group goes, nor a membership"),
            })
            .collect();
        if removed.is_empty() {
            break;
        }
        changes += u32::try_from(removed.len()).expect("a round is small");
        published.apply(&removed);
    }
    published.apply(&[Change::Delete(object.clone())]);
    changes
}

/// A tree of that many resources in an organization of its own, each with an assignment: 100 workspaces below the one
/// that is deleted, and the rest below these.
pub fn doomed_tree(resources: usize) -> Vec<(Name, Fact)> {
    let organization = Resource { resource_type: ORGANIZATION.into(), parent: None, external_id: "doomed-org".into() };
    let mut facts = vec![("doomed-org".into(), Fact::Resource(organization))];
    let mut add = |name: Name, resource_type: &str, parent: Name, role: &str| {
        let external_id = name.clone();
        let resource = Resource { resource_type: resource_type.into(), parent: Some(parent), external_id };
        facts.push((name.clone(), Fact::Resource(resource)));
        facts.push((format!("on-{name}").into(), Fact::MembershipRoleAssignment(assignment(&name, role))));
    };
    add(DOOMED.into(), "workspace", "doomed-org".into(), "role-4");
    for number in 0..resources {
        let name = format!("doomed-{number}").into();
        if number < 100 {
            add(name, "project", DOOMED.into(), "role-8");
        } else {
            add(name, "app", format!("doomed-{}", number % 100).into(), "role-12");
        }
    }
    facts
}

fn assignment(resource: &str, role: &str) -> MembershipRoleAssignment {
    MembershipRoleAssignment {
        membership: "somebody".into(),
        role: role.into(),
        resource: Some(resource.into()),
        expires_at: None,
        condition: None,
    }
}

fn toggle(assigned: bool) -> Change {
    let name: Name = "toggled".into();
    if assigned {
        written(name, Fact::MembershipRoleAssignment(assignment(DOOMED, "role-5")))
    } else {
        Change::Delete(ObjectRef { kind: Kind::MembershipRoleAssignment, name })
    }
}

fn proposed_assignment() -> Proposal {
    let fact = Fact::MembershipRoleAssignment(assignment(DOOMED, "role-6"));
    Proposal::Write(Object { name: "proposed".into(), created: None, deleting: false, fact })
}

/// To move a project with a thousand apps below another workspace.
fn proposed_move() -> Proposal {
    let (name, parent) = (Name::from("doomed-0"), Name::from("doomed-org"));
    let resource = Resource { resource_type: "project".into(), parent: Some(parent), external_id: name.clone() };
    Proposal::Write(Object { name, created: None, deleting: false, fact: Fact::Resource(resource) })
}
