//! A real Kubernetes API server for tests.

use std::{
    env,
    fs::{self, File},
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{LazyLock, Mutex},
};

use serde_json::{Value, json};

use super::{
    audit::{self, Entry},
    bailiwick::Bailiwick,
    manifests,
    process::{self, Process},
    wait,
};

/// The folder of the generated custom resource definitions.
pub const CRDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");

/// What the operator may do in a cluster.
const RBAC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/operator/rbac.yaml");

/// What it may do besides, to make the certificate of its admission webhook.
const RBAC_CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/operator/rbac-certificate.yaml");

/// The users that operators run as, so that the audit log tells one replica from another.
pub const REPLICAS: [&str; 3] = ["operator", "operator-2", "operator-3"];

/// etcd, kube-apiserver and, where wanted, kube-controller-manager on free ports of loopback, with data of their own.
///
/// All of it is gone when this is dropped, and when the tests end in any way.
#[derive(Debug)]
pub struct ControlPlane {
    folder: PathBuf,
    etcd: Mutex<Option<Process>>,
    api_server: Mutex<Option<Process>>,
    controller_manager: Mutex<Option<Process>>,
    janitor: Mutex<Child>,
}

/// How a call of kubectl ended.
#[derive(Debug)]
pub struct Kubectl {
    /// Whether its exit code was 0.
    pub success: bool,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

impl Kubectl {
    /// What it printed, where it succeeded.
    #[track_caller]
    pub fn ok(self) -> String {
        assert!(self.success, "kubectl failed: {}{}", self.stdout, self.stderr);
        self.stdout
    }
}

impl ControlPlane {
    /// The one that all tests share that do not stop it. It has the custom resource definitions; a test works in a
    /// namespace of its own, and operators are restricted to those of their test.
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<ControlPlane> = LazyLock::new(|| process::kept(ControlPlane::start_whole));
        &SHARED
    }

    /// Starts one with custom resource definitions and with kube-controller-manager.
    pub fn start_whole() -> Self {
        let started = Self::start();
        started.start_controller_manager();
        started.install_crds();
        started
    }

    /// Starts one without custom resource definitions and without kube-controller-manager.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("bailiwick-").tempdir().expect("a temporary folder").keep();
        run(Command::new(script("prepare")).arg(&folder));
        // Removes the folder as soon as this process lets go of the pipe, however it ends.
        let janitor = Command::new("sh")
            .args(["-c", "cat; until rm -rf -- \"$1\"; do :; done 2> /dev/null", "sh"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell");
        let started = Self {
            folder,
            etcd: Mutex::default(),
            api_server: Mutex::default(),
            controller_manager: Mutex::default(),
            janitor: Mutex::new(janitor),
        };
        started.start_etcd();
        started.start_api_server();
        started.record_version();
        started
    }

    /// Starts etcd, on the same port and data as before.
    pub fn start_etcd(&self) {
        *self.etcd.lock().unwrap() = Some(self.start_server("etcd"));
    }

    /// Kills etcd: SIGKILL.
    pub fn kill_etcd(&self) {
        *self.etcd.lock().unwrap() = None;
    }

    /// Keeps what etcd has now. It is away meanwhile.
    pub fn back_up_etcd(&self) {
        self.kill_etcd();
        run(Command::new("cp").arg("--recursive").arg(self.folder.join("etcd")).arg(self.folder.join("etcd-backup")));
        self.start_etcd();
        self.wait_until_ready();
    }

    /// Restores what was kept, as one does: with the API server stopped.
    pub fn restore_etcd(&self) {
        self.kill_api_server();
        self.kill_etcd();
        fs::remove_dir_all(self.folder.join("etcd")).expect("the data of etcd");
        run(Command::new("cp").arg("--recursive").arg(self.folder.join("etcd-backup")).arg(self.folder.join("etcd")));
        self.start_etcd();
        self.start_api_server();
    }

    /// Starts kube-apiserver, on the same port as before, and waits until it is ready.
    pub fn start_api_server(&self) {
        *self.api_server.lock().unwrap() = Some(self.start_server("kube-apiserver"));
        self.wait_until_ready();
    }

    /// Has kube-apiserver authorize as this AuthorizationConfiguration says, from its next start on.
    pub fn authorize(&self, configuration: &str) {
        fs::write(self.folder.join("authorization.yaml"), configuration).expect("a file");
    }

    /// Has kube-apiserver authorize by RBAC, and then by the webhook of this kubeconfig, from its next start on.
    pub fn authorize_by_webhook(&self, kubeconfig: &str) {
        let _ = fs::remove_file(self.folder.join("authorization.yaml"));
        fs::write(self.folder.join("authorization-webhook.kubeconfig"), kubeconfig).expect("a file");
    }

    /// Kills kube-apiserver: SIGKILL.
    pub fn kill_api_server(&self) {
        *self.api_server.lock().unwrap() = None;
    }

    /// Starts kube-controller-manager, which deletes the content of namespaces and what is owned.
    pub fn start_controller_manager(&self) {
        *self.controller_manager.lock().unwrap() = Some(self.start_server("kube-controller-manager"));
    }

    /// Waits until the API server says that it is ready.
    pub fn wait_until_ready(&self) {
        wait::until("the API server is ready", || {
            let runs = self.api_server.lock().unwrap().as_mut().is_some_and(|server| server.ended().is_none());
            assert!(runs, "kube-apiserver ended: {}", self.log("kube-apiserver"));
            let answer = self.kubectl(&["get", "--raw", "/readyz"]);
            if answer.success { Ok(()) } else { Err(answer.stderr) }
        });
    }

    /// Installs the custom resource definitions and waits until their resources can be used.
    pub fn install_crds(&self) {
        self.kubectl(&["apply", "-f", CRDS]).ok();
        self.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "-f", CRDS]).ok();
    }

    /// Makes a namespace.
    pub fn create_namespace(&self, name: &str) {
        self.kubectl(&["create", "namespace", name]).ok();
    }

    /// Lets the users of all [`REPLICAS`] do what examples/operator/rbac.yaml lets the operator do, and nothing else,
    /// with the namespace `default` as the operator's own.
    pub fn permit_operator(&self) {
        self.permit(RBAC, "default", |_| ());
    }

    /// Lets them make the certificate of the admission webhook besides, with the Secret in the namespace `default`.
    pub fn permit_certificates(&self) {
        self.permit(RBAC_CERTIFICATE, "default", |_| ());
    }

    /// Lets them do what the operator does in one namespace, which is also the operator's own, and in no other.
    pub fn permit_operator_in(&self, namespace: &str) {
        self.permit(RBAC, namespace, |document| {
            if document["kind"] == "ClusterRoleBinding" {
                document["kind"] = json!("RoleBinding");
                let name = format!("{}-here", document["metadata"]["name"].as_str().expect("a name"));
                document["metadata"] = json!({"name": name, "namespace": namespace});
            }
        });
    }

    fn permit(&self, file: &str, namespace: &str, change: impl Fn(&mut Value)) {
        let mut documents = manifests::documents(Path::new(file));
        for document in &mut documents {
            change(document);
            if let Some(own) = document["metadata"].get_mut("namespace") {
                *own = json!(namespace);
            }
            if let Some(subjects) = document.get_mut("subjects") {
                *subjects = REPLICAS
                    .iter()
                    .map(|user| json!({"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": user}))
                    .collect();
            }
        }
        let list = json!({"apiVersion": "v1", "kind": "List", "items": documents});
        self.kubectl_with(&["apply", "--filename", "-"], &list.to_string()).ok();
    }

    /// Starts `bailiwick run` as the user `operator`, and waits until it listens, which is before it is ready.
    pub fn start_operator(&self, arguments: &[&str]) -> Bailiwick {
        self.start_replica(REPLICAS[0], arguments)
    }

    /// Starts `bailiwick run` as one of the users [`REPLICAS`], and waits until it listens, which is before it is
    /// ready.
    pub fn start_replica(&self, user: &str, arguments: &[&str]) -> Bailiwick {
        let kubeconfig = self.kubeconfig();
        let kubeconfig = kubeconfig.to_str().expect("a path in UTF-8");
        Bailiwick::start(&[&["run", "--kubeconfig", kubeconfig, "--context", user], arguments].concat())
    }

    /// Who wrote what so far, in the order of the ends of the requests.
    pub fn audit_log(&self) -> Vec<Entry> {
        audit::read(&self.folder.join("audit.log"))
    }

    /// Applies manifests to a namespace.
    #[track_caller]
    pub fn apply(&self, namespace: &str, manifests: &str) {
        self.kubectl_with(&["apply", "--namespace", namespace, "--filename", "-"], manifests).ok();
    }

    /// Calls kubectl as `admin`.
    pub fn kubectl(&self, arguments: &[&str]) -> Kubectl {
        self.kubectl_with(arguments, "")
    }

    /// Calls kubectl as `admin` with an input.
    pub fn kubectl_with(&self, arguments: &[&str], input: &str) -> Kubectl {
        let mut child = Command::new(binaries().join("kubectl"))
            .arg("--kubeconfig")
            .arg(self.kubeconfig())
            .arg("--cache-dir")
            .arg(self.folder.join("cache"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl");
        // Fails where kubectl does not read all of it, which its output then explains.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("the output of kubectl");
        Kubectl {
            success: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// A kubeconfig with the contexts `admin` (current; may do everything) and [`REPLICAS`] (each may do what RBAC grants
    /// to the user of that name, at first nothing).
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// Where the API server listens.
    pub fn api_server_address(&self) -> SocketAddr {
        let text = fs::read_to_string(self.kubeconfig()).expect("the kubeconfig");
        let (_, address) = text.split_once("https://").expect("a server in the kubeconfig");
        let end = address.find(|it: char| !it.is_ascii_digit() && it != '.' && it != ':').unwrap_or(address.len());
        address[..end].parse().expect("an address and a port")
    }

    /// The same kubeconfig, but for an API server that is reached by another address.
    pub fn kubeconfig_by(&self, address: SocketAddr) -> PathBuf {
        let text = fs::read_to_string(self.kubeconfig()).expect("the kubeconfig");
        let path = self.folder.join(format!("kubeconfig-{}", address.port()));
        let (direct, other) = (self.api_server_address().to_string(), address.to_string());
        fs::write(&path, text.replace(&direct, &other)).expect("a kubeconfig");
        path
    }

    fn start_server(&self, name: &str) -> Process {
        let log = File::options().create(true).append(true).open(self.log_path(name)).expect("a log file");
        let mut command = Command::new(script("start"));
        command.arg(name).arg(&self.folder).env("KUBEBUILDER_ASSETS", binaries());
        Process::start(&command, log.try_clone().expect("a second handle"), log)
    }

    fn log_path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.log"))
    }

    fn log(&self, name: &str) -> String {
        fs::read_to_string(self.log_path(name)).unwrap_or_default()
    }

    /// Leaves the version where the end of `make test` reads it.
    fn record_version(&self) {
        let answer: Value = serde_json::from_str(&self.kubectl(&["get", "--raw", "/version"]).ok()).expect("a version");
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kubernetes-version");
        fs::write(path, answer["gitVersion"].as_str().expect("a git version")).expect("a file for the version");
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        for server in [&self.controller_manager, &self.api_server, &self.etcd] {
            *server.lock().unwrap() = None;
        }
        let mut janitor = self.janitor.lock().unwrap();
        drop(janitor.stdin.take());
        let _ = janitor.wait();
    }
}

/// The folder of etcd, kube-apiserver, kube-controller-manager and kubectl.
fn binaries() -> PathBuf {
    env::var_os("KUBEBUILDER_ASSETS")
        .map(PathBuf::from)
        .expect("KUBEBUILDER_ASSETS is not set: run `make test`, or set it to what hack/control-plane/binaries prints")
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("hack/control-plane").join(name)
}

fn run(command: &mut Command) {
    let status = command.status().expect("a script that can be executed");
    assert!(status.success(), "{command:?} ended with {status}");
}
