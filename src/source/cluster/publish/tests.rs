//! Changes that are kept back, by watches that are told events without an API server.

use futures::FutureExt as _;
use kube::{Client, Config, Resource as _, runtime::watcher::Event};
use serde_json::json;
use tokio::time::advance;

use super::*;
use crate::source::{
    Metrics,
    cluster::{WatchedObject, events::Told, watch::Watch},
    ledger::Outcome,
};

const TEAM: &str = "team";

/// An environment with a watch of its Roles and one of its Groups.
struct World {
    publisher: Arc<Publisher>,
    roles: Watch,
    groups: Watch,
}

impl World {
    /// One in which everything was listed, and there are the roles of these names, of resource version 1.
    fn with_roles(names: &[&str]) -> Self {
        let publisher = Arc::new(Publisher::new(&Arc::default(), &Arc::default()));
        // Nothing is ever asked.
        let client = Client::try_from(Config::new("http://127.0.0.1:1".parse().unwrap())).unwrap();
        let watch = |kind| Watch::new(&client, kind, None, &publisher, &Metrics::default());
        let mut world =
            Self { roles: watch(Kind::Role), groups: watch(Kind::Group), publisher: Arc::clone(&publisher) };
        world.list_roles(names.iter().map(|name| object(name, 1)));
        world.groups.take(vec![Ok(Told::Event(Event::Init)), Ok(Told::Listed(1))]);
        world
    }

    fn list_roles(&mut self, roles: impl Iterator<Item = WatchedObject>) {
        let events = [Event::Init].into_iter().chain(roles.map(Event::InitApply)).map(Told::Event);
        self.roles.take(events.chain([Told::Listed(1)]).map(Ok).collect());
    }

    fn roles(&mut self, event: Event<WatchedObject>) {
        self.roles.take(vec![Ok(Told::Event(event))]);
    }

    fn groups(&mut self, event: Event<WatchedObject>) {
        self.groups.take(vec![Ok(Told::Event(event))]);
    }

    fn hold(&self, objects: &[ObjectRef]) -> Hold {
        self.try_hold(objects).expect("nothing else is held")
    }

    fn try_hold(&self, objects: &[ObjectRef]) -> Option<Hold> {
        self.publisher.hold(TEAM, objects.iter().cloned().collect()).now_or_never()
    }

    /// What the graph contains, by name; what the ledger does must be the same.
    fn visible(&self) -> Vec<String> {
        let graph = self.publisher.environments.get(TEAM).unwrap();
        let ledger = self.publisher.ledger.get(TEAM).unwrap();
        let mut objects: Vec<ObjectRef> = ledger.read().objects().collect();
        objects.sort();
        for name in ["a", "b", "c"] {
            for object in [role(name), group(name)] {
                assert_eq!(graph.read().object(&object).is_some(), objects.contains(&object), "{object}");
            }
        }
        objects.into_iter().map(|object| object.to_string()).collect()
    }
}

/// What a role and a group both can be.
fn object(name: &str, version: u32) -> WatchedObject {
    serde_json::from_value(json!({
        "metadata": { "namespace": TEAM, "name": name, "uid": uid(name), "resourceVersion": version.to_string() },
        "spec": { "organizationRef": { "name": "acme" }, "permissions": ["p"] },
    }))
    .unwrap()
}

fn uid(name: &str) -> Name {
    format!("uid of {name}").into()
}

fn role(name: &str) -> ObjectRef {
    ObjectRef { kind: Kind::Role, name: name.into() }
}

fn group(name: &str) -> ObjectRef {
    ObjectRef { kind: Kind::Group, name: name.into() }
}

fn written(object: ObjectRef, revision: u64) -> Awaited {
    Awaited { uid: uid(&object.name), object, outcome: Outcome::Written { revision } }
}

fn deleted(object: ObjectRef) -> Awaited {
    Awaited { uid: uid(&object.name), object, outcome: Outcome::Deleted }
}

#[tokio::test]
async fn what_was_written_together_becomes_visible_together_and_waits_for_nothing_else() {
    let mut world = World::with_roles(&["a", "c"]);
    let hold = world.hold(&[role("a"), role("b")]);
    world.roles(Event::Apply(object("b", 5)));
    assert_eq!(world.visible(), ["Role `a`", "Role `c`"], "while not everything is written");
    hold.until(&[written(role("b"), 5), deleted(role("a"))]);
    assert_eq!(world.visible(), ["Role `a`", "Role `c`"], "while not everything has arrived");
    world.roles(Event::Delete(object("c", 6)));
    assert_eq!(world.visible(), ["Role `a`"], "a revocation of something else");
    world.roles(Event::Delete(object("a", 7)));
    assert_eq!(world.visible(), ["Role `b`"]);
    world.roles(Event::Delete(object("b", 8)));
    assert!(world.visible().is_empty(), "nothing is held any more");
}

#[tokio::test]
async fn what_arrives_before_it_is_awaited_counts_and_so_does_what_was_known() {
    let mut world = World::with_roles(&["a", "c"]);
    let hold = world.hold(&[role("a"), role("b"), role("c")]);
    for event in [Event::Apply(object("b", 5)), Event::Delete(object("a", 6))] {
        world.roles(event);
    }
    assert_eq!(world.visible(), ["Role `a`", "Role `c`"]);
    hold.until(&[written(role("b"), 5), deleted(role("a")), written(role("c"), 1)]);
    assert_eq!(world.visible(), ["Role `b`", "Role `c`"]);
}

#[tokio::test]
async fn an_older_state_of_an_object_or_a_namesake_is_not_what_is_awaited() {
    let mut world = World::with_roles(&["a"]);
    let hold = world.hold(&[role("a"), role("b")]);
    hold.until(&[written(role("a"), 5), written(role("b"), 6)]);
    world.roles(Event::Apply(object("b", 6)));
    world.roles(Event::Apply(object("a", 4)));
    assert_eq!(world.visible(), ["Role `a`"]);
    world.roles(Event::Apply(object("a", 9)));
    assert_eq!(world.visible(), ["Role `a`", "Role `b`"], "newer will do");

    // It was somebody else's name, and is deleted by somebody else again before all has arrived.
    let hold = world.hold(&[role("a"), role("c")]);
    hold.until(&[Awaited { uid: "another".into(), ..written(role("a"), 20) }, written(role("c"), 22)]);
    world.roles(Event::Apply(object("c", 22)));
    world.roles(Event::Delete(object("a", 15)));
    assert_eq!(world.visible(), ["Role `a`", "Role `b`"], "the end of the namesake is not the end of the object");
    let mut namesake = object("a", 23);
    namesake.meta_mut().uid = Some("a third".to_owned());
    world.roles(Event::Apply(namesake));
    assert_eq!(world.visible(), ["Role `a`", "Role `b`", "Role `c`"]);
}

#[tokio::test]
async fn objects_of_several_kinds_become_visible_together() {
    let mut world = World::with_roles(&["a"]);
    let hold = world.hold(&[role("a"), group("b")]);
    hold.until(&[deleted(role("a")), written(group("b"), 5)]);
    world.groups(Event::Apply(object("b", 5)));
    world.groups(Event::Apply(object("a", 6)));
    assert_eq!(world.visible(), ["Role `a`", "Group `a`"]);
    world.roles(Event::Delete(object("a", 7)));
    assert_eq!(world.visible(), ["Group `a`", "Group `b`"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_back_for_long() {
    let mut world = World::with_roles(&["a", "b"]);
    let _hold = world.hold(&[role("a"), role("b")]);
    world.roles(Event::Delete(object("a", 5)));
    let last = Duration::from_millis(10);
    advance(MAX_HOLD.saturating_sub(last)).await;
    assert_eq!(world.visible(), ["Role `a`", "Role `b`"]);
    tokio::time::sleep(2 * last).await;
    assert_eq!(world.visible(), ["Role `b`"]);
    world.roles(Event::Delete(object("b", 6)));
    assert!(world.visible().is_empty());
}

#[tokio::test]
async fn whoever_gives_up_lets_everything_through() {
    let mut world = World::with_roles(&["a", "b"]);
    let hold = world.hold(&[role("a"), role("b")]);
    world.roles(Event::Delete(object("a", 5)));
    drop(hold);
    assert_eq!(world.visible(), ["Role `b`"]);

    let hold = world.hold(&[role("b"), role("c")]);
    world.roles(Event::Apply(object("c", 6)));
    // The first of the writes failed.
    hold.until(&[]);
    assert_eq!(world.visible(), ["Role `b`", "Role `c`"]);
}

#[tokio::test]
async fn a_new_list_ends_it_in_one_step() {
    let mut world = World::with_roles(&["a"]);
    let hold = world.hold(&[role("a"), role("b"), group("c")]);
    world.groups(Event::Apply(object("c", 4)));
    world.roles(Event::Apply(object("b", 5)));
    assert_eq!(world.visible(), ["Role `a`"]);
    // The watch broke off, and `b` has gone meanwhile.
    world.list_roles([object("a", 1), object("c", 8)].into_iter());
    assert_eq!(world.visible(), ["Role `a`", "Role `c`", "Group `c`"]);
    hold.until(&[written(role("b"), 5), deleted(role("a"))]);
    world.roles(Event::Delete(object("a", 9)));
    assert_eq!(world.visible(), ["Role `c`", "Group `c`"], "nothing is held any more");
}

#[tokio::test]
async fn a_new_list_ends_all_of_them_at_once_and_is_the_last_word() {
    let mut world = World::with_roles(&["a", "b"]);
    let holds = [world.hold(&[role("a")]), world.hold(&[role("b")])];
    world.roles(Event::Apply(object("b", 5)));
    world.roles(Event::Apply(object("a", 6)));
    // Both have gone meanwhile.
    world.list_roles([object("c", 8)].into_iter());
    assert_eq!(world.visible(), ["Role `c`"]);
    drop(holds);
    assert_eq!(world.visible(), ["Role `c`"]);
}

/// While somebody reads the state before, the next is read by others already and nothing else is published.
#[tokio::test]
async fn what_a_list_ends_is_not_seen_before_the_state_says_so() {
    let world = World::with_roles(&["a"]);
    let graph = world.publisher.environments.get(TEAM).unwrap();
    let before = graph.read();
    let entry = LedgerEntry { name: "a".into(), record: None, changes_graph: Some(0) };
    let batch =
        Batch { changes: vec![Change::Delete(role("a"))], entries: [(Kind::Role, vec![entry])].into_iter().collect() };
    let publisher = Arc::clone(&world.publisher);
    let publishing = std::thread::spawn(move || {
        let relisted = Relisted { kind: Kind::Role, namespace: None, reached: 9 };
        publisher.publish([(TEAM.into(), batch)].into_iter().collect(), Some(relisted));
    });
    while graph.read().object(&role("a")).is_some() {
        assert!(!publishing.is_finished(), "it waits for who reads the state before");
        std::thread::yield_now();
    }
    assert_eq!(graph.read().revision().of(Kind::Role), 9);
    assert_eq!(before.revision().of(Kind::Role), 1);
    drop(before);
    publishing.join().unwrap();
    assert_eq!(world.publisher.environments.revision(TEAM).of(Kind::Role), 9);
}

#[tokio::test]
async fn two_that_want_the_same_object_take_turns() {
    let mut world = World::with_roles(&["a"]);
    let first = world.hold(&[role("a"), role("b")]);
    assert!(world.try_hold(&[role("b"), role("c")]).is_none());
    let other = world.hold(&[role("c"), group("b")]);
    let publisher = Arc::clone(&world.publisher);
    let second = publisher.hold(TEAM, [role("b"), group("a")].into());
    let mut second = Box::pin(second);
    assert!((&mut second).now_or_never().is_none());
    drop(other);
    assert!((&mut second).now_or_never().is_none());
    first.until(&[deleted(role("a"))]);
    world.roles(Event::Delete(object("a", 5)));
    assert!(second.now_or_never().is_some(), "it has become visible, although the hold is still there");
}

#[tokio::test]
async fn nobody_takes_for_seen_what_is_kept_back() {
    let mut world = World::with_roles(&["a", "b"]);
    let ledger = Arc::clone(&world.publisher.ledger);
    let is_missing = |number| {
        let wanted = [(Kind::Role, number)].into_iter().collect();
        !ledger.progress().missing(TEAM, &wanted).is_empty()
    };
    let hold = world.hold(&[role("a")]);
    world.roles(Event::Apply(object("a", 2)));
    world.roles(Event::Apply(object("b", 3)));
    assert_eq!([1, 2, 3].map(is_missing), [false, true, true]);
    drop(hold);
    assert_eq!([1, 2, 3, 4].map(is_missing), [false, false, false, true]);
    assert_eq!(world.publisher.environments.revision(TEAM).of(Kind::Role), 3);
}
