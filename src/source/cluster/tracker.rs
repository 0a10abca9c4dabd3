//! From the events of a watch to the changes of the graph, without I/O.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, runtime::watcher::Event};

use super::object::WatchedObject;
use crate::{
    api::Problem,
    graph::facts::{Change, Kind, Name, ObjectRef},
    source::{
        Ledger,
        convert::{self, Metadata},
        ledger::{LedgerEntry, Record, ResourceVersion, Uid},
    },
};

/// Follows the watch of one kind.
///
/// # Guarantees
/// - What the changes add up to is what the API server has.
/// - What the first list tells changes as it comes, so that it need not be kept: nobody is answered before its end. From then on
///   nothing changes between [`Event::Init`] and [`Event::InitDone`]; then everything that the list tells changes together.
/// - An object that is listed unchanged causes no change.
/// - An object whose spec cannot be used becomes invalid: it loses what it granted.
///
/// # Assumptions
/// - All that it adds to an update is entered into the ledger, in order, and nobody else enters anything of the kind and the
///   namespaces.
/// - A list is entered before the next event is told.
#[derive(Debug)]
pub struct Tracker {
    kind: Kind,
    /// Which namespace it follows; none: all.
    namespace: Option<Name>,
    /// Tells the version of each object that the graph has.
    ledger: Arc<Ledger>,
    /// The versions that may not have been entered into the ledger yet; none: the object is gone.
    ahead: HashMap<Key, Option<State>>,
    /// A list was completed.
    has_listed: bool,
    /// The graph has something else of every object than what the API server said.
    withdrawn: bool,
    listing: Option<Listing>,
}

/// Namespace and name of an object.
type Key = (Name, Name);

/// Tells one state of an object from every other: its uid, for a name may be used again, and its resource version.
#[derive(Clone, Debug, PartialEq)]
struct State {
    uid: Uid,
    resource_version: ResourceVersion,
    /// 0: the API server does not count the changes of its spec.
    generation: i64,
    deleting: bool,
}

impl State {
    fn of(object: &WatchedObject) -> Self {
        let ObjectMeta { uid, resource_version, generation, deletion_timestamp, .. } = object.meta();
        // The API server leaves neither of these out.
        let [uid, resource_version] = [uid, resource_version].map(|field| field.as_deref().unwrap_or_default());
        Self {
            uid: uid.into(),
            resource_version: resource_version.into(),
            generation: generation.unwrap_or_default(),
            deleting: deletion_timestamp.is_some(),
        }
    }

    fn of_record(record: &Record) -> Self {
        let Record { uid, resource_version, generation, deleting, .. } = record;
        Self {
            uid: uid.clone(),
            resource_version: resource_version.clone(),
            generation: *generation,
            deleting: *deleting,
        }
    }

    /// Whether the object says the same as in an earlier state, so that only its status or metadata can differ.
    fn says_the_same(&self, earlier: &Self) -> bool {
        self.uid == earlier.uid
            && self.generation != 0
            && self.generation == earlier.generation
            // The mark of a deletion counts as a change of the spec, but nothing that revokes is to hang on that.
            && self.deleting == earlier.deleting
    }
}

/// A list that is being read.
#[derive(Debug, Default)]
struct Listing {
    /// The names that it has told so far, by namespace; none: nothing is known that it might leave out.
    seen: Option<HashMap<Name, HashSet<Name>>>,
    update: Update,
}

impl Listing {
    fn leaves_out(&self, (namespace, name): &Key) -> bool {
        let seen = |seen: &HashMap<Name, HashSet<Name>>| seen.get(namespace).is_some_and(|names| names.contains(name));
        !self.seen.as_ref().is_some_and(seen)
    }
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
    /// Begins to follow a kind, in one namespace or all, of which the graph and the ledger know nothing yet.
    pub fn new(kind: Kind, namespace: Option<Name>, ledger: Arc<Ledger>) -> Self {
        Self { kind, namespace, ledger, ahead: HashMap::new(), has_listed: false, withdrawn: false, listing: None }
    }

    /// Forgets what the ledger knows by now. To be called between updates, lest it remember ever more.
    pub fn settle(&mut self) {
        let mut ahead = std::mem::take(&mut self.ahead);
        ahead.retain(|key, version| self.entered(key) != *version);
        self.ahead = ahead;
    }

    /// Takes the next event, and adds what it changes to an update.
    pub fn handle(&mut self, event: Event<WatchedObject>, update: &mut Update) {
        match event {
            Event::Init => self.listing = Some(self.begin_list()),
            Event::InitApply(object) => self.list(&object, update),
            Event::InitDone => self.complete_list(update),
            Event::Apply(object) => {
                let (key, version) = (key(&object), State::of(&object));
                match self.known(&key) {
                    Some(before) if before == version => return,
                    Some(before) if version.says_the_same(&before) => note(self.kind, &key, &object, update),
                    _ => apply(self.kind, &key, &object, update),
                }
                self.ahead.insert(key, Some(version));
            }
            Event::Delete(object) => {
                let key = key(&object);
                if self.is_known(&key) {
                    delete(self.kind, &key, State::of(&object).resource_version.revision(), update);
                    self.ahead.insert(key, None);
                }
            }
        }
    }

    /// Makes every object invalid, for the API server does not serve the kind any more. What is still there when it
    /// does again will be told by a list.
    pub fn withdraw(&mut self, problem: &str, update: &mut Update) {
        self.listing = None;
        if self.withdrawn {
            return;
        }
        self.withdrawn = true;
        for (namespace, name) in self.known_where(|_| true) {
            let metadata = Metadata { name, created: None, deleting: false };
            update.push(namespace, Change::Apply(convert::invalid(self.kind, metadata, problem)));
        }
    }

    /// Whether a list was completed, so that positions mean something.
    pub const fn has_listed(&self) -> bool {
        self.has_listed
    }

    /// Takes nothing for known that was told so far: the next list tells what there is.
    pub fn distrust(&mut self) {
        self.listing = None;
        self.withdrawn = true;
    }

    fn begin_list(&self) -> Listing {
        let may_leave_out = self.has_listed || !self.known_where(|_| true).is_empty();
        Listing { seen: may_leave_out.then(HashMap::new), update: Update::default() }
    }

    fn list(&mut self, object: &WatchedObject, update: &mut Update) {
        let (key, version) = (key(object), State::of(object));
        // Generations are not trusted across lists: what is restored from a backup counts them anew.
        let is_news = self.known(&key).as_ref() != Some(&version);
        let listing = self.listing.get_or_insert_default();
        if let Some(seen) = &mut listing.seen {
            let (namespace, name) = key.clone();
            seen.entry(namespace).or_default().insert(name);
        }
        if !is_news {
            return;
        }
        if self.has_listed {
            apply(self.kind, &key, object, &mut listing.update);
        } else {
            apply(self.kind, &key, object, update);
            self.ahead.insert(key, Some(version));
        }
    }

    fn complete_list(&mut self, update: &mut Update) {
        let listing = self.listing.take().unwrap_or_default();
        if listing.seen.is_some() {
            for gone in self.known_where(|key| listing.leaves_out(key)) {
                // When it went is not known.
                delete(self.kind, &gone, 0, update);
            }
        }
        update.append(listing.update);
        update.lists += 1;
        self.has_listed = true;
        self.withdrawn = false;
        // All that was told is entered next.
        self.ahead.clear();
    }

    /// The version of an object that the graph has, or will have; none: it does not have it so.
    fn known(&self, key: &Key) -> Option<State> {
        if self.withdrawn {
            return None;
        }
        self.ahead.get(key).cloned().unwrap_or_else(|| self.entered(key))
    }

    fn is_known(&self, key: &Key) -> bool {
        self.ahead.get(key).map_or_else(|| self.entered(key).is_some(), Option::is_some)
    }

    /// The version of an object that the ledger has.
    fn entered(&self, (namespace, name): &Key) -> Option<State> {
        let ledger = self.ledger.get(namespace)?;
        let records = ledger.read();
        records.named(self.kind, name).map(State::of_record)
    }

    /// The objects that the graph has, or will have, and that are such.
    fn known_where(&self, is_such: impl Fn(&Key) -> bool) -> Vec<Key> {
        let namespaces = self.namespace.as_ref().map_or_else(|| self.ledger.environments(), |it| vec![it.clone()]);
        let mut known = Vec::new();
        for namespace in namespaces {
            let Some(ledger) = self.ledger.get(&namespace) else { continue };
            let records = ledger.read();
            let entered = records.in_order(self.kind).map(|name| (namespace.clone(), name.clone()));
            known.extend(entered.filter(|key| !self.ahead.contains_key(key) && is_such(key)));
        }
        let ahead = self.ahead.iter().filter(|(key, version)| version.is_some() && is_such(key));
        known.extend(ahead.map(|(key, _)| key.clone()));
        known
    }
}

/// Brings a change of an object's status or metadata into the ledger.
fn note(kind: Kind, (namespace, name): &Key, object: &WatchedObject, update: &mut Update) {
    let record = Some(object.to_record(kind));
    update.enter(namespace.clone(), LedgerEntry { name: name.clone(), record, changes_graph: None });
}

fn apply(kind: Kind, (namespace, name): &Key, object: &WatchedObject, update: &mut Update) {
    let record = object.to_record(kind);
    let changes_graph = Some(record.resource_version.revision());
    update.enter(namespace.clone(), LedgerEntry { name: name.clone(), record: Some(record), changes_graph });
    let (object, problems) = object.to_object(kind, name.clone());
    if !problems.is_empty() {
        update.unusable.push(Unusable { namespace: namespace.clone(), name: name.clone(), problems });
    }
    update.push(namespace.clone(), Change::Apply(object));
}

fn delete(kind: Kind, (namespace, name): &Key, revision: u64, update: &mut Update) {
    let entry = LedgerEntry { name: name.clone(), record: None, changes_graph: Some(revision) };
    update.enter(namespace.clone(), entry);
    update.push(namespace.clone(), Change::Delete(ObjectRef { kind, name: name.clone() }));
}

fn key(object: &WatchedObject) -> Key {
    let ObjectMeta { namespace, name, .. } = object.meta();
    // The API server leaves neither of these out: all our kinds are namespaced.
    let [namespace, name] = [namespace, name].map(|field| field.as_deref().unwrap_or_default().into());
    (namespace, name)
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

    fn tracker() -> Tracker {
        Tracker::new(Kind::Role, None, Arc::default())
    }

    /// What the events change, in a word each.
    fn run(tracker: &mut Tracker, events: impl IntoIterator<Item = Event<WatchedObject>>) -> Vec<String> {
        let mut all = Update::default();
        for event in events {
            let ends_list = matches!(event, Event::InitDone);
            tracker.handle(event, &mut all);
            if ends_list {
                enter(tracker, &mut all);
            }
        }
        enter(tracker, &mut all);
        words(&all)
    }

    /// Enters into the ledger what an update tells it.
    fn enter(tracker: &mut Tracker, update: &mut Update) {
        for (namespace, entries) in std::mem::take(&mut update.entries) {
            tracker.ledger.of(&namespace).enter(Kind::Role, entries);
        }
        tracker.settle();
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
    fn the_first_list_is_seen_as_it_comes_and_nothing_of_a_later_one_before_its_end() {
        let mut tracker = tracker();
        let (a, b) = (role("x/a", "1", 1, "p"), role("y/b", "2", 2, "q"));
        assert_eq!(run(&mut tracker, [Event::Init, Event::InitApply(a)]), ["+x/a:p"]);
        assert_eq!(run(&mut tracker, [Event::InitApply(b), Event::InitDone]), ["+y/b:q"]);

        let (a, c) = (role("x/a", "1", 3, "r"), role("x/c", "3", 4, "s"));
        assert!(run(&mut tracker, [Event::Init, Event::InitApply(a), Event::InitApply(c)]).is_empty());
        assert_eq!(run(&mut tracker, [Event::InitDone]), ["+x/a:r", "+x/c:s", "-y/b"]);
    }

    #[test]
    fn of_a_list_that_broke_off_nothing_stays_that_the_next_one_does_not_tell() {
        let mut tracker = tracker();
        let broken_off = |key, version| [Event::Init, Event::InitApply(role(key, "1", version, "p"))];
        assert_eq!(run(&mut tracker, broken_off("x/a", 1)), ["+x/a:p"]);
        assert_eq!(run(&mut tracker, listed([role("x/b", "2", 2, "q")])), ["+x/b:q", "-x/a"]);
        assert!(run(&mut tracker, broken_off("x/a", 3)).is_empty());
        assert!(run(&mut tracker, listed([role("x/b", "2", 2, "q")])).is_empty());
    }

    #[test]
    fn what_is_not_in_the_ledger_yet_is_known_nevertheless() {
        let mut tracker = tracker();
        run(&mut tracker, listed([role("x/a", "1", 1, "p")]));
        let mut held_back = Update::default();
        tracker.handle(Event::Delete(role("x/a", "1", 2, "p")), &mut held_back);
        tracker.handle(Event::Apply(role("x/b", "2", 3, "q")), &mut held_back);
        assert_eq!(words(&held_back), ["-x/a", "+x/b:q"]);
        tracker.settle();
        let again = [Event::Delete(role("x/a", "1", 2, "p")), Event::Apply(role("x/b", "2", 3, "q"))];
        assert!(run(&mut tracker, again).is_empty());
        assert_eq!(run(&mut tracker, listed([])), ["-x/b"], "the end of the other is told already");

        enter(&mut tracker, &mut held_back);
        assert!(tracker.ahead.is_empty(), "what was entered is not remembered twice");
    }

    #[test]
    fn events_follow_in_order() {
        let mut tracker = tracker();
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
        let mut tracker = tracker();
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
        let mut tracker = tracker();
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
        let mut tracker = tracker();
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
        let mut tracker = tracker();
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
        let mut tracker = tracker();
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
