//! How long it takes from a write that was accepted to the first answer that it changed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use bailiwick::graph::facts::Kind;
use serde_json::json;
use tokio::{
    runtime::Runtime,
    time::{MissedTickBehavior, interval},
};

use crate::{
    program::{Asker, Program},
    real::{ControlPlane, Objects, Role},
    recipe::{ENVIRONMENT, Recipe},
};

/// How many writes a second the others make on a busy cluster.
pub const WRITES_A_SECOND: u32 = 100;

const ASSIGNMENT: Kind = Kind::MembershipRoleAssignment;

/// What is measured at once.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub busy: bool,
    pub role: Role,
}

/// From the responses of the API server to the changed answers, in order.
pub struct Delays {
    pub granted: Vec<Duration>,
    pub revoked: Vec<Duration>,
    /// How many writes others made meanwhile in a second.
    pub others: f64,
}

/// Measures so many changes, every other one of which grants, and the others revoke.
pub fn measure(runtime: &Runtime, plane: &ControlPlane, recipe: Recipe, setting: Setting, changes: usize) -> Delays {
    let arguments = plane.arguments(setting.role);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if setting.role == Role::Leader {
        // What is left to write is written sooner than at the rate that clusters are spared with by default.
        let mut ahead = Program::start(plane.folder.path(), &[&arguments[..], &["--status-rate", "5000"]].concat());
        ahead.wait_until_ready();
        ahead.wait_until_settled();
    }
    let mut program = Program::start(plane.folder.path(), &arguments);
    program.wait_until_ready();
    if setting.role == Role::Leader {
        program.wait_until_settled();
    }

    let objects = Objects::new(runtime.block_on(plane.client()));
    let others = Arc::new(Others::default());
    let writing = setting.busy.then(|| runtime.spawn(write(objects.clone(), recipe, Arc::clone(&others))));
    let spec = json!({
        "membershipRef": { "name": "measured" },
        "roleRef": { "name": "app-0" },
        "resourceRef": { "name": "measured" },
    });
    let evaluation = json!({
        "subject": { "type": "user", "id": "measured" },
        "action": { "name": "app:permission-00" },
        "resource": { "type": "app", "id": "measured" },
    });
    let mut asker = Asker::new(&program, ENVIRONMENT, &evaluation);
    let mut measured = Delays { granted: Vec::new(), revoked: Vec::new(), others: 0.0 };
    let began = Instant::now();
    assert!(!asker.ask(), "it is granted before it is");
    for change in 0..changes {
        let grants = change % 2 == 0;
        let accepted = runtime.block_on(async {
            if grants {
                objects.create(ASSIGNMENT, "measured", spec.clone()).await;
            } else {
                objects.delete(ASSIGNMENT, "measured").await;
            }
            Instant::now()
        });
        while asker.ask() != grants {
            assert!(accepted.elapsed() < Duration::from_secs(30), "the answer does not change");
        }
        let delays = if grants { &mut measured.granted } else { &mut measured.revoked };
        delays.push(accepted.elapsed());
        // So that the status of what was granted is being written while it is revoked, or has been, or not.
        std::thread::sleep(Duration::from_millis(u64::try_from(change * 7 % 23).unwrap_or_default()));
    }
    measured.others = f64::from(others.written.load(Ordering::Relaxed)) / began.elapsed().as_secs_f64();
    others.stop.store(true, Ordering::Relaxed);
    if let Some(writing) = writing {
        runtime.block_on(writing).expect("the others");
    }
    measured.granted.sort_unstable();
    measured.revoked.sort_unstable();
    measured
}

/// Creates who and what is measured on: nobody has anything there but by the assignment that comes and goes.
pub async fn prepare(objects: &Objects) {
    let spec = json!({ "organizationRef": { "name": "organization-000000" }, "user": { "id": "measured" } });
    objects.create(Kind::OrganizationMembership, "measured", spec).await;
    let spec = json!({ "type": "app", "parentRef": { "name": "project-000000" } });
    objects.create(Kind::Resource, "measured", spec).await;
}

/// Who else writes meanwhile.
#[derive(Debug, Default)]
struct Others {
    stop: AtomicBool,
    written: AtomicU32,
}

/// Creates and deletes other assignments until it is stopped.
async fn write(objects: Objects, recipe: Recipe, others: Arc<Others>) {
    const NAMES: u32 = 200;
    let mut ticks = interval(Duration::from_secs(1) / WRITES_A_SECOND);
    // Where the machine cannot bear so many, they are fewer: those that were missed are not made up for all at once.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for written in 0.. {
        // It ends when none of its own is there any more.
        if others.stop.load(Ordering::Relaxed) && written % (2 * NAMES) == 0 {
            return;
        }
        ticks.tick().await;
        let number = written % NAMES;
        let name = format!("other-{number}");
        if (written / NAMES).is_multiple_of(2) {
            let spec = recipe.spec(ASSIGNMENT, usize::try_from(number).unwrap_or_default());
            objects.create(ASSIGNMENT, &name, spec).await;
        } else {
            objects.delete(ASSIGNMENT, &name).await;
        }
        others.written.fetch_add(1, Ordering::Relaxed);
    }
}
