//! Many clients with the official SDK write and check at once what they wrote; in the end everything is as they know it.
//!
//! Two clients make a pair: they share an organization, a group and a role, and have different replicas where there are two.

mod client;
mod inventory;
mod model;
mod transport;

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    mem,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use futures::future::{join_all, try_join_all};
use rand::{SeedableRng as _, rngs::SmallRng};
use serde_json::{Value, json};
use tempfile::TempDir;
use workos::authorization as authz;

use self::{
    client::{Client, Complaints, Pair},
    inventory::{Inventory, inventory},
    transport::{Endpoint, Measured, PLACEHOLDER, ToEndpoint},
};
use super::{
    cluster::{Cluster, ENVIRONMENT, SHORT_LEASE},
    compare::disagreement,
    report::{percentile, report, seconds},
};
use crate::{
    support::{bailiwick::Bailiwick, control_plane::REPLICAS, http, manifests, runtime, wait},
    workos::{
        sdk_rust::client::{World, value},
        sdk_targets::RESOURCE_TYPES,
    },
};

struct Size {
    /// How many clients. Even.
    clients: usize,
    duration: Duration,
}

const SMALL: Size = Size { clients: 8, duration: Duration::from_secs(4) };
const DISTURBED: Size = Size { clients: 20, duration: Duration::from_secs(20) };
const FULL: Size = Size { clients: 50, duration: Duration::from_mins(1) };

#[test]
fn clients_of_a_folder_find_what_they_wrote() {
    over_a_folder(&SMALL);
}

#[test]
fn clients_of_two_replicas_find_what_they_wrote() {
    over_a_cluster(&SMALL);
}

#[test]
#[ignore = "takes minutes; `make soak` runs it"]
fn fifty_clients_of_a_folder_find_what_they_wrote() {
    over_a_folder(&FULL);
}

#[test]
#[ignore = "takes minutes; `make soak` runs it"]
fn fifty_clients_of_two_replicas_find_what_they_wrote() {
    over_a_cluster(&FULL);
}

#[test]
#[ignore = "takes minutes; `make soak` runs it"]
fn clients_go_on_when_a_replica_or_the_api_server_is_restarted() {
    let mut cluster = start_cluster();
    let mut clients = Clients::start(&DISTURBED, &cluster.replicas.each_ref());
    for disturbance in [restart_replica, restart_api_server] {
        let endpoints = clients.endpoints.clone();
        thread::scope(|scope| {
            // The thread that starts a replica has to outlive it, so the clients have one of their own.
            let working = scope.spawn(|| clients.work(DISTURBED.duration));
            thread::sleep(DISTURBED.duration / 4);
            disturbance(&mut cluster, &endpoints);
            working.join().expect("the clients work");
        });
        clients.assert_no_complaints();
    }
    compare(&cluster, &mut clients);
}

#[test]
#[ignore = "takes minutes; `make soak` runs it"]
fn clients_go_on_while_people_edit_the_folder() {
    let folder = Folder::new();
    let server = folder.serve();
    let mut clients = Clients::start(&DISTURBED, &[&server]);
    let by_hand = thread::scope(|scope| {
        let working = scope.spawn(|| clients.work(DISTURBED.duration));
        let mut number = 0;
        while !working.is_finished() {
            folder.edit(number);
            number += 1;
            thread::sleep(Duration::from_millis(200));
        }
        working.join().expect("the clients work");
        number
    });
    clients.assert_all_was_answered();
    report("files that were written by hand meanwhile", by_hand);
    let mut expected = clients.inventory();
    expected.extend((0..by_hand).map(|number| (format!("Resource By hand {number}"), 1)));
    assert_inventory(&expected, &inventory(folder.manifests().iter()));
    let fresh = folder.serve();
    wait::until("what was written last by hand is known", || {
        if server.objects(ENVIRONMENT) == fresh.objects(ENVIRONMENT) { Ok(()) } else { Err("it is not".to_owned()) }
    });
    clients.examine(&[&server, &fresh]);
}

/// Kills a replica and starts it again.
fn restart_replica(cluster: &mut Cluster, endpoints: &[Arc<Endpoint>]) {
    cluster.restart(1);
    endpoints[1].moved_to(&cluster.replicas[1].api);
}

/// Kills the API server and starts it again.
fn restart_api_server(cluster: &mut Cluster, _: &[Arc<Endpoint>]) {
    cluster.plane.kill_api_server();
    cluster.plane.start_api_server();
}

fn over_a_folder(size: &Size) {
    let folder = Folder::new();
    let server = folder.serve();
    let mut clients = Clients::start(size, &[&server]);
    clients.work(size.duration);
    clients.assert_all_was_answered();

    let expected = clients.inventory();
    assert_inventory(&expected, &inventory(folder.manifests().iter()));
    let fresh = folder.serve();
    assert_eq!(server.objects(ENVIRONMENT), fresh.objects(ENVIRONMENT), "the folder read anew says something else");
    clients.examine(&[&server, &fresh]);
}

fn over_a_cluster(size: &Size) {
    let cluster = start_cluster();
    let mut clients = Clients::start(size, &cluster.replicas.each_ref());
    clients.work(size.duration);
    clients.assert_all_was_answered();
    let log = cluster.plane.audit_log();
    let tried = log
        .iter()
        .filter(|entry| entry.is_ours() && entry.object.subresource.is_empty() && REPLICAS.contains(&&*entry.user));
    let (tried, conflicts) = tried.fold((0, 0), |(tried, conflicts), entry| {
        (tried + 1, conflicts + usize::from(matches!(entry.code, 409 | 422)))
    });
    report(
        "objects that the replicas wrote, and conflicts with other writers",
        format!("{}, {conflicts}", tried - conflicts),
    );
    compare(&cluster, &mut clients);
}

/// Two replicas with the schema of the clients.
fn start_cluster() -> Cluster {
    let mut arguments = SHORT_LEASE.to_vec();
    arguments.extend(["--default-environment", ENVIRONMENT]);
    let cluster = Cluster::start(&arguments);
    cluster.plane.apply(ENVIRONMENT, RESOURCE_TYPES);
    for replica in &cluster.replicas {
        wait::until("the replica knows the schema", || {
            let types = replica.objects(ENVIRONMENT);
            if types.len() == RESOURCE_TYPES.matches("kind: ").count() { Ok(()) } else { Err(format!("{types:?}")) }
        });
    }
    cluster
}

/// Waits until nothing is under way any more, and compares what the API server has with what clients and replicas know.
fn compare(cluster: &Cluster, clients: &mut Clients) {
    let patience = wait::PATIENCE * 2;
    let ended = Instant::now();
    wait::within(patience, "every status is right and nothing is under deletion", || {
        let listed = cluster.list();
        cluster.replicas.iter().find_map(|replica| disagreement(&listed, replica)).map_or(Ok(()), Err)
    });
    report("until nothing was under deletion and every status right, from the last write", seconds(ended.elapsed()));
    let listed: Vec<Value> = cluster
        .list()
        .into_iter()
        .map(|(object, live)| {
            let mut manifest = serde_json::to_value(live).expect("JSON");
            manifest["kind"] = json!(object.kind.as_str());
            manifest
        })
        .collect();
    assert_inventory(&clients.inventory(), &inventory(listed.iter()));
    let fresh = cluster.fresh_replica();
    let [one, other] = &cluster.replicas;
    for replica in [one, other] {
        assert_eq!(replica.objects(ENVIRONMENT), fresh.objects(ENVIRONMENT), "the graphs differ");
    }
    clients.examine(&[one, other, &fresh]);
}

/// A folder of manifests with the schema of the clients.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("types.yaml"), RESOURCE_TYPES).expect("a file of manifests");
        Self(folder)
    }

    fn serve(&self) -> Bailiwick {
        let folder = self.0.path().to_str().expect("a path in UTF-8");
        Bailiwick::start_ready(&["serve", "--manifests", folder, "--default-environment", ENVIRONMENT])
    }

    /// Writes as people do: a new file, and something else into one that is there.
    fn edit(&self, number: usize) {
        let declared = format!(
            "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Resource\nmetadata: {{name: by-hand-{number}}}\n\
             spec: {{type: organization, displayName: By hand {number}}}\n"
        );
        fs::write(self.0.path().join(format!("by-hand-{number}.yaml")), declared).expect("a file of manifests");
        // Added at the end: whoever wrote back what he read before would take away what was written meanwhile.
        let types = fs::OpenOptions::new().append(true).open(self.0.path().join("types.yaml"));
        types.expect("a file of manifests").write_all(format!("# {number}\n").as_bytes()).expect("a comment");
    }

    fn manifests(&self) -> Vec<Value> {
        let files = fs::read_dir(self.0.path()).expect("a folder").map(|entry| entry.expect("an entry").path());
        files.flat_map(|file: std::path::PathBuf| manifests::documents(Path::new(&file))).collect()
    }
}

/// Clients, one of each pair at each of two servers, or all at one.
struct Clients {
    all: Vec<Client>,
    endpoints: Vec<Arc<Endpoint>>,
    complaints: Complaints,
}

impl Clients {
    fn start(size: &Size, servers: &[&Bailiwick]) -> Self {
        let http = http::client().build().expect("a client");
        let endpoints: Vec<_> = servers.iter().map(|server| Endpoint::new(http.clone(), &server.api)).collect();
        let complaints = Complaints::default();
        let at = |number: usize| &endpoints[number % endpoints.len()];
        let started = Instant::now();
        let clients = runtime::block_on(async {
            let pairs = join_all((0..size.clients / 2).map(|number| make_pair(number, at(number)))).await;
            join_all(endpoints.iter().map(|endpoint| wait_until_known(endpoint, &pairs))).await;
            let numbered = pairs.iter().enumerate().flat_map(|(pair, made)| [(2 * pair, made), (2 * pair + 1, made)]);
            let clients = numbered.map(|(number, pair)| {
                let rng = SmallRng::seed_from_u64(number as u64);
                Client::new(number, (at(number), at(number + 1)), pair.clone(), rng, Arc::clone(&complaints))
            });
            join_all(clients).await
        });
        report("clients", clients.len());
        report("until each had its roles, memberships, workspaces and group", seconds(started.elapsed()));
        Self { all: clients, endpoints, complaints }
    }

    /// Lets the clients work at the same time, and reports how fast they were.
    fn work(&mut self, duration: Duration) {
        self.measured();
        self.endpoints.iter().for_each(|endpoint| endpoint.measure_anew());
        let end = Instant::now() + duration;
        let started = Instant::now();
        let steps: usize =
            runtime::block_on(join_all(self.all.iter_mut().map(|client| client.work(end)))).into_iter().sum();
        let took = started.elapsed();
        let measured = self.measured();
        report("changes with what was asked after each", steps);
        for (what, mut durations) in
            [("writes", measured.writes), ("checks", measured.checks), ("other reads", measured.reads)]
        {
            durations.sort_unstable();
            assert!(!durations.is_empty(), "no {what}");
            let [p50, p99, most] = [50, 99, 100].map(|percent| seconds(percentile(&durations, percent)));
            let count = u32::try_from(durations.len()).expect("so many in a minute");
            let rate = f64::from(count) / took.as_secs_f64();
            report(what, format!("{} ({rate:.0}/s): p50 {p50}, p99 {p99}, at most {most}", durations.len()));
        }
        let failures = measured.failures.len();
        report(
            "answers 503 with Retry-After, no answers",
            format!("{}, {}", measured.unavailable, measured.unanswered),
        );
        report("other failures of the server", failures);
        report("answers that were not as they had to be", self.complaints.lock().unwrap().len());
    }

    fn measured(&self) -> Measured {
        self.endpoints.iter().fold(Measured::default(), |sum, endpoint| sum.with(&endpoint.measured()))
    }

    /// Fails where a request was not answered, or an answer was not as it had to be.
    fn assert_all_was_answered(&self) {
        let Measured { unavailable, unanswered, .. } = self.measured();
        self.assert_no_complaints();
        assert_eq!((unavailable, unanswered), (0, 0), "answers 503, and no answers");
    }

    fn assert_no_complaints(&self) {
        let complaints = mem::take(&mut *self.complaints.lock().unwrap());
        let count = complaints.len();
        let some: Vec<_> = complaints.into_iter().take(20).collect();
        assert!(some.is_empty(), "{count} complaints, among them {some:#?}");
        let failures = self.measured().failures;
        assert!(failures.is_empty(), "failures of the server: {failures:#?}");
    }

    /// Asks all of these everything that the clients know.
    fn examine(&mut self, servers: &[&Bailiwick]) {
        let http = http::client().build().expect("a client");
        for server in servers {
            let endpoint = Endpoint::new(http.clone(), &server.api);
            runtime::block_on(join_all(self.all.iter_mut().map(|client| client.examine(&endpoint))));
            self.assert_no_complaints();
        }
    }

    /// What must be there in the end.
    fn inventory(&self) -> Inventory {
        let mut expected = vec!["Role member with []".to_owned()];
        for pair in self.all.chunks(2) {
            let shared = &pair[0].pair;
            expected.extend([format!("Resource {}", shared.organization_name())]);
            let mut users: Vec<_> = pair.iter().flat_map(|client| client.users_in(1)).collect();
            users.sort();
            expected.push(format!("Group {} with {users:?}", shared.group_name()));
            let mut permissions: Vec<_> = pair.iter().filter_map(Client::shared_permission).collect();
            permissions.sort_by_key(|permission| json!(permission).to_string());
            expected.push(format!("Role {} with {}", shared.role, json!(permissions)));
            expected.extend(pair.iter().flat_map(Client::inventory));
        }
        let mut inventory = Inventory::new();
        for words in expected {
            *inventory.entry(words).or_default() += 1;
        }
        inventory
    }
}

/// Everything is there once, and nothing else.
fn assert_inventory(expected: &Inventory, found: &Inventory) {
    let differing = |one: &Inventory, other: &Inventory| -> BTreeMap<String, usize> {
        one.iter()
            .filter(|(words, count)| other.get(*words) != Some(count))
            .map(|(words, count)| (words.clone(), *count))
            .collect()
    };
    let (lost, surplus) = (differing(expected, found), differing(found, expected));
    assert!(lost.is_empty() && surplus.is_empty(), "lost: {lost:#?}, too much: {surplus:#?}");
    report("objects and permissions in the end, each there once", found.len());
}

/// An organization with a group and a role.
async fn make_pair(number: usize, endpoint: &Arc<Endpoint>) -> Pair {
    let world = World::over(PLACEHOLDER, Arc::new(ToEndpoint(Arc::clone(endpoint))));
    let mut pair = Pair { organization: String::new(), group: String::new(), role: format!("org-pair-{number}") };
    pair.organization = world.organization(&pair.organization_name()).await.id;
    pair.group = world.group(&pair.organization, &pair.group_name(), &[]).await.id;
    let body = value(json!({"slug": pair.role, "name": pair.role}));
    let params = authz::CreateOrganizationRoleParams::new(body);
    world.client.authorization().create_organization_role(&pair.organization, params).await.expect("a role");
    pair
}

/// Waits until a replica knows what others have made.
async fn wait_until_known(endpoint: &Arc<Endpoint>, pairs: &[Pair]) {
    let world = World::over(PLACEHOLDER, Arc::new(ToEndpoint(Arc::clone(endpoint))));
    let deadline = Instant::now() + wait::PATIENCE;
    let known = async |pair: &Pair| {
        loop {
            let (groups, roles) = (world.client.groups(), world.client.authorization());
            let group = groups.get_organization_group(&pair.organization, &pair.group).await.map(drop);
            let role = roles.get_organization_role(&pair.organization, &pair.role).await.map(drop);
            match group.and(role) {
                Ok(()) => return Ok(()),
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    try_join_all(pairs.iter().map(known)).await.expect("all replicas know all pairs");
}
