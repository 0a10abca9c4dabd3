//! `bailiwick release-finalizers`: for uninstalling.

use std::{collections::BTreeSet, time::Duration};

use clap::Args;
use futures::{StreamExt, stream};
use k8s_openapi::api::coordination::v1::Lease;
use kube::{
    Api, Client, ResourceExt,
    api::{ApiResource, DynamicObject, ListParams, ObjectMeta, Patch, PatchParams},
};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use super::{Error, client::ClientOptions, options::environment, print};
use crate::{
    api::CASCADE_FINALIZER,
    graph::facts::Kind,
    source::{cluster, describe_error},
};

const EXAMPLE: &str = "Example:
  kubectl --namespace bailiwick scale deployment bailiwick --replicas=0
  bailiwick release-finalizers --dry-run
  bailiwick release-finalizers";

/// How many objects a page of a list has.
const PAGE: u32 = 500;

/// How many objects are written to at a time.
const CONCURRENCY: usize = 16;

/// How often an object that others write to meanwhile is tried.
const TRIES: usize = 5;

/// How long one object may take, the client's own retries included.
const OBJECT_TIME: Duration = Duration::from_mins(1);

/// How often everything is gone through while the look before still found finalizers.
const LOOKS: usize = 5;

/// How often a lease that seems to be held is read.
const LEASE_INTERVAL: Duration = Duration::from_secs(1);

/// How long a lease is read at the most: its holder renews it every few seconds, however long it lasts.
const LEASE_PATIENCE: Duration = Duration::from_mins(1);

/// How many failures of a kind are told one by one.
const TOLD_FAILURES: usize = 10;

/// Let go of all objects, so that they can be deleted when no operator is there any more.
///
/// The operator keeps a Resource, Role, Group or OrganizationMembership that is deleted until what depends on it is removed, by
/// a finalizer. Once the operator is gone for good, nobody would remove that: run this after the operator was stopped
/// and before the objects, their namespaces or the definitions are deleted. What depends on a deleted object is then
/// not removed. Other finalizers stay as they are. Needs the permission to list, get and patch the four kinds,
/// and to list leases.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(super) struct Options {
    /// Let go of the objects of this namespace only; can be repeated (in the variable: separated by commas). Without it,
    /// of all.
    #[arg(long = "namespace", value_name = "NAMESPACE", value_delimiter = ',', value_parser = environment, env = "BAILIWICK_NAMESPACE")]
    namespaces: Vec<String>,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Do it although an operator leads, which puts the finalizers back sooner or later.
    #[arg(long)]
    force: bool,
    /// The namespace of the operator's lease. Without it, all namespaces are searched for one.
    #[arg(long, value_name = "NAMESPACE", value_parser = environment, env = "BAILIWICK_LEASE_NAMESPACE")]
    lease_namespace: Option<String>,
    /// The name of the operator's lease.
    #[arg(long, default_value = "bailiwick", value_name = "NAME", env = "BAILIWICK_LEASE_NAME")]
    lease_name: String,
    #[command(flatten)]
    client: ClientOptions,
}

pub(super) async fn execute(options: Options) -> Result<(), Error> {
    let Options { namespaces, dry_run, force, lease_namespace, lease_name, client } = options;
    let client = client.connect().await?;
    if !force && !dry_run {
        refuse_while_led(&client, lease_namespace.as_deref(), &lease_name).await?;
    }
    let namespaces: BTreeSet<_> = namespaces.into_iter().collect();
    let mut released = 0;
    for look in 1..=LOOKS {
        let found = go_through(&client, &namespaces, dry_run, look).await?;
        if dry_run {
            let rest = if found.failed { ", as far as can be seen" } else { "" };
            print(&format!("Dry run: nothing was changed. {} would be let go{rest}.\n", objects(found.released)))?;
            return if found.failed { Err(Error::FinalizersLeft) } else { Ok(()) };
        }
        released += found.released;
        if found.failed {
            print(&format!("{} let go, but not all: see above, and run this again.\n", objects(released)))?;
            return Err(Error::FinalizersLeft);
        }
        if found.released == 0 {
            print(&format!("{} let go; none is left that waits for the operator.\n", objects(released)))?;
            return Ok(());
        }
    }
    print(&format!("{} let go, but the finalizers come back: is an operator running?\n", objects(released)))?;
    Err(Error::FinalizersLeft)
}

fn objects(count: usize) -> String {
    if count == 1 { "1 object".to_owned() } else { format!("{count} objects") }
}

/// Fails while somebody renews the lease. Clocks are not compared: a holder shows itself by what it writes.
async fn refuse_while_led(client: &Client, namespace: Option<&str>, name: &str) -> Result<(), Error> {
    let leases: Api<Lease> =
        namespace.map_or_else(|| Api::all(client.clone()), |namespace| Api::namespaced(client.clone(), namespace));
    let held = async || match leases.list(&ListParams::default().fields(&format!("metadata.name={name}"))).await {
        Ok(list) => Ok(list.items.into_iter().filter(|lease| holder(lease).is_some()).collect::<Vec<_>>()),
        Err(error) => Err(Error::Refused {
            action: "see whether an operator leads (--force goes without)",
            cause: describe_error(&error, "`list`"),
        }),
    };
    let before = held().await?;
    let Some(patience) = before.iter().map(patience).max() else { return Ok(()) };
    eprintln!("An operator was leading: waiting up to {patience:?} to see whether it still does.");
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        sleep(LEASE_INTERVAL).await;
        if let Some(lease) = held().await?.into_iter().find(|lease| !before.contains(lease)) {
            let holder = holder(&lease).unwrap_or_default().to_owned();
            return Err(Error::Led {
                holder,
                namespace: lease.namespace().unwrap_or_default(),
                lease: lease.name_any(),
            });
        }
    }
    Ok(())
}

/// How long a lease has to be read to see whether it is renewed.
fn patience(lease: &Lease) -> Duration {
    let seconds = lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds);
    let duration = seconds.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
    duration.map_or(LEASE_PATIENCE, |duration| duration.min(LEASE_PATIENCE))
}

fn holder(lease: &Lease) -> Option<&str> {
    lease.spec.as_ref()?.holder_identity.as_deref().filter(|holder| !holder.is_empty())
}

/// What one look at all kinds came to.
#[derive(Default)]
struct Look {
    released: usize,
    failed: bool,
}

/// Lets go of all objects that have the finalizer now, and tells of each kind how that went. What the looks after the first find
/// is told only where they find something.
async fn go_through(client: &Client, namespaces: &BTreeSet<String>, dry_run: bool, look: usize) -> Result<Look, Error> {
    let mut whole = Look::default();
    for resource in Kind::ALL.into_iter().filter(|kind| kind.cascades()).map(cluster::resource) {
        let kind = &resource.kind;
        let Found { with, without } = match find(client, &resource, namespaces).await {
            Ok(Some(found)) => found,
            Ok(None) => {
                if look == 1 {
                    print(&format!("{kind}: not installed\n"))?;
                }
                continue;
            }
            Err(error) => {
                whole.failed = true;
                print(&format!("{kind}: cannot be listed: {}\n", describe_error(&error, "`list`")))?;
                continue;
            }
        };
        let mut released = with.len();
        let mut failed = 0;
        if !dry_run {
            let mut results =
                stream::iter(with).map(|object| release(client, &resource, object)).buffer_unordered(CONCURRENCY);
            while let Some(result) = results.next().await {
                let Err(failure) = result else { continue };
                released -= 1;
                failed += 1;
                if failed <= TOLD_FAILURES {
                    eprintln!("{kind} {failure}");
                }
            }
        }
        whole.released += released;
        whole.failed |= failed > 0;
        let verb = if dry_run { "would be let go" } else { "let go" };
        if look == 1 {
            print(&format!(
                "{kind}: {released} {verb}, {without} had no finalizer of the operator, {failed} failed\n"
            ))?;
        } else if released + failed > 0 {
            print(&format!("{kind}: {released} more let go, {failed} failed\n"))?;
        }
    }
    Ok(whole)
}

/// The objects of a kind.
#[derive(Default)]
struct Found {
    /// Those that have the finalizer.
    with: Vec<ObjectMeta>,
    /// How many do not have it.
    without: usize,
}

/// The objects of a kind in the namespaces, or in all where none is named. None: there is no such kind.
async fn find(client: &Client, resource: &ApiResource, namespaces: &BTreeSet<String>) -> kube::Result<Option<Found>> {
    let apis: Vec<Api<DynamicObject>> = if namespaces.is_empty() {
        vec![Api::all_with(client.clone(), resource)]
    } else {
        namespaces.iter().map(|namespace| Api::namespaced_with(client.clone(), namespace, resource)).collect()
    };
    let mut found = Found::default();
    for api in apis {
        let mut parameters = ListParams::default().limit(PAGE);
        loop {
            let page = match api.list_metadata(&parameters).await {
                Err(kube::Error::Api(status)) if status.code == 404 => return Ok(None),
                page => page?,
            };
            for object in page.items {
                if position(&object.metadata).is_some() {
                    found.with.push(object.metadata);
                } else {
                    found.without += 1;
                }
            }
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => parameters.continue_token = Some(token),
                None => break,
            }
        }
    }
    Ok(Some(found))
}

/// Where among its finalizers an object has the operator's.
fn position(metadata: &ObjectMeta) -> Option<usize> {
    metadata.finalizers.iter().flatten().position(|finalizer| finalizer == CASCADE_FINALIZER)
}

/// Removes the finalizer from an object and nothing else. An error says of which object, and why not.
async fn release(client: &Client, resource: &ApiResource, metadata: ObjectMeta) -> Result<(), String> {
    let namespace = metadata.namespace.clone().unwrap_or_default();
    let name = metadata.name.clone().unwrap_or_default();
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &namespace, resource);
    let cause = match timeout(OBJECT_TIME, remove_finalizer(&api, &name, metadata)).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => describe_error(&error, "`get` and `patch`"),
        Err(_elapsed) => "the API server does not answer in time".to_owned(),
    };
    Err(format!("{namespace}/{name} cannot be let go: {cause}"))
}

/// Removes the finalizer, whatever others do to the object meanwhile.
async fn remove_finalizer(api: &Api<DynamicObject>, name: &str, mut metadata: ObjectMeta) -> kube::Result<()> {
    let mut tries = 0;
    while let Some(position) = position(&metadata) {
        let path = format!("/metadata/finalizers/{position}");
        let operations = json!([
            // Others may have come before it since it was read.
            {"op": "test", "path": path, "value": CASCADE_FINALIZER},
            {"op": "remove", "path": path},
        ]);
        let operations = serde_json::from_value(operations).map_err(kube::Error::SerdeError)?;
        tries += 1;
        match api.patch_metadata(name, &PatchParams::default(), &Patch::Json::<()>(operations)).await {
            Ok(_) => return Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
            Err(kube::Error::Api(status)) if tries < TRIES && (status.is_conflict() || status.is_invalid()) => {}
            Err(error) => return Err(error),
        }
        match api.get_metadata_opt(name).await? {
            Some(object) => metadata = object.metadata,
            None => return Ok(()),
        }
    }
    Ok(())
}
