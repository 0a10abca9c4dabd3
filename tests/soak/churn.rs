//! Many writers create, move and delete at random; then all agree, and nobody writes any more.

use std::time::{Duration, Instant};

use bailiwick::graph::facts::Timestamp;
use futures::future::join_all;
use rand::{SeedableRng as _, rngs::SmallRng};

use super::{
    changes::{Change, LONGEST_GRANT, checks},
    cluster::{Cluster, ENVIRONMENT, SHORT_LEASE},
    compare::disagreement,
    report::{report, seconds},
};
use crate::support::{audit::Entry, control_plane::REPLICAS, wait};

/// So long must nobody write until that counts as the end.
const QUIET: Duration = Duration::from_secs(5);

struct Size {
    writers: u64,
    duration: Duration,
    /// How long after the last change the last write may come.
    settled_within: Duration,
}

#[test]
fn all_agree_after_changes_by_many_writers() {
    scenario(&Size { writers: 10, duration: Duration::from_secs(3), settled_within: Duration::from_secs(20) });
}

#[test]
#[ignore = "takes minutes; `make soak` runs it"]
fn all_agree_after_two_minutes_of_changes_by_a_hundred_writers() {
    scenario(&Size { writers: 100, duration: Duration::from_mins(2), settled_within: Duration::from_secs(30) });
}

fn scenario(size: &Size) {
    let cluster = Cluster::start(&SHORT_LEASE);
    cluster.runtime.block_on(cluster.objects.create_all(Change::first()));
    let (tried, made) = cluster.runtime.block_on(write(&cluster, size));
    report("changes tried by the writers, and made", format!("{tried}, {made}"));

    let patience = size.settled_within + wait::PATIENCE;
    wait::within(patience, "every status is right", || {
        disagreement(&cluster.list(), &cluster.replicas[0]).map_or(Ok(()), Err)
    });
    let log = wait::within(patience, "the operator ceases to write", || {
        let log = cluster.plane.audit_log();
        let last = log.iter().filter(|entry| by_operator(entry)).map(|entry| entry.answered).max();
        let silence = last.map_or(QUIET, |last| Timestamp::now().duration_since(last).unsigned_abs());
        if silence >= QUIET { Ok(log) } else { Err(format!("it wrote {silence:?} ago")) }
    });
    let last = |wanted: &dyn Fn(&&Entry) -> bool| {
        log.iter().filter(wanted).map(|entry| entry.answered).max().expect("somebody wrote")
    };
    let last_change = last(&|entry: &&Entry| entry.is_ours() && !by_operator(entry));
    let last_write = last(&|entry: &&Entry| by_operator(entry));
    let settled = last_write.duration_since(last_change).unsigned_abs();
    let writes = log.iter().filter(|entry| by_operator(entry)).count();
    report("writes by the operator", writes);
    report("last write by the operator, after the last change by others", seconds(settled));

    let fresh = cluster.fresh_replica();
    let listed = cluster.list();
    report("objects in the end", listed.len());
    if let Some(difference) = disagreement(&listed, &fresh) {
        panic!("{difference}");
    }
    let (objects, checks) = (fresh.objects(ENVIRONMENT), checks());
    let answers = fresh.answers(ENVIRONMENT, &checks);
    let allowed = answers.iter().filter(|answer| answer["allowed"] == true).count();
    assert!(allowed > 0 && allowed < checks.len(), "{allowed} of {} are allowed", checks.len());
    for replica in &cluster.replicas {
        assert_eq!(objects, replica.objects(ENVIRONMENT), "the graphs differ");
        for ((check, fresh), old) in checks.iter().zip(&answers).zip(replica.answers(ENVIRONMENT, &checks)) {
            assert_eq!(*fresh, old, "{check}");
        }
    }
    report("checks compared on three replicas, and allowed", format!("{}, {allowed}", checks.len()));

    // Some of the assignments lapse after the last change, which is one more to write of.
    let allowed = size.settled_within + Duration::from_secs(LONGEST_GRANT.unsigned_abs());
    assert!(settled < allowed, "the operator wrote for {settled:?} after the last change");
    let refused: Vec<_> = log.iter().filter(|entry| by_operator(entry) && entry.code == 403).collect();
    assert!(refused.is_empty(), "RBAC refused {refused:#?}");
}

/// Lets the writers write. How many changes they tried, and how many of these were made.
async fn write(cluster: &Cluster, size: &Size) -> (usize, usize) {
    let end = Instant::now() + size.duration;
    let writers = (0..size.writers).map(|seed| {
        let objects = cluster.objects.clone();
        cluster.runtime.spawn(async move {
            let (mut rng, mut tried, mut made) = (SmallRng::seed_from_u64(seed), 0, 0);
            while Instant::now() < end {
                tried += 1;
                made += usize::from(Change::random(&mut rng).carry_out(&objects).await);
            }
            (tried, made)
        })
    });
    let counts = join_all(writers).await;
    counts
        .into_iter()
        .map(|count| count.expect("no writer panics"))
        .fold((0, 0), |(tried, made), count| (tried + count.0, made + count.1))
}

/// Whether a replica wrote an object of ours or an Event, rather than its Lease.
fn by_operator(entry: &Entry) -> bool {
    REPLICAS.contains(&&*entry.user) && entry.object.resource != "leases"
}
