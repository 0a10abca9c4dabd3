//! From the events of a watch to the changes of the graph, without I/O.

use std::{
    collections::{BTreeMap, HashMap},
    mem,
    sync::Arc,
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, runtime::watcher::Event};

use super::object::WatchedObject;
use crate::{
    api::Problem,
    graph::facts::{Change, Kind, Name, ObjectRef},
    source::convert::{self, Metadata, UnknownFields},
};

/// Follows the watch of one kind.
///
/// # Guarantees
/// - What the changes add up to is what the API server has. Between [`Event::Init`] and [`Event::InitDone`] nothing
///   changes; then everything that the list tells changes together.
/// - An object that is listed unchanged causes no change.
/// - An object whose spec cannot be used becomes invalid: it loses what it granted.
#[derive(Debug)]
pub struct Tracker {
    kind: Kind,
    known: Known,
    listing: Option<Listing>,
}

/// The version of each object that the graph has, by namespace and name.
type Known = HashMap<Name, HashMap<Name, Version>>;

/// Tells one state of an object from every other: its uid, for a name may be used again, and its resource version.
/// None: the graph has something else than what the API server said.
type Version = Option<Box<str>>;

/// A list that is being read.
#[derive(Debug, Default)]
struct Listing {
    seen: Known,
    update: Update,
}

/// What some events add up to.
#[derive(Debug, Default, PartialEq)]
pub struct Update {
    /// What changes, by namespace, in order.
    pub changes: BTreeMap<Name, Vec<Change>>,
    /// The objects among them that cannot be used.
    pub unusable: Vec<Unusable>,
    /// How many lists were completed.
    pub lists: u64,
}

/// An object that cannot be used.
#[derive(Debug, PartialEq)]
pub struct Unusable {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// Why.
    pub problems: Vec<Problem>,
}

impl Update {
    fn push(&mut self, namespace: Name, change: Change) {
        self.changes.entry(namespace).or_default().push(change);
    }

    fn append(&mut self, later: Self) {
        let Self { changes, unusable, lists } = later;
        for (namespace, changes) in changes {
            self.changes.entry(namespace).or_default().extend(changes);
        }
        self.unusable.extend(unusable);
        self.lists += lists;
    }
}

impl Tracker {
    /// Begins to follow a kind of which the graph knows nothing yet.
    pub fn new(kind: Kind) -> Self {
        Self { kind, known: Known::new(), listing: None }
    }

    /// Takes the next event, and adds what it changes to an update.
    pub fn handle(&mut self, event: Event<WatchedObject>, update: &mut Update) {
        match event {
            Event::Init => self.listing = Some(Listing::default()),
            Event::InitApply(object) => self.list(object),
            Event::InitDone => self.complete_list(update),
            Event::Apply(object) => {
                let key = Key::of(&object);
                let names = self.known.entry(Arc::clone(&key.namespace)).or_default();
                let before = names.insert(Arc::clone(&key.name), key.version.clone());
                if before.as_ref() != Some(&key.version) {
                    apply(self.kind, key, object, update);
                }
            }
            Event::Delete(object) => {
                let Key { namespace, name, .. } = Key::of(&object);
                if let Some(names) = self.known.get_mut(&namespace)
                    && names.remove(&name).is_some()
                {
                    if names.is_empty() {
                        self.known.remove(&namespace);
                    }
                    update.push(namespace, Change::Delete(ObjectRef { kind: self.kind, name }));
                }
            }
        }
    }

    /// Makes every object invalid, for the API server does not serve the kind any more. What is still there when it
    /// does again will be told by a list.
    pub fn withdraw(&mut self, problem: &str, update: &mut Update) {
        self.listing = None;
        for (namespace, names) in &mut self.known {
            for (name, version) in names {
                if version.take().is_some() {
                    let metadata = Metadata { name: Arc::clone(name), created: None, deleting: false };
                    let object = convert::invalid(self.kind, metadata, problem);
                    update.push(Arc::clone(namespace), Change::Apply(object));
                }
            }
        }
    }

    fn list(&mut self, object: WatchedObject) {
        let key = Key::of(&object);
        let Listing { seen, update } = self.listing.get_or_insert_default();
        seen.entry(Arc::clone(&key.namespace)).or_default().insert(Arc::clone(&key.name), key.version.clone());
        let known = self.known.get(&key.namespace).and_then(|names| names.get(&key.name));
        if known != Some(&key.version) {
            apply(self.kind, key, object, update);
        }
    }

    fn complete_list(&mut self, update: &mut Update) {
        let Listing { seen, update: listed } = self.listing.take().unwrap_or_default();
        let before = mem::replace(&mut self.known, seen);
        for (namespace, names) in before {
            let still = self.known.get(&namespace);
            for name in names.into_keys().filter(|name| still.is_none_or(|still| !still.contains_key(name))) {
                update.push(Arc::clone(&namespace), Change::Delete(ObjectRef { kind: self.kind, name }));
            }
        }
        update.append(listed);
        update.lists += 1;
    }
}

fn apply(kind: Kind, Key { namespace, name, .. }: Key, object: WatchedObject, update: &mut Update) {
    let meta = object.meta();
    let metadata = Metadata {
        name: Arc::clone(&name),
        created: meta.creation_timestamp.as_ref().map(|time| time.0),
        deleting: meta.deletion_timestamp.is_some(),
    };
    let (object, problems) = convert::object(kind, metadata, object.spec, UnknownFields::Ignore);
    if !problems.is_empty() {
        update.unusable.push(Unusable { namespace: Arc::clone(&namespace), name, problems });
    }
    update.push(namespace, Change::Apply(object));
}

struct Key {
    namespace: Name,
    name: Name,
    version: Version,
}

impl Key {
    fn of(object: &WatchedObject) -> Self {
        let ObjectMeta { namespace, name, uid, resource_version, .. } = object.meta();
        // The API server leaves none of these out: all our kinds are namespaced.
        let [namespace, name, uid, resource_version] =
            [namespace, name, uid, resource_version].map(|field| field.as_deref().unwrap_or_default());
        let version = format!("{uid}/{resource_version}");
        Self { namespace: namespace.into(), name: name.into(), version: Some(version.into()) }
    }
}
