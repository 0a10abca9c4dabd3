//! Answers that are asked for to be fresh, on two replicas whose watches are cut at random.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bailiwick::graph::facts::Kind;
use futures::future::{join, join_all};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::{task::spawn_blocking, time::sleep};

use super::{
    cluster::{ENVIRONMENT, SHORT_LEASE},
    report::{percentile, report, seconds},
};
use crate::support::{
    bailiwick::Bailiwick,
    control_plane::{ControlPlane, REPLICAS},
    http,
    objects::Objects,
    proxy::Proxy,
    runtime,
};

/// How large the scenario is.
struct Size {
    /// How many answers are asked for.
    questions: usize,
    /// How many write at a time, each a role of its own.
    writers: usize,
    /// Every so many-th write is one of kubectl, which takes long to start.
    kubectl_every: usize,
    /// The watches of each replica are cut after up to so long.
    most_between_cuts: Duration,
}

#[test]
fn no_answer_is_older_than_asked_for() {
    never_older(&Size { questions: 400, writers: 4, kubectl_every: 10, most_between_cuts: Duration::from_secs(2) });
}

#[test]
#[ignore = "takes minutes; `make soak` runs it"]
fn no_answer_of_ten_thousand_is_older_than_asked_for() {
    never_older(&Size { questions: 10_000, writers: 8, kubectl_every: 10, most_between_cuts: Duration::from_secs(3) });
}

/// What everybody in the scenario shares.
struct Scenario<'a> {
    size: &'a Size,
    plane: Arc<ControlPlane>,
    objects: Objects,
    client: Client,
    replicas: [Bailiwick; 2],
    asked: AtomicUsize,
    unavailable: AtomicUsize,
    by_kubectl: AtomicUsize,
    delays: Mutex<Vec<Duration>>,
    is_over: AtomicBool,
}

fn never_older(size: &Size) {
    let plane = Arc::new(ControlPlane::start());
    plane.permit_operator();
    plane.install_crds();
    plane.create_namespace(ENVIRONMENT);
    let proxies = [0; 2].map(|_| Proxy::to(plane.api_server_address()));
    let replicas: [Bailiwick; 2] = std::array::from_fn(|index| start(&plane, index, proxies[index].address));
    let objects = runtime::block_on(Objects::new(&plane, ENVIRONMENT));
    let mut world =
        vec![json!({ "kind": "Resource", "metadata": { "name": "acme" }, "spec": { "type": "organization" } })];
    for writer in 0..size.writers {
        world.push(role(writer, false));
        world.push(json!({
            "kind": "MembershipRoleAssignment", "metadata": { "name": name(writer) },
            "spec": { "membershipRef": { "name": name(writer) }, "roleRef": { "name": name(writer) }, "resourceRef": { "name": "acme" } },
        }));
    }
    runtime::block_on(objects.create_all(world));

    let scenario = Scenario {
        size,
        plane: Arc::clone(&plane),
        objects,
        client: http::client().build().expect("a client"),
        replicas,
        asked: AtomicUsize::default(),
        unavailable: AtomicUsize::default(),
        by_kubectl: AtomicUsize::default(),
        delays: Mutex::default(),
        is_over: AtomicBool::default(),
    };
    let cuts = runtime::block_on(async {
        let writing = async {
            join_all((0..size.writers).map(|writer| scenario.write_and_ask(writer))).await;
            scenario.is_over.store(true, Ordering::Relaxed);
        };
        let cutting = join_all(proxies.iter().enumerate().map(|(index, proxy)| scenario.cut(index, proxy)));
        let beside = join(cutting, scenario.churn());
        let ((), (cuts, ())) = join(writing, beside).await;
        cuts.into_iter().sum::<usize>()
    });

    let mut delays = scenario.delays.into_inner().expect("nobody panicked");
    delays.sort_unstable();
    let [p50, p99, most] = [50, 99, 100].map(|percent| seconds(percentile(&delays, percent)));
    report("answers asked for with a resourceVersion or a token", scenario.asked.load(Ordering::Relaxed));
    report("of them older than asked for", 0);
    report("resourceVersions printed by kubectl", scenario.by_kubectl.load(Ordering::Relaxed));
    report("connections to the API server cut meanwhile", cuts);
    report(
        "answers that were not to be had in time (503), and asked for again",
        scenario.unavailable.load(Ordering::Relaxed),
    );
    report("from question to answer", format!("p50 {p50}, p99 {p99}, at most {most}"));
    assert!(cuts > 0, "no connection was cut");
}

impl Scenario<'_> {
    /// Changes what a role permits, and asks both replicas as of then, again and again.
    async fn write_and_ask(&self, writer: usize) {
        let mut random = SmallRng::seed_from_u64(writer as u64);
        // What it writes is of effect only beside what was written before.
        let world = self.objects.newest().await;
        for replica in &self.replicas {
            let (decision, _) = self.ask(replica, writer, &world).await;
            assert!(!decision, "writer {writer}: nothing is permitted yet");
        }
        for round in 1.. {
            if self.asked.load(Ordering::Relaxed) >= self.size.questions {
                return;
            }
            let allowed = round % 2 == 1;
            let version = if random.random_range(0..self.size.kubectl_every) == 0 {
                self.apply(writer, allowed).await
            } else {
                let patch = json!({ "spec": role(writer, allowed)["spec"] });
                self.objects.merge_versioned(Kind::Role, &name(writer), &patch).await.expect("a write")
            };
            let at_least = json!({ "kind": "Role", "resourceVersion": version }).to_string();
            let answers = self.replicas.each_ref().map(|replica| self.ask(replica, writer, &at_least));
            let tokens = join_all(answers).await.into_iter().map(|(decision, token)| {
                assert_eq!(decision, allowed, "writer {writer}, round {round}: older than {at_least}");
                token
            });
            // What one replica has shown, the other must not take back.
            let crosswise = self.replicas.iter().rev().zip(tokens).map(async |(replica, token)| {
                let (decision, _) = self.ask(replica, writer, &token).await;
                assert_eq!(decision, allowed, "writer {writer}, round {round}: older than what another replica showed");
            });
            join_all(crosswise).await;
        }
    }

    /// Writes by kubectl, and takes the resource version that it prints.
    async fn apply(&self, writer: usize, allowed: bool) -> String {
        let mut manifest = role(writer, allowed);
        manifest["apiVersion"] = json!(bailiwick::api::API_VERSION);
        // Not on the server's side, where sets of several owners are united.
        let arguments = ["apply", "--namespace", ENVIRONMENT, "--filename", "-", "--output", "json"];
        let plane = Arc::clone(&self.plane);
        let printed = spawn_blocking(move || plane.kubectl_with(&arguments, &manifest.to_string()).ok());
        let printed = printed.await.expect("kubectl succeeds");
        self.by_kubectl.fetch_add(1, Ordering::Relaxed);
        let object: Value = serde_json::from_str(&printed).expect("an object");
        object["metadata"]["resourceVersion"].as_str().expect("a resource version").to_owned()
    }

    /// The decision as of at least then, and the token of the answer. Asks again where it is not to be had in time.
    async fn ask(&self, replica: &Bailiwick, writer: usize, at_least: &str) -> (bool, String) {
        let url = format!("http://{}/environments/{ENVIRONMENT}/access/v1/evaluation", replica.api);
        let question = json!({
            "subject": { "type": "membership", "id": name(writer) },
            "action": { "name": "organization:edit" },
            "resource": { "type": "organization", "id": "acme" },
        });
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < Duration::from_mins(2), "{at_least} never comes: {}", replica.log());
            let request = self.client.post(&url).json(&question).header("Bailiwick-At-Least", at_least);
            let answer = request.send().await.expect("an answer");
            if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
                self.unavailable.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let token =
                answer.headers().get("bailiwick-revision").map(|token| token.to_str().expect("text").to_owned());
            let status = answer.status();
            let body: Value = answer.json().await.expect("JSON");
            assert_eq!(status, StatusCode::OK, "{at_least}: {body}");
            self.asked.fetch_add(1, Ordering::Relaxed);
            self.delays.lock().unwrap().push(begun.elapsed());
            return (body["decision"].as_bool().expect("a decision"), token.expect("a revision"));
        }
    }

    /// Cuts the connections of a replica at random. How many were cut.
    async fn cut(&self, index: usize, proxy: &Proxy) -> usize {
        let mut random = SmallRng::seed_from_u64(1000 + index as u64);
        let mut cuts = 0;
        while !self.is_over.load(Ordering::Relaxed) {
            sleep(self.size.most_between_cuts.mul_f64(random.random())).await;
            cuts += proxy.cut();
        }
        cuts
    }

    /// Writes what nobody asks for.
    async fn churn(&self) {
        let mut count = 0;
        while !self.is_over.load(Ordering::Relaxed) {
            let name = format!("churn-{}", count % 20);
            let group = json!({ "kind": "Group", "metadata": { "name": name }, "spec": { "organizationRef": { "name": "acme" }, "members": [format!("m-{count}")] } });
            if self.objects.create(group).await.is_err() {
                // It is there from an earlier turn, or under deletion.
                let _ = self.objects.delete(Kind::Group, &name).await;
            }
            count += 1;
        }
    }
}

fn name(writer: usize) -> String {
    format!("writer-{writer}")
}

/// The role of a writer, which permits something or nothing.
fn role(writer: usize, allowed: bool) -> Value {
    let permissions: &[&str] = if allowed { &["organization:edit"] } else { &[] };
    json!({ "kind": "Role", "metadata": { "name": name(writer) }, "spec": { "permissions": permissions } })
}

/// Starts a replica that reaches the API server by another address, and waits until it is ready.
fn start(plane: &ControlPlane, index: usize, api_server: SocketAddr) -> Bailiwick {
    let kubeconfig = plane.kubeconfig_by(api_server);
    let arguments = [
        &["run", "--kubeconfig", kubeconfig.to_str().expect("a path"), "--context", REPLICAS[index]][..],
        &["--lease-namespace", "default", "--max-freshness-wait", "10s"],
        &SHORT_LEASE,
    ];
    let replica = Bailiwick::start(&arguments.concat());
    replica.wait_until_ready();
    replica
}
