//! Who leads, whatever ends, fails or interferes.

use std::time::Duration;

use bailiwick::controller::lease::{Election, Leadership, LeaseOptions};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use prometheus_client::{encoding::text, registry::Registry};
use serde_json::Value;
use tokio::{
    task::JoinHandle,
    time::{Instant, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::support::{
    control_plane::ControlPlane,
    wait::{self, PATIENCE},
};

/// Short enough to be waited for.
const SHORT: [Duration; 3] = [Duration::from_secs(3), Duration::from_secs(2), Duration::from_millis(300)];

/// So long that a test which waited for its end would fail.
const LONG: [Duration; 3] = [Duration::from_mins(10), Duration::from_mins(5), Duration::from_millis(200)];

/// A replica, as far as the election goes.
struct Candidate {
    leadership: Leadership,
    registry: Registry,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Candidate {
    async fn start(plane: &ControlPlane, namespace: &str, identity: &str, times: [Duration; 3]) -> Self {
        let kubeconfig = Kubeconfig::read_from(plane.kubeconfig()).expect("a kubeconfig");
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
        let client = Client::try_from(config.expect("a configuration")).expect("a client");
        let [duration, renew_deadline, retry] = times;
        let identity = identity.to_owned();
        let options = LeaseOptions { identity, duration, renew_deadline, retry, ..LeaseOptions::new(namespace) };
        let mut registry = Registry::default();
        let (election, leadership) = Election::new(client, options, &mut registry).expect("valid options");
        let stop = CancellationToken::new();
        Self { leadership, registry, task: tokio::spawn(election.run(stop.clone())), stop }
    }

    async fn acquired(&mut self) {
        timeout(PATIENCE, self.leadership.acquired()).await.expect("it leads");
        assert!(self.leadership.holds());
    }

    async fn lost(&mut self) {
        timeout(PATIENCE, self.leadership.lost()).await.expect("it no longer leads");
        assert!(!self.leadership.holds());
    }

    /// Ends as after SIGKILL: what it holds is not released.
    async fn die(&mut self) {
        self.task.abort();
        assert!((&mut self.task).await.expect_err("the task is gone").is_cancelled());
    }

    fn metric(&self, name: &str) -> i64 {
        let mut text = String::new();
        text::encode(&mut text, &self.registry).expect("metrics");
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.expect("the metric").parse().expect("a number")
    }
}

/// Fails as soon as both hold the claim at one instant, and ends with the second one's first claim.
async fn one_after_the_other(first: Leadership, second: Leadership) {
    let mut ticks = interval(Duration::from_millis(1));
    loop {
        ticks.tick().await;
        // The first is asked after the second: it must not hold when the second already does.
        if second.holds() {
            assert!(!first.holds(), "two lead at once");
            return;
        }
    }
}

fn record(plane: &ControlPlane, namespace: &str) -> Value {
    let text = plane.kubectl(&["get", "lease", "bailiwick", "--namespace", namespace, "--output", "json"]).ok();
    serde_json::from_str::<Value>(&text).expect("JSON")["spec"].take()
}

fn wait_until_renewed(plane: &ControlPlane, namespace: &str) {
    let before = record(plane, namespace);
    wait::until("the claim is renewed", || {
        let now = record(plane, namespace);
        if now["renewTime"] == before["renewTime"] { Err(now.to_string()) } else { Ok(()) }
    });
}

fn overwrite(plane: &ControlPlane, namespace: &str, spec: &str) {
    let patch = format!(r#"{{"spec": {spec}}}"#);
    plane.kubectl(&["patch", "lease", "bailiwick", "--namespace", namespace, "--type=merge", "--patch", &patch]).ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_dies_is_followed_after_the_duration_and_never_before() {
    let (plane, namespace) = (ControlPlane::shared(), "lease-death");
    plane.create_namespace(namespace);
    let mut first = Candidate::start(plane, namespace, "first", SHORT).await;
    first.acquired().await;
    let mut second = Candidate::start(plane, namespace, "second", SHORT).await;
    let before = record(plane, namespace);
    assert_eq!(before["holderIdentity"], "first", "{before}");
    assert_eq!((before["leaseDurationSeconds"].clone(), before["leaseTransitions"].clone()), (3.into(), 0.into()));
    wait_until_renewed(plane, namespace);
    assert_eq!(record(plane, namespace)["acquireTime"], before["acquireTime"], "renewed, not taken anew");
    assert!(first.leadership.holds() && !second.leadership.holds());

    let watch = tokio::spawn(one_after_the_other(first.leadership.clone(), second.leadership.clone()));
    let [duration, _, retry] = SHORT;
    let died = Instant::now();
    first.die().await;
    second.acquired().await;
    let takeover = died.elapsed();
    assert!(takeover + 2 * retry >= duration, "the others waited for {takeover:?} only");
    assert!(takeover <= duration * 4, "nobody led for {takeover:?}");
    watch.await.expect("one leads at a time");
    first.lost().await;

    let after = record(plane, namespace);
    assert_eq!((after["holderIdentity"].clone(), after["leaseTransitions"].clone()), ("second".into(), 1.into()));
    assert_ne!(after["acquireTime"], before["acquireTime"]);
    assert_eq!((first.metric("lease_held"), second.metric("lease_held")), (0, 1));
    assert_eq!(second.metric("lease_transitions_total"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_is_stopped_is_followed_at_once() {
    let (plane, namespace) = (ControlPlane::shared(), "lease-release");
    plane.create_namespace(namespace);
    let mut first = Candidate::start(plane, namespace, "first", LONG).await;
    first.acquired().await;
    let mut second = Candidate::start(plane, namespace, "second", LONG).await;

    let watch = tokio::spawn(one_after_the_other(first.leadership.clone(), second.leadership.clone()));
    first.stop.cancel();
    timeout(PATIENCE, &mut first.task).await.expect("it ends").expect("without a panic");
    first.lost().await;
    second.acquired().await;
    watch.await.expect("one leads at a time");
    assert_eq!(first.metric("lease_transitions_total"), 2);

    second.stop.cancel();
    timeout(PATIENCE, &mut second.task).await.expect("it ends").expect("without a panic");
    let after = record(plane, namespace);
    assert_eq!((after["holderIdentity"].clone(), after["leaseDurationSeconds"].clone()), ("".into(), 1.into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_candidate_that_is_stopped_takes_nothing_from_the_leader() {
    let (plane, namespace) = (ControlPlane::shared(), "lease-bystander");
    plane.create_namespace(namespace);
    let mut first = Candidate::start(plane, namespace, "first", LONG).await;
    first.acquired().await;
    let mut second = Candidate::start(plane, namespace, "second", LONG).await;
    second.stop.cancel();
    timeout(PATIENCE, &mut second.task).await.expect("it ends").expect("without a panic");
    assert_eq!(record(plane, namespace)["holderIdentity"], "first");
    assert!(first.leadership.holds());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_without_an_api_server_ceases_by_itself_and_leads_again() {
    let plane = ControlPlane::start();
    let mut only = Candidate::start(&plane, "default", "only", SHORT).await;
    only.acquired().await;
    plane.kill_api_server();
    let [_, renew_deadline, _] = SHORT;
    timeout(renew_deadline + Duration::from_secs(1), only.leadership.lost()).await.expect("it ceases in time");
    assert!(!only.leadership.holds());
    assert_eq!(only.metric("lease_held"), 0);
    wait::until("the failures are counted", || match only.metric("lease_errors_total") {
        0 => Err("none is".to_owned()),
        _ => Ok(()),
    });

    plane.start_api_server();
    only.acquired().await;
    assert_eq!(only.metric("lease_held"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_others_do_to_the_lease_somebody_leads_again() {
    let (plane, namespace) = (ControlPlane::shared(), "lease-interference");
    plane.create_namespace(namespace);
    let mut first = Candidate::start(plane, namespace, "first", LONG).await;
    first.acquired().await;
    let second = Candidate::start(plane, namespace, "second", LONG).await;

    // As often as the first renews it the second looks at it, and knows of the first by then.
    for _ in 0..5 {
        wait_until_renewed(plane, namespace);
    }
    // Who led a lease that is deleted goes on; the other must not be faster.
    plane.kubectl(&["delete", "lease", "bailiwick", "--namespace", namespace]).ok();
    wait::until("the lease is there again", || {
        let answer = plane.kubectl(&["get", "lease", "bailiwick", "--namespace", namespace]);
        if answer.success { Ok(()) } else { Err(answer.stderr) }
    });
    assert_eq!(record(plane, namespace)["holderIdentity"], "first");
    assert!(first.leadership.holds() && !second.leadership.holds());

    plane.kubectl(&["label", "lease", "bailiwick", "--namespace", namespace, "team=platform"]).ok();
    wait_until_renewed(plane, namespace);
    assert_eq!(record(plane, namespace)["holderIdentity"], "first");
    let labels = ["get", "lease", "bailiwick", "--namespace", namespace, "--output", "jsonpath={.metadata.labels}"];
    assert!(plane.kubectl(&labels).ok().contains("platform"), "labels are left alone");

    overwrite(plane, namespace, r#"{"holderIdentity": "stranger", "leaseDurationSeconds": 1}"#);
    first.lost().await;
    wait::until("one of the two leads", || {
        let leads = [&first, &second].map(|candidate| candidate.leadership.holds());
        assert_ne!(leads, [true, true], "two lead at once");
        if leads == [false, false] { Err("none does".to_owned()) } else { Ok(()) }
    });
    assert_ne!(record(plane, namespace)["holderIdentity"], "stranger");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_whose_answer_was_lost_is_known_by_its_identity() {
    let (plane, namespace) = (ControlPlane::shared(), "lease-leftover");
    plane.create_namespace(namespace);
    let mut candidate = Candidate::start(plane, namespace, "the-same", LONG).await;
    candidate.acquired().await;
    candidate.die().await;
    let mut same = Candidate::start(plane, namespace, "the-same", LONG).await;
    same.acquired().await;
    assert_eq!(record(plane, namespace)["leaseTransitions"], 0);
}
