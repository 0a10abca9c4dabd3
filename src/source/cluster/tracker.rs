//! From the events of a watch to the changes of the graph, without I/O.

use std::{
    collections::{BTreeMap, HashMap},
    mem,
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, runtime::watcher::Event};

use super::object::WatchedObject;
use crate::{
    api::Problem,
    graph::facts::{Change, Kind, Name, ObjectRef},
    source::{
        convert::{self, Metadata},
        ledger::{LedgerEntry, record::revision},
    },
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

/// None: the graph has something else than what the API server said.
type Version = Option<State>;

/// Tells one state of an object from every other: its uid, for a name may be used again, and its resource version.
#[derive(Clone, Debug, PartialEq)]
struct State {
    uid: Box<str>,
    resource_version: Box<str>,
    generation: Option<i64>,
    deleting: bool,
}

impl State {
    /// Whether the object says the same as in an earlier state, so that only its status or metadata can differ.
    fn says_the_same(&self, earlier: &Self) -> bool {
        self.uid == earlier.uid
            && self.generation.is_some()
            && self.generation == earlier.generation
            // The mark of a deletion counts as a change of the spec, but nothing that revokes is to hang on that.
            && self.deleting == earlier.deleting
    }

    fn revision(&self) -> u64 {
        revision(&self.resource_version)
    }
}

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
    /// What is to be entered into the ledger when the changes are in the graph, by namespace.
    pub entries: BTreeMap<Name, Vec<LedgerEntry>>,
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

    fn enter(&mut self, namespace: Name, entry: LedgerEntry) {
        self.entries.entry(namespace).or_default().push(entry);
    }

    fn append(&mut self, later: Self) {
        let Self { changes, entries, unusable, lists } = later;
        for (namespace, changes) in changes {
            self.changes.entry(namespace).or_default().extend(changes);
        }
        for (namespace, entries) in entries {
            self.entries.entry(namespace).or_default().extend(entries);
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
            Event::InitApply(object) => self.list(&object),
            Event::InitDone => self.complete_list(update),
            Event::Apply(object) => {
                let key = Key::of(&object);
                let names = self.known.entry(key.namespace.clone()).or_default();
                let before = names.insert(key.name.clone(), Some(key.state.clone())).flatten();
                match before {
                    Some(before) if before == key.state => {}
                    Some(before) if key.state.says_the_same(&before) => note(self.kind, key, &object, update),
                    _ => apply(self.kind, key, &object, update),
                }
            }
            Event::Delete(object) => {
                let Key { namespace, name, state } = Key::of(&object);
                if let Some(names) = self.known.get_mut(&namespace)
                    && names.remove(&name).is_some()
                {
                    if names.is_empty() {
                        self.known.remove(&namespace);
                    }
                    update.enter(
                        namespace.clone(),
                        LedgerEntry { name: name.clone(), record: None, changes_graph: Some(state.revision()) },
                    );
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
                    let metadata = Metadata { name: name.clone(), created: None, deleting: false };
                    let object = convert::invalid(self.kind, metadata, problem);
                    update.push(namespace.clone(), Change::Apply(object));
                }
            }
        }
    }

    fn list(&mut self, object: &WatchedObject) {
        let key = Key::of(object);
        let Listing { seen, update } = self.listing.get_or_insert_default();
        seen.entry(key.namespace.clone()).or_default().insert(key.name.clone(), Some(key.state.clone()));
        let known = self.known.get(&key.namespace).and_then(|names| names.get(&key.name));
        // Generations are not trusted across lists: what is restored from a backup counts them anew.
        if known != Some(&Some(key.state.clone())) {
            apply(self.kind, key, object, update);
        }
    }

    fn complete_list(&mut self, update: &mut Update) {
        let Listing { seen, update: listed } = self.listing.take().unwrap_or_default();
        let before = mem::replace(&mut self.known, seen);
        for (namespace, names) in before {
            let still = self.known.get(&namespace);
            for name in names.into_keys().filter(|name| still.is_none_or(|still| !still.contains_key(name))) {
                // When it went is not known.
                let entry = LedgerEntry { name: name.clone(), record: None, changes_graph: Some(0) };
                update.enter(namespace.clone(), entry);
                update.push(namespace.clone(), Change::Delete(ObjectRef { kind: self.kind, name }));
            }
        }
        update.append(listed);
        update.lists += 1;
    }
}

/// Brings a change of an object's status or metadata into the ledger.
fn note(kind: Kind, Key { namespace, name, .. }: Key, object: &WatchedObject, update: &mut Update) {
    update.enter(namespace, LedgerEntry { name, record: Some(object.to_record(kind)), changes_graph: None });
}

fn apply(kind: Kind, Key { namespace, name, state }: Key, object: &WatchedObject, update: &mut Update) {
    let record = object.to_record(kind);
    update.enter(
        namespace.clone(),
        LedgerEntry { name: name.clone(), record: Some(record), changes_graph: Some(state.revision()) },
    );
    let (object, problems) = object.to_object(kind);
    if !problems.is_empty() {
        update.unusable.push(Unusable { namespace: namespace.clone(), name, problems });
    }
    update.push(namespace, Change::Apply(object));
}

struct Key {
    namespace: Name,
    name: Name,
    state: State,
}

impl Key {
    fn of(object: &WatchedObject) -> Self {
        let ObjectMeta { namespace, name, uid, resource_version, generation, deletion_timestamp, .. } = object.meta();
        // The API server leaves none of these out: all our kinds are namespaced.
        let [namespace, name, uid, resource_version] =
            [namespace, name, uid, resource_version].map(|field| field.as_deref().unwrap_or_default());
        let state = State {
            uid: uid.into(),
            resource_version: resource_version.into(),
            generation: *generation,
            deleting: deletion_timestamp.is_some(),
        };
        Self { namespace: namespace.into(), name: name.into(), state }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::graph::facts::Fact;

    const GARBAGE: &str = "garbage";

    /// An object with a uid and a version, and a spec that tells by its one permission.
    fn role(key: &str, uid: &str, version: u32, permission: &str) -> WatchedObject {
        let (namespace, name) = key.split_once('/').unwrap();
        let permissions = if permission == GARBAGE { json!(7) } else { json!([permission]) };
        read(json!({
            "metadata": { "namespace": namespace, "name": name, "uid": uid, "resourceVersion": version.to_string() },
            "spec": { "permissions": permissions },
        }))
    }

    fn read(object: Value) -> WatchedObject {
        serde_json::from_value(object).unwrap()
    }

    /// What the events change, in a word each.
    fn run(tracker: &mut Tracker, events: impl IntoIterator<Item = Event<WatchedObject>>) -> Vec<String> {
        let mut update = Update::default();
        for event in events {
            tracker.handle(event, &mut update);
        }
        words(&update)
    }

    fn words(update: &Update) -> Vec<String> {
        let words = |(namespace, changes): (&Name, &Vec<Change>)| {
            let mut words: Vec<_> = changes
                .iter()
                .map(|change| match change {
                    Change::Delete(object) => format!("-{namespace}/{}", object.name),
                    Change::Apply(object) => match &object.fact {
                        Fact::Role(role) => format!("+{namespace}/{}:{}", object.name, role.permissions[0]),
                        Fact::Invalid { .. } => format!("!{namespace}/{}", object.name),
                        other => panic!("{other:?}"),
                    },
                })
                .collect();
            // Within a list the order is of no meaning.
            if update.lists > 0 {
                words.sort_unstable();
            }
            words
        };
        update.changes.iter().flat_map(words).collect()
    }

    fn listed(objects: impl IntoIterator<Item = WatchedObject>) -> Vec<Event<WatchedObject>> {
        let objects = objects.into_iter().map(Event::InitApply);
        [Event::Init].into_iter().chain(objects).chain([Event::InitDone]).collect()
    }

    #[test]
    fn nothing_is_seen_of_a_list_before_its_end() {
        let mut tracker = Tracker::new(Kind::Role);
        let (a, b) = (role("x/a", "1", 1, "p"), role("y/b", "2", 2, "q"));
        assert!(run(&mut tracker, [Event::Init, Event::InitApply(a), Event::InitApply(b)]).is_empty());
        assert_eq!(run(&mut tracker, [Event::InitDone]), ["+x/a:p", "+y/b:q"]);
    }

    #[test]
    fn a_list_that_broke_off_is_forgotten() {
        let mut tracker = Tracker::new(Kind::Role);
        assert!(run(&mut tracker, [Event::Init, Event::InitApply(role("x/a", "1", 1, "p"))]).is_empty());
        assert_eq!(run(&mut tracker, listed([role("x/b", "2", 2, "q")])), ["+x/b:q"]);
    }

    #[test]
    fn events_follow_in_order() {
        let mut tracker = Tracker::new(Kind::Role);
        run(&mut tracker, listed([]));
        assert_eq!(
            run(
                &mut tracker,
                [
                    Event::Apply(role("x/a", "1", 1, "p")),
                    Event::Apply(role("x/a", "1", 2, "q")),
                    Event::Delete(role("x/a", "1", 3, "q")),
                    Event::Apply(role("x/a", "2", 4, "r")),
                ]
            ),
            ["+x/a:p", "+x/a:q", "-x/a", "+x/a:r"]
        );
        assert!(run(&mut tracker, [Event::Delete(role("x/never", "9", 9, "p"))]).is_empty());
    }

    #[test]
    fn a_new_list_changes_only_what_differs() {
        let mut tracker = Tracker::new(Kind::Role);
        let before = ["same", "changed", "gone", "again"].map(|name| role(&format!("x/{name}"), name, 1, "p"));
        run(&mut tracker, listed(before.into_iter().chain([role("y/gone", "1", 1, "p")])));
        let after = [
            role("x/same", "same", 1, "p"),
            role("x/changed", "changed", 2, "q"),
            // Deleted and created again in between, even if the versions began anew.
            role("x/again", "other", 1, "r"),
            role("x/new", "new", 3, "s"),
        ];
        assert_eq!(
            run(&mut tracker, listed(after.clone())),
            ["+x/again:r", "+x/changed:q", "+x/new:s", "-x/gone", "-y/gone"]
        );
        assert!(run(&mut tracker, listed(after)).is_empty());
    }

    #[test]
    fn what_cannot_be_used_revokes_and_is_reported_and_can_be_deleted() {
        let mut tracker = Tracker::new(Kind::Role);
        run(&mut tracker, listed([role("x/a", "1", 1, "p"), role("x/b", "2", 1, "p")]));
        let mut update = Update::default();
        tracker.handle(Event::Apply(role("x/a", "1", 2, GARBAGE)), &mut update);
        assert_eq!(words(&update), ["!x/a"]);
        let problem = Problem {
            field: "spec.permissions".to_owned(),
            message: "invalid type: integer `7`, expected a list".to_owned(),
        };
        assert_eq!(update.unusable, [Unusable { namespace: "x".into(), name: "a".into(), problems: vec![problem] }]);

        // A new list tells it again, but nothing is new.
        let again = || [role("x/a", "1", 2, GARBAGE), role("x/b", "2", 3, GARBAGE)];
        assert_eq!(run(&mut tracker, listed(again())), ["!x/b"]);
        assert_eq!(run(&mut tracker, [Event::Delete(role("x/a", "1", 4, GARBAGE))]), ["-x/a"]);
        assert_eq!(run(&mut tracker, listed([])), ["-x/b"]);
    }

    #[test]
    fn a_kind_that_is_not_served_grants_nothing_until_a_list_tells_what_is_there() {
        let mut tracker = Tracker::new(Kind::Role);
        run(&mut tracker, listed([role("x/a", "1", 1, "p"), role("x/b", "2", 1, "p")]));
        run(&mut tracker, [Event::Init, Event::InitApply(role("x/c", "3", 1, "p"))]);
        let mut update = Update::default();
        tracker.withdraw("not installed", &mut update);
        let mut withdrawn = words(&update);
        withdrawn.sort_unstable();
        assert_eq!(withdrawn, ["!x/a", "!x/b"]);

        let mut again = Update::default();
        tracker.withdraw("not installed", &mut again);
        assert_eq!(again, Update::default());

        // The very same object counts again.
        assert_eq!(run(&mut tracker, listed([role("x/a", "1", 1, "p")])), ["+x/a:p", "-x/b"]);
    }

    #[test]
    fn a_status_changes_nothing_but_a_deletion_mark_does_whatever_the_generation_is() {
        let mut tracker = Tracker::new(Kind::Role);
        let object = |version: &str, deleted: Option<&str>| {
            read(json!({
                "metadata": {
                    "namespace": "x", "name": "a", "uid": "1", "resourceVersion": version, "generation": 1,
                    "deletionTimestamp": deleted,
                },
                "spec": { "permissions": ["p"] },
            }))
        };
        run(&mut tracker, listed([object("1", None)]));
        assert!(run(&mut tracker, [Event::Apply(object("2", None))]).is_empty());
        let marked = object("3", Some("2026-01-02T00:00:00Z"));
        assert_eq!(run(&mut tracker, [Event::Apply(marked)]), ["+x/a:p"]);
    }

    #[test]
    fn the_life_of_an_object_is_told() {
        let mut tracker = Tracker::new(Kind::Role);
        let mut update = Update::default();
        tracker.handle(
            Event::Apply(read(json!({
                "apiVersion": "authz.bailiwick.dev/v1alpha1", "kind": "Role",
                "metadata": {
                    "name": "a", "namespace": "x", "uid": "1", "resourceVersion": "1", "managedFields": [{ "manager": "m" }],
                    "creationTimestamp": "2026-01-01T00:00:00Z", "deletionTimestamp": "2026-01-02T00:00:00Z",
                },
                "spec": {}, "status": {},
            }))),
            &mut update,
        );
        let [Change::Apply(object)] = update.changes["x"].as_slice() else { panic!("{update:?}") };
        assert_eq!(object.created, Some("2026-01-01T00:00:00Z".parse().unwrap()));
        assert!(object.deleting);
    }
}
