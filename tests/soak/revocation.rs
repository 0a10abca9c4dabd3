//! How long it takes from a deletion that was accepted to the first denial.

use std::time::{Duration, Instant};

use futures::future::join_all;

use super::{
    cluster::{Cluster, ENVIRONMENT, SHORT_LEASE},
    manifests::{deepest, membership_assignment, surroundings, tree},
    poller::{decide, evaluation_url},
    report::{percentile, report, seconds},
};
use crate::support::{bailiwick::Question, http};
use bailiwick::graph::facts::Kind;

const DESCENDANTS: usize = 10;

#[test]
#[ignore = "takes minutes; `make soak` runs it"]
fn access_ends_within_moments_of_an_accepted_deletion() {
    let runs = 100;
    let cluster = Cluster::start(&SHORT_LEASE);
    let root = |run: usize| format!("doomed-{run}");
    let mut all = surroundings();
    for run in 0..runs {
        all.extend(tree(&root(run), "acme", DESCENDANTS, 2 * DESCENDANTS));
        all.push(membership_assignment(&format!("watcher-{run}"), "watcher", "viewer", &root(run)));
    }
    let count = all.len();
    cluster.runtime.block_on(cluster.objects.create_all(all));
    cluster.wait_until_settled(count, Duration::from_mins(5));

    let client = http::client().build().expect("a client");
    let urls = cluster.replicas.each_ref().map(evaluation_url);
    let mut delays = [Vec::new(), Vec::new()];
    let mut late = 0;
    for run in 0..runs {
        let leaf = deepest(&root(run), DESCENDANTS);
        let question = Question {
            environment: ENVIRONMENT,
            user: "watcher",
            action: "view",
            resource_type: "folder",
            resource: &leaf,
        };
        cluster.wait_until_all_allow(question);
        let evaluation = question.evaluation();
        let measured = cluster.runtime.block_on(async {
            cluster.objects.delete(Kind::Resource, &root(run)).await.expect("the deletion is accepted");
            let accepted = Instant::now();
            let until_denied = urls.iter().map(async |url| {
                let mut asked = 1;
                while decide(&client, url, &evaluation).await.expect("a decision") {
                    assert!(accepted.elapsed() < Duration::from_secs(10), "still allowed");
                    asked += 1;
                }
                (accepted.elapsed(), asked)
            });
            join_all(until_denied).await
        });
        for (delays, (delay, asked)) in delays.iter_mut().zip(measured) {
            delays.push(delay);
            late += usize::from(asked > 1);
        }
    }
    for (index, delays) in delays.iter_mut().enumerate() {
        delays.sort_unstable();
        let [p50, p99, most] = [50, 99, 100].map(|percent| seconds(percentile(delays, percent)));
        report(
            &format!("accepted deletion to denial, replica {}", index + 1),
            format!("p50 {p50}, p99 {p99}, at most {most}"),
        );
    }
    report("first checks after an accepted deletion that were still allowed", format!("{late} of {}", 2 * runs));
    assert!(delays.iter().all(|delays| percentile(delays, 99) < Duration::from_secs(1)), "revocation is slow");
}
