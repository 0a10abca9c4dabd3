//! The objects of an environment, read and written in great number: without kubectl, many at a time.

use std::collections::BTreeMap;

use bailiwick::{
    api,
    graph::facts::{Kind, ObjectRef},
    source::cluster,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use kube::{
    Api, Client, Config,
    api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::Value;

use super::control_plane::ControlPlane;

/// How many requests are under way at once.
const CONCURRENCY: usize = 64;

/// One environment, as `admin` sees it. Cheap to clone.
#[derive(Clone)]
pub struct Objects {
    client: Client,
    namespace: String,
}

impl Objects {
    /// Those of a namespace that exists.
    pub async fn new(plane: &ControlPlane, namespace: &str) -> Self {
        let kubeconfig = Kubeconfig::read_from(plane.kubeconfig()).expect("a kubeconfig");
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.expect("a configuration");
        let client = Client::try_from(config).expect("a client");
        Self { client, namespace: namespace.to_owned() }
    }

    /// All of a kind.
    pub fn of(&self, kind: Kind) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &cluster::resource(kind))
    }

    /// Creates all of these: manifests without apiVersion and namespace.
    pub async fn create_all(&self, manifests: impl IntoIterator<Item = Value>) {
        let creations = manifests.into_iter().map(|manifest| self.create(manifest));
        stream::iter(creations)
            .buffer_unordered(CONCURRENCY)
            .try_collect::<()>()
            .await
            .unwrap_or_else(|error| panic!("an object is not created: {error}"));
    }

    /// Creates one.
    pub async fn create(&self, mut manifest: Value) -> kube::Result<()> {
        let kind = Kind::named(manifest["kind"].as_str().expect("a kind")).expect("one of ours");
        manifest["apiVersion"] = api::API_VERSION.into();
        let object: DynamicObject = serde_json::from_value(manifest).expect("a manifest");
        self.of(kind).create(&PostParams::default(), &object).await.map(drop)
    }

    /// Merges this into one.
    pub async fn merge(&self, kind: Kind, name: &str, patch: &Value) -> kube::Result<()> {
        self.of(kind).patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.map(drop)
    }

    /// The same, and returns the resource version that it has then.
    pub async fn merge_versioned(&self, kind: Kind, name: &str, patch: &Value) -> kube::Result<String> {
        let written = self.of(kind).patch(name, &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(written.metadata.resource_version.unwrap_or_default())
    }

    /// Deletes one. Returns when the API server has accepted that.
    pub async fn delete(&self, kind: Kind, name: &str) -> kube::Result<()> {
        self.of(kind).delete(name, &DeleteParams::default()).await.map(drop)
    }

    /// How new the newest object of each kind is, as `Bailiwick-At-Least` says it.
    pub async fn newest(&self) -> String {
        let mut newest = BTreeMap::new();
        for (ObjectRef { kind, .. }, object) in self.list().await {
            let version = object.metadata.resource_version.and_then(|version| version.parse::<u64>().ok());
            let known = newest.entry(kind).or_default();
            *known = version.max(*known);
        }
        let newest = newest.into_iter().filter_map(|(kind, version)| Some(format!("{kind}/{}", version?)));
        newest.collect::<Vec<_>>().join(",")
    }

    /// Every object there is, of every kind.
    pub async fn list(&self) -> BTreeMap<ObjectRef, DynamicObject> {
        let mut all = BTreeMap::new();
        for kind in Kind::ALL {
            let listed = self.of(kind).list(&ListParams::default()).await.expect("a list");
            all.extend(listed.items.into_iter().map(|object| {
                let name = object.metadata.name.as_deref().expect("a name").into();
                (ObjectRef { kind, name }, object)
            }));
        }
        all
    }
}
