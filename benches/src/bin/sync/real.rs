//! A real API server with etcd, from hack/control-plane.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use bailiwick::{graph::facts::Kind, source::cluster::resource};
use kube::{
    Api, Client, Config,
    api::{DeleteParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
    core::DynamicObject,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::{
    program::ROOT,
    recipe::{ENVIRONMENT, Recipe},
};

const PATIENCE: Duration = Duration::from_mins(2);

/// How many objects are created at a time.
const CONCURRENT_CREATIONS: usize = 32;

/// Who may read the objects and nothing else, and so never leads.
const READER: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{apiGroups: [authz.bailiwick.dev], resources: ['*'], verbs: [get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: operator}]
";

/// As whom the program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// May do everything, and leads.
    Leader,
    /// May read, and only follows.
    Follower,
}

/// A control plane with the custom resource definitions, which ends when this is dropped.
pub struct ControlPlane {
    // The last one first: each needs the one before it.
    servers: Vec<Child>,
    pub folder: TempDir,
    binaries: PathBuf,
}

impl ControlPlane {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let printed = output(&mut script("binaries"));
        let binaries = PathBuf::from(String::from_utf8_lossy(&printed.stdout).trim());
        output(script("prepare").arg(folder.path()));
        let mut plane = Self { servers: Vec::new(), folder, binaries };
        for server in ["etcd", "kube-apiserver"] {
            let log = File::create(plane.folder.path().join(format!("{server}.log"))).expect("a log file");
            let mut start = script("start");
            start.arg(server).arg(plane.folder.path()).env("KUBEBUILDER_ASSETS", &plane.binaries);
            let start = start.stdin(Stdio::null()).stdout(log.try_clone().expect("a second handle")).stderr(log);
            plane.servers.insert(0, start.spawn().expect("a server"));
        }
        let deadline = Instant::now() + PATIENCE;
        while !plane.kubectl(&["get", "--raw", "/readyz"]).status.success() {
            assert!(Instant::now() < deadline, "the API server is not ready; see {}", plane.folder.path().display());
            sleep(Duration::from_millis(200));
        }
        let crds = format!("{ROOT}/crds");
        let reader = plane.folder.path().join("reader.yaml");
        std::fs::write(&reader, READER).expect("a manifest");
        for arguments in [
            &["apply", "--server-side", "-f", &crds][..],
            &["wait", "--for=condition=Established", "--timeout=60s", "-f", &crds],
            &["create", "namespace", ENVIRONMENT],
            &["apply", "-f", &reader.to_string_lossy()],
        ] {
            let done = plane.kubectl(arguments);
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        }
        plane
    }

    /// How the program is told of it.
    pub fn arguments(&self, role: Role) -> Vec<String> {
        let context = match role {
            Role::Leader => "admin",
            Role::Follower => "operator",
        };
        let kubeconfig = self.kubeconfig().to_string_lossy().into_owned();
        ["--kubeconfig", &kubeconfig, "--context", context, "--lease-namespace", "default"].map(str::to_owned).to_vec()
    }

    pub async fn client(&self) -> Client {
        let kubeconfig = Kubeconfig::read_from(self.kubeconfig()).expect("the kubeconfig");
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
        Client::try_from(config.expect("a configuration")).expect("a client")
    }

    fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    fn kubectl(&self, arguments: &[&str]) -> Output {
        let mut kubectl = Command::new(self.binaries.join("kubectl"));
        kubectl.arg("--cache-dir").arg(self.folder.path().join("cache")).arg("--kubeconfig").arg(self.kubeconfig());
        kubectl.args(arguments).output().expect("kubectl")
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        for server in &mut self.servers {
            // Both fail only where it has ended before.
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

fn script(name: &str) -> Command {
    Command::new(Path::new(ROOT).join("hack/control-plane").join(name))
}

fn output(command: &mut Command) -> Output {
    let output = command.stderr(Stdio::inherit()).output().expect("a script that can be executed");
    assert!(output.status.success(), "{command:?} ended with {}", output.status);
    output
}

/// The objects of the environment, to be written.
#[derive(Clone)]
pub struct Objects {
    client: Client,
}

impl Objects {
    pub const fn new(client: Client) -> Self {
        Self { client }
    }

    fn api(&self, kind: Kind) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), ENVIRONMENT, &resource(kind))
    }

    pub async fn create(&self, kind: Kind, name: &str, spec: Value) {
        let object = DynamicObject::new(name, &resource(kind)).data(json!({ "spec": spec }));
        self.api(kind).create(&PostParams::default(), &object).await.expect("it is created");
    }

    pub async fn delete(&self, kind: Kind, name: &str) {
        self.api(kind).delete(name, &DeleteParams::default()).await.expect("it is deleted");
    }

    /// Creates all objects of a recipe, and tells how long that took.
    pub async fn create_all(&self, recipe: Recipe) -> Duration {
        let began = Instant::now();
        for kind in Kind::ALL {
            let next = Arc::new(AtomicUsize::new(0));
            let creators: JoinSet<()> = (0..CONCURRENT_CREATIONS)
                .map(|_| {
                    let (objects, next) = (self.clone(), Arc::clone(&next));
                    async move {
                        loop {
                            let index = next.fetch_add(1, Ordering::Relaxed);
                            if index >= recipe.count(kind) {
                                return;
                            }
                            objects.create(kind, &recipe.name(kind, index), recipe.spec(kind, index)).await;
                        }
                    }
                })
                .collect();
            creators.join_all().await;
        }
        began.elapsed()
    }
}
