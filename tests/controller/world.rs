//! An environment of its own for each test, and what an operator writes there.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use bailiwick::{
    api::{self, ConditionType},
    graph::facts::{Kind, ObjectRef},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use crate::support::{
    audit::Entry,
    bailiwick::Bailiwick,
    control_plane::{ControlPlane, Kubectl, REPLICAS},
    objects::Objects,
    process, runtime, wait,
};

/// Lets in a permission that the program does not, and an `Environment` of any name.
const LOOSER: [(&str, &str); 2] = [
    (
        "roles",
        r#"[{"op": "replace", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/permissions/items",
             "value": {"type": "string", "maxLength": 128}}]"#,
    ),
    (
        "environments",
        r#"[{"op": "remove", "path": "/spec/versions/0/schema/openAPIV3Schema/x-kubernetes-validations"}]"#,
    ),
];

/// A control plane with two operators that see all of it.
#[derive(Debug)]
pub struct Led {
    /// The control plane. Its schema lets a few things in that the program does not.
    pub plane: ControlPlane,
    /// The operator that leads.
    pub leader: Bailiwick,
    /// The operator that does not.
    pub other: Bailiwick,
}

/// The one that tests share which need no operator of their own.
pub fn led() -> &'static Led {
    static LED: LazyLock<Led> = LazyLock::new(|| {
        process::kept(|| {
            let plane = ControlPlane::start_whole();
            for (plural, patch) in LOOSER {
                let definition = format!("customresourcedefinitions.apiextensions.k8s.io/{plural}.authz.bailiwick.dev");
                plane.kubectl(&["patch", &definition, "--type=json", "--patch", patch]).ok();
            }
            plane.permit_operator();
            let leader = plane.start_operator(&["--keep-expired", "forever"]);
            leader.wait_until_leads();
            let other = plane.start_replica(REPLICAS[1], &["--keep-expired", "forever"]);
            other.wait_until_ready();
            Led { plane, leader, other }
        })
    });
    &LED
}

/// A namespace of its own for a test.
#[derive(Clone)]
pub struct World<'a> {
    /// Its control plane.
    pub plane: &'a ControlPlane,
    /// Its name.
    pub namespace: Arc<str>,
    objects: Objects,
}

impl<'a> World<'a> {
    /// Makes it.
    pub fn new(plane: &'a ControlPlane, namespace: &str) -> Self {
        plane.create_namespace(namespace);
        Self::existing(plane, namespace)
    }

    /// One whose namespace exists.
    pub fn existing(plane: &'a ControlPlane, namespace: &str) -> Self {
        Self { plane, namespace: namespace.into(), objects: runtime::block_on(Objects::new(plane, namespace)) }
    }

    /// Makes one on the control plane that all tests share, and permits operators that see nothing else.
    pub fn restricted(namespace: &str) -> World<'static> {
        let world = World::new(ControlPlane::shared(), namespace);
        world.plane.permit_operator_in(namespace);
        world
    }

    /// Starts an operator that sees this world only, as one of the users [`REPLICAS`], and waits until it is ready. A dead
    /// one is followed within seconds.
    pub fn start_replica(&self, user: &str, arguments: &[&str]) -> Bailiwick {
        let mut all = vec!["--namespace", &self.namespace, "--lease-namespace", &self.namespace];
        all.extend(["--lease-duration", "3s", "--lease-renew-deadline", "2s", "--lease-retry", "300ms"]);
        all.extend(arguments);
        let operator = self.plane.start_replica(user, &all);
        operator.wait_until_ready();
        operator
    }

    /// Starts the first operator that sees this world only.
    pub fn start_operator(&self, arguments: &[&str]) -> Bailiwick {
        self.start_replica(REPLICAS[0], arguments)
    }

    /// Calls kubectl in the namespace.
    pub fn kubectl(&self, arguments: &[&str]) -> Kubectl {
        self.plane.kubectl(&[&["--namespace", &self.namespace], arguments].concat())
    }

    /// Applies manifests of YAML, with kubectl.
    #[track_caller]
    pub fn apply(&self, manifests: &str) {
        self.plane.apply(&self.namespace, manifests);
    }

    /// Applies manifests without apiVersion and namespace, without kubectl, one after another.
    #[track_caller]
    pub fn apply_each(&self, manifests: &[Value]) {
        for manifest in manifests {
            let mut manifest = manifest.clone();
            manifest["apiVersion"] = api::API_VERSION.into();
            let kind = Kind::named(manifest["kind"].as_str().expect("a kind")).expect("one of ours");
            let name = manifest["metadata"]["name"].as_str().expect("a name").to_owned();
            let parameters = PatchParams::apply("test").force();
            let applied = runtime::block_on(self.objects.of(kind).patch(&name, &parameters, &Patch::Apply(&manifest)));
            applied.unwrap_or_else(|error| panic!("{manifest}: {error}"));
        }
    }

    /// Creates many objects at once.
    pub fn create_all(&self, manifests: impl IntoIterator<Item = Value>) {
        runtime::block_on(self.objects.create_all(manifests));
    }

    /// Deletes an object, such as `Role/editor`. Returns when the API server has accepted that.
    #[track_caller]
    pub fn delete(&self, object: &str) {
        let ObjectRef { kind, name } = object_ref(object);
        runtime::block_on(self.objects.delete(kind, &name)).unwrap_or_else(|error| panic!("{object}: {error}"));
    }

    /// Merges something into an object.
    #[track_caller]
    pub fn merge(&self, object: &str, patch: &Value) {
        let ObjectRef { kind, name } = object_ref(object);
        let patched =
            runtime::block_on(self.objects.of(kind).patch(&name, &PatchParams::default(), &Patch::Merge(patch)));
        patched.unwrap_or_else(|error| panic!("{object}: {error}"));
    }

    /// Merges something into the status of an object, as whoever meddles would.
    #[track_caller]
    pub fn merge_status(&self, object: &str, status: &Value) {
        let ObjectRef { kind, name } = object_ref(object);
        let patch = Patch::Merge(json!({"status": status}));
        let patched = runtime::block_on(self.objects.of(kind).patch_status(&name, &PatchParams::default(), &patch));
        patched.unwrap_or_else(|error| panic!("{object}: {error}"));
    }

    /// An object, such as `Role/editor`.
    pub fn get(&self, object: &str) -> Option<DynamicObject> {
        let ObjectRef { kind, name } = object_ref(object);
        match runtime::block_on(self.objects.of(kind).get(&name)) {
            Ok(found) => Some(found),
            Err(kube::Error::Api(status)) if status.is_not_found() => None,
            Err(error) => panic!("{object}: {error}"),
        }
    }

    /// The spec of every object, by kind and name.
    pub fn specs(&self) -> BTreeMap<String, Value> {
        self.all().into_iter().map(|(object, found)| (object, found.data["spec"].clone())).collect()
    }

    /// Every object, by kind and name.
    pub fn all(&self) -> BTreeMap<String, DynamicObject> {
        let listed = runtime::block_on(self.objects.list());
        listed.into_iter().map(|(ObjectRef { kind, name }, object)| (format!("{kind}/{name}"), object)).collect()
    }

    /// Waits until an object is gone.
    #[track_caller]
    pub fn wait_until_gone(&self, object: &str) {
        wait::until(&format!("{object} is gone"), || match self.get(object) {
            None => Ok(()),
            Some(found) => Err(format!("{:?} {}", found.metadata, found.data["status"])),
        });
    }

    /// The object, if its status is one of its generation and has exactly these [`faults`].
    ///
    /// # Errors
    /// What it shows instead.
    pub fn shows(&self, object: &str, expected: &Faults) -> Result<DynamicObject, String> {
        let context = format!("{}, {object}", self.namespace);
        let found = self.get(object).ok_or_else(|| format!("{context} does not exist"))?;
        let shown = faults(&found).map_err(|problem| format!("{context}: {problem}"))?;
        if shown == *expected {
            Ok(found)
        } else {
            Err(format!("{context} shows {shown:?}, not {expected:?}: {}", found.data["status"]))
        }
    }

    /// Waits until the status of an object is one of its generation and has exactly these [`faults`].
    #[track_caller]
    pub fn wait_until_shows(&self, object: &str, expected: &[(&str, &str)]) -> DynamicObject {
        let expected = expected.iter().map(|&(condition, reason)| (condition.into(), reason.into())).collect();
        wait::until("a status tells what it should", || self.shows(object, &expected))
    }

    /// Waits until an object is ready.
    #[track_caller]
    pub fn wait_until_ready(&self, object: &str) -> DynamicObject {
        self.wait_until_shows(object, &[])
    }

    /// Waits until every object is ready.
    #[track_caller]
    pub fn wait_until_all_ready(&self) {
        wait::until(&format!("everything in {} is ready", self.namespace), || {
            let not_ready = self.all().into_iter().find_map(|(object, found)| match faults(&found) {
                Ok(faults) if faults.is_empty() => None,
                other => Some(format!("{object}: {other:?}")),
            });
            not_ready.map_or(Ok(()), Err)
        });
    }

    /// The writes of operators to objects of the world so far.
    pub fn writes(&self) -> Vec<Entry> {
        let mut log = self.plane.audit_log();
        log.retain(|entry| {
            entry.is_ours() && *entry.object.namespace == *self.namespace && REPLICAS.contains(&&*entry.user)
        });
        log
    }
}

/// What a status says that is not as it should be: the reasons by the type of their conditions.
pub type Faults = BTreeMap<String, String>;

/// The conditions of an object that are not as they should be, each with its reason.
///
/// # Errors
/// The status does not describe the object as it is now, or lacks a condition.
pub fn faults(object: &DynamicObject) -> Result<Faults, String> {
    let status: api::Status = serde_json::from_value(object.data["status"].clone()).unwrap_or_default();
    if status.observed_generation != object.metadata.generation {
        return Err(format!("it is of generation {:?}: {}", object.metadata.generation, object.data["status"]));
    }
    let conditions: BTreeMap<&str, &Condition> =
        status.conditions.iter().map(|condition| (&*condition.type_, condition)).collect();
    let mut faults = Faults::new();
    for condition in conditions.values() {
        let usual = match condition.type_.as_str() {
            "Ready" => ("True", "Indexed"),
            "Accepted" => ("True", "Accepted"),
            "ResolvedRefs" => ("True", "ResolvedRefs"),
            "Stalled" => ("False", ""),
            _ => continue,
        };
        assert_eq!(condition.observed_generation, status.observed_generation, "{condition:?}");
        if (&*condition.status, &*condition.reason) != usual {
            assert_ne!(condition.status, usual.0, "{condition:?}");
            faults.insert(condition.type_.clone(), condition.reason.clone());
        }
    }
    let expected: &[&str] = match object.metadata.deletion_timestamp {
        Some(_) => &["Ready"],
        None => &["Accepted", "ResolvedRefs", "Ready"],
    };
    match expected.iter().find(|condition| !conditions.contains_key(**condition)) {
        Some(missing) => Err(format!("{missing} is missing: {}", object.data["status"])),
        None => Ok(faults),
    }
}

/// A condition of an object.
#[track_caller]
pub fn condition(object: &DynamicObject, condition: ConditionType) -> Condition {
    let status: api::Status = serde_json::from_value(object.data["status"].clone()).expect("a status");
    let found = status.conditions.into_iter().find(|found| found.type_ == condition.as_str());
    found.unwrap_or_else(|| panic!("no {condition:?} in {}", object.data["status"]))
}

fn object_ref(object: &str) -> ObjectRef {
    let (kind, name) = object.split_once('/').expect("a kind and a name");
    ObjectRef { kind: Kind::named(kind).expect("one of ours"), name: name.into() }
}
