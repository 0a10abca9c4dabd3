//! `serve` without a socket: a folder of manifests that is followed and written, and the router that answers from it.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::Arc,
};

use axum::{
    body::Body,
    http::{Method, Request, header::CONTENT_TYPE},
};
use bailiwick::{
    graph::Environments,
    server::{self, Config, Server},
    source::{Directory, DirectoryHandle, Ledger, Metrics, directory::Care},
    store::{DirectoryStore, Store},
};
use prometheus_client::registry::Registry;
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::{
    answer::Answer,
    router::{Client, DEFAULT_ENVIRONMENT, config},
};

/// A folder of manifests, and all that answers from it and writes to it. Make it within a runtime of tokio.
pub struct World {
    folder: TempDir,
    handle: DirectoryHandle,
    client: Client,
    /// Its probes.
    pub probes: Client,
    /// The graphs that answers come from.
    pub environments: Arc<Environments>,
    /// What is known of the objects beyond that.
    pub ledger: Arc<Ledger>,
    /// What writes into the folder, as the surfaces do.
    pub store: Arc<Store>,
    _following: JoinSet<()>,
}

impl World {
    /// A world with these manifests, in one file (several documents are separated by `---`, as ever).
    pub fn new(manifests: &str) -> Self {
        Self::with_files(&[("manifests.yaml", manifests)])
    }

    /// A world with these files, paths and what they hold.
    pub fn with_files(files: &[(&str, &str)]) -> Self {
        Self::with_config(files, config())
    }

    /// The same, answering as the configuration says.
    pub fn with_config(files: &[(&str, &str)], config: Config) -> Self {
        Self::start(files, config, |objects, environments, ledger| Store::new(Arc::new(objects), environments, ledger))
    }

    /// A world with these manifests where nothing may be written, for that reason.
    pub fn read_only(manifests: &str, problem: &str) -> Self {
        let files = [("manifests.yaml", manifests)];
        Self::start(&files, config(), |_, environments, ledger| Store::read_only(problem, environments, ledger))
    }

    fn start(
        files: &[(&str, &str)],
        config: Config,
        store: impl FnOnce(DirectoryStore, Arc<Environments>, Arc<Ledger>) -> Store,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let (environments, ledger) = (Arc::<Environments>::default(), Arc::<Ledger>::default());
        let directory = Directory::open(
            folder.path(),
            DEFAULT_ENVIRONMENT,
            Arc::clone(&environments),
            Arc::clone(&ledger),
            Metrics::default(),
        )
        .unwrap();
        let handle = directory.handle();
        let objects = DirectoryStore::new(handle.clone());
        let store = Arc::new(store(objects, Arc::clone(&environments), Arc::clone(&ledger)));
        let registry = Registry::with_prefix("bailiwick");
        let server = Server::new(config, Arc::clone(&environments), Arc::clone(&store), registry);
        let probes = Client(server::probes(Arc::clone(&server)));
        let client = Client(server::router(server));
        let following = [directory.run()].into_iter().collect();
        Self { folder, handle, client, probes, environments, ledger, store, _following: following }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// Without a body.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// Any request.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = match body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.client.send(request.unwrap()).await
    }

    /// Sends requests of any shape.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// What the store writes with.
    pub fn objects(&self) -> DirectoryStore {
        DirectoryStore::new(self.handle.clone())
    }

    /// Where a file of the folder lies.
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// What a file holds.
    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    /// The files, by their paths in the folder, sorted.
    pub fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push(path.strip_prefix(self.folder.path()).unwrap().display().to_string());
                }
            }
        }
        files.sort();
        files
    }

    /// Writes a file by hand, and has it take effect.
    pub fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self.take_effect();
    }

    /// Removes a file by hand, and has that take effect.
    pub fn remove(&self, file: &str) {
        fs::remove_file(self.path(file)).unwrap();
        self.take_effect();
    }

    /// Has what was done to the folder by hand take effect.
    pub fn take_effect(&self) {
        self.handle.hold().read_again(Care::Thorough);
    }

    /// Takes from everybody the permission to write into the folder, or gives it back.
    pub fn set_read_only(&self, read_only: bool) {
        fs::set_permissions(self.folder.path(), Permissions::from_mode(if read_only { 0o555 } else { 0o755 })).unwrap();
    }
}
