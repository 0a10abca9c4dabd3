//! A great tree is deleted, and the leader is killed while it goes.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};

use super::{
    cluster::{Cluster, ENVIRONMENT, SHORT_LEASE},
    compare::{essence, known_objects},
    manifests::{deepest, membership_assignment, surroundings, tree},
    report::{report, seconds},
};
use crate::support::{bailiwick::Question, control_plane::REPLICAS, wait};

/// How long the news of a deletion may be on its way, on a machine that does all of this at once.
const AT_ONCE: Duration = Duration::from_secs(1);

struct Size {
    descendants: usize,
    assignments: usize,
    kills: usize,
    /// How long any one phase may take.
    limit: Duration,
}

#[test]
fn a_tree_goes_whatever_happens_to_the_leader() {
    scenario(&Size { descendants: 100, assignments: 200, kills: 1, limit: wait::PATIENCE });
}

#[test]
#[ignore = "takes minutes; `make soak` runs it"]
fn a_great_tree_goes_whatever_happens_to_the_leader() {
    scenario(&Size { descendants: 10_000, assignments: 20_000, kills: 5, limit: Duration::from_mins(20) });
}

fn scenario(size: &Size) {
    let &Size { descendants, assignments, kills, limit } = size;
    let mut cluster = Cluster::start(&SHORT_LEASE);

    let mut bystanders = surroundings();
    bystanders.extend(tree("safe", "acme", 30, 60));
    let mut doomed = tree("doomed", "acme", descendants, assignments);
    doomed.push(membership_assignment("doomed-watcher", "watcher", "viewer", "doomed"));
    let (spared, all) = (bystanders.len(), bystanders.len() + doomed.len());
    let begun = Instant::now();
    cluster.runtime.block_on(cluster.objects.create_all(bystanders.into_iter().chain(doomed)));
    let created = begun.elapsed();
    let before = cluster.wait_until_settled(all, limit);
    report("objects created", format!("{all} in {}", seconds(created)));
    report("until every status was right, from the first creation", seconds(begun.elapsed()));

    let leaf = deepest("doomed", descendants);
    let question = |resource| Question {
        environment: ENVIRONMENT,
        user: "watcher",
        action: "view",
        resource_type: "folder",
        resource,
    };
    cluster.wait_until_all_allow(question(&leaf));

    cluster.plane.kubectl(&["delete", "azres", "doomed", "--namespace", ENVIRONMENT, "--wait=false"]).ok();
    let deleted = Instant::now();
    let at_once = !cluster.any_allows(question(&leaf)) && !cluster.any_allows(question("doomed"));
    report("the first checks after kubectl's delete returned", if at_once { "denied" } else { "allowed" });
    wait::within(AT_ONCE, "everything is denied", || {
        let allowed = cluster.any_allows(question(&leaf)) || cluster.any_allows(question("doomed"));
        if allowed { Err("a check is allowed".to_owned()) } else { Ok(()) }
    });

    let mut rng = SmallRng::seed_from_u64(1);
    let mut when: Vec<usize> = (0..kills).map(|_| spared + (all - spared) * rng.random_range(15..95) / 100).collect();
    when.sort_unstable();
    while let Some(remaining) = when.pop() {
        let known = wait::within(limit, "the cascade goes on", || {
            let known = known_objects(&cluster.replicas[0]);
            if known <= remaining { Ok(known) } else { Err(format!("{known} objects remain")) }
        });
        assert!(known > spared, "the cascade was over before the leader was killed");
        let without = cluster.replace_leader();
        report(
            "leader killed",
            format!("with {} objects left to go; {} without one", known - spared, seconds(without)),
        );
        assert!(!cluster.any_allows(question(&leaf)) && !cluster.any_allows(question("doomed")), "access came back");
    }
    let after = cluster.wait_until_settled(spared, limit);
    report("cascade completed after", seconds(deleted.elapsed()));

    let spared_before = before.iter().filter(|(object, _)| !object.name.starts_with("doomed"));
    assert_eq!(spared_before.clone().map(|(object, _)| object).collect::<BTreeSet<_>>(), after.keys().collect());
    for (object, live) in spared_before {
        assert_eq!(essence(live), essence(&after[object]), "{object} was touched");
    }
    assert!(!cluster.any_allows(question(&leaf)));

    let log = cluster.plane.audit_log();
    let by_operator = || log.iter().filter(|entry| entry.is_ours() && REPLICAS.contains(&&*entry.user));
    let deletions: Vec<_> =
        by_operator().filter(|entry| entry.verb == "delete" && entry.succeeded()).map(|entry| &entry.object).collect();
    let distinct: BTreeSet<_> = deletions.iter().collect();
    assert!(deletions.iter().all(|object| object.name.starts_with("doomed")), "it deleted something else");
    assert_eq!(deletions.len(), distinct.len(), "it deleted something twice");
    report("deletions that the API server confirmed to the operator", deletions.len());
    let refused: Vec<_> = by_operator().filter(|entry| entry.code == 403).collect();
    assert!(refused.is_empty(), "RBAC refused {refused:#?}");
}
