//! The leader is killed while objects come: another one takes over, nothing is written twice, and checks are answered
//! all the time.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bailiwick::graph::facts::Timestamp;
use tokio::time::interval;

use super::{
    cluster::{Cluster, DEFAULT_LEASE, ENVIRONMENT, SHORT_LEASE, leads},
    manifests::{membership_assignment, surroundings, tree},
    poller::Poller,
    report::{report, seconds},
};
use crate::support::{audit::Entry, bailiwick::Question, control_plane::REPLICAS, wait};

const ALLOWED: Question<'_> =
    Question { environment: ENVIRONMENT, user: "watcher", action: "view", resource_type: "folder", resource: "safe-9" };

#[test]
fn another_leader_takes_over_and_nothing_is_written_twice() {
    scenario(&SHORT_LEASE, Duration::from_secs(15));
}

#[test]
#[ignore = "waits for a lease of the usual length; `make soak` runs it"]
fn another_leader_takes_over_a_lease_of_the_usual_length() {
    scenario(&DEFAULT_LEASE, Duration::from_secs(25));
}

fn scenario(lease: &[&'static str], limit: Duration) {
    let mut cluster = Cluster::start(lease);
    let mut world = surroundings();
    world.extend(tree("safe", "acme", 10, 10));
    world.push(membership_assignment("watcher", "watcher", "viewer", "safe"));
    let created = world.len();
    cluster.runtime.block_on(cluster.objects.create_all(world));
    cluster.wait_until_settled(created, wait::PATIENCE);
    cluster.wait_until_all_allow(ALLOWED);

    let old = cluster.wait_for_leader();
    let survivor = 1 - old;
    let pollers = [0, 1].map(|index| Poller::start(&cluster.runtime, &cluster.replicas[index], ALLOWED, true));
    let stop = Arc::new(AtomicBool::new(false));
    let stream = {
        let (objects, stop) = (cluster.objects.clone(), Arc::clone(&stop));
        cluster.runtime.spawn(async move {
            let (mut pace, mut count) = (interval(Duration::from_millis(20)), 0);
            while !stop.load(Ordering::Relaxed) {
                pace.tick().await;
                let manifest =
                    membership_assignment(&format!("stream-{count}"), &format!("stream-{count}"), "viewer", "safe");
                objects.create(manifest).await.expect("an assignment is created");
                count += 1;
            }
            count
        })
    };
    wait_until_streamed_by(&cluster, old);

    let [a, b] = pollers;
    let (of_old, of_survivor) = if old == 0 { (a, b) } else { (b, a) };
    let of_old = of_old.stop(&cluster.runtime);
    let killed = (Timestamp::now(), Instant::now());
    cluster.replicas[old].process.kill();
    wait::within(limit, "the other replica leads", || {
        if leads(&cluster.replicas[survivor]) { Ok(()) } else { Err("it does not".to_owned()) }
    });
    let leading = killed.1.elapsed();
    wait_until_streamed_by(&cluster, survivor);
    stop.store(true, Ordering::Relaxed);
    let streamed: usize = cluster.runtime.block_on(stream).expect("the stream does not panic");
    let of_survivor = of_survivor.stop(&cluster.runtime);
    wait::until("every status of the stream is written", || {
        let listed = cluster.list();
        let missing = listed.values().filter(|object| object.data["status"].is_null()).count();
        if missing == 0 { Ok(()) } else { Err(format!("{missing} have none")) }
    });

    let log = cluster.plane.audit_log();
    let writes = |index: usize| log.iter().filter(move |entry| entry.user == REPLICAS[index] && entry.is_ours());
    let last = writes(old).max_by_key(|entry| entry.answered).expect("a write by the old leader");
    let first = writes(survivor).min_by_key(|entry| entry.received).expect("a write by the new leader");
    assert!(last.answered < first.received, "both wrote: {last:?} and {first:?}");
    let mut statuses: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in log.iter().filter(|entry| is_of_the_stream(entry) && entry.succeeded()) {
        *statuses.entry(&entry.object.name).or_default() += 1;
    }
    let twice: Vec<_> = statuses.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "written more than once: {twice:?}");

    assert!(of_old.failures.is_empty() && of_old.wrong == 0, "before it was killed: {of_old:?}");
    assert!(of_survivor.failures.is_empty() && of_survivor.wrong == 0, "the replica that remained: {of_survivor:?}");
    assert!(of_survivor.longest_gap < Duration::from_secs(2), "a gap in the answers: {of_survivor:?}");
    let silence = first.received.duration_since(killed.0);
    report("the lease changed hands, after the leader was killed", seconds(leading));
    report("first write of the new leader, after the kill", seconds(silence.unsigned_abs()));
    report("assignments created meanwhile, and statuses written twice", format!("{streamed}, {}", twice.len()));
    report(
        "checks answered meanwhile by the replica that remained, and the longest gap",
        format!("{}, {}", of_survivor.answers, seconds(of_survivor.longest_gap)),
    );
}

/// Waits until a replica has written a good many statuses of the stream.
fn wait_until_streamed_by(cluster: &Cluster, replica: usize) {
    wait::until("the leader writes statuses of the stream", || {
        let log = cluster.plane.audit_log();
        let written = log.iter().filter(|entry| entry.user == REPLICAS[replica] && is_of_the_stream(entry)).count();
        if written >= 50 { Ok(()) } else { Err(format!("{written} so far")) }
    });
}

fn is_of_the_stream(entry: &Entry) -> bool {
    entry.object.name.starts_with("stream-") && entry.object.subresource == "status"
}
