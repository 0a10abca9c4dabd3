//! A replica that writes: the library with a watch of its own.

use std::sync::Arc;

use bailiwick::{
    graph::{
        Environments,
        facts::{Name, ObjectRef, Timestamp},
        query::{Action, CheckRequest, Subject, Target},
    },
    source::{Cluster, Ledger, Metrics},
    store::{ClusterStore, Draft, Error, Naming, Spec, Store, View},
};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use tokio::task::AbortHandle;

use crate::support::{control_plane::ControlPlane, runtime, wait};

/// A graph of one namespace that follows the API server, and what is written through it.
pub struct Replica {
    pub namespace: String,
    pub environments: Arc<Environments>,
    pub objects: ClusterStore,
    pub store: Store,
    watching: AbortHandle,
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

impl Replica {
    /// One that may do everything, and knows what is there.
    pub fn start(plane: &ControlPlane, namespace: &str) -> Self {
        Self::start_writing_as(plane, namespace, None)
    }

    /// One that writes as some user.
    pub fn start_writing_as(plane: &ControlPlane, namespace: &str, user: Option<&str>) -> Self {
        let (watcher, writer) = (client(plane, None), client(plane, user));
        let environments = Arc::new(Environments::default());
        let ledger = Arc::new(Ledger::default());
        let namespaces = vec![namespace.to_owned()];
        let cluster = Cluster::new(&watcher, namespaces, &environments, &ledger, &Metrics::default());
        let objects = ClusterStore::new(writer, Arc::clone(cluster.publisher()));
        let store = Store::new(Arc::new(objects.clone()), Arc::clone(&environments), ledger);
        let watching = runtime::spawn(cluster.run());
        let replica = Self { namespace: namespace.to_owned(), environments, objects, store, watching };
        wait::until("every kind is listed", || {
            let closed = replica.environments.closed_gates();
            if closed.is_empty() { Ok(()) } else { Err(format!("{closed:?}")) }
        });
        replica
    }

    pub async fn create(&self, name: &str, spec: impl Into<Spec>) -> Result<Name, Error> {
        let draft = Draft::new(Naming::Exactly(name.into()), spec);
        self.store.create(&self.namespace, move |_| Ok(draft.clone())).await
    }

    pub async fn edit<F>(&self, object: &ObjectRef, change: impl Fn(&mut F) + Send + Sync) -> Result<(), Error>
    where
        for<'a> &'a mut F: TryFrom<&'a mut Spec>,
    {
        let change = |_: &View<'_>, stored: &mut bailiwick::store::StoredObject| {
            change((&mut stored.spec).try_into().ok().expect("of the kind"));
            Ok(())
        };
        self.store.edit(&self.namespace, object, change).await
    }

    pub async fn delete(&self, object: &ObjectRef) -> Result<(), Error> {
        self.store.delete(&self.namespace, object).await
    }

    /// Whether the graph contains an object that is not under deletion.
    pub fn knows(&self, object: &ObjectRef) -> bool {
        let graph = self.environments.get(&self.namespace);
        graph.and_then(|graph| graph.read().object(object)).is_some_and(|object| !object.deleting)
    }

    /// Who may edit the organization of [`ACME`].
    pub fn may_edit(&self, memberships: &[&str]) -> Vec<bool> {
        let graph = self.environments.get(&self.namespace).expect("an environment");
        let graph = graph.read();
        let may = |membership: &&str| {
            let request = CheckRequest {
                subject: Subject::Membership(membership),
                action: Action::Permission("organization:edit"),
                resource: Target::Name("acme"),
            };
            graph.check(&request, Timestamp::now()).is_allowed()
        };
        memberships.iter().map(may).collect()
    }
}

/// A client of `admin`, who may do everything, or of somebody for whom he speaks.
pub fn client(plane: &ControlPlane, user: Option<&str>) -> Client {
    let mut kubeconfig = Kubeconfig::read_from(plane.kubeconfig()).expect("a kubeconfig");
    for named in &mut kubeconfig.auth_infos {
        named.auth_info.as_mut().expect("credentials").impersonate = user.map(str::to_owned);
    }
    runtime::block_on(async {
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
        Client::try_from(config.expect("a configuration")).expect("a client")
    })
}
