//! Objects that the program itself writes through the Kubernetes API, each replica with the graph that it watches.

mod replica;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bailiwick::{
    api::{CASCADE_FINALIZER, CREATED_AT_ANNOTATION, DELETION_ANNOTATION, RESTRICT},
    graph::{
        facts::{self, Kind, ObjectRef, Timestamp},
        query::Reason,
    },
    source::{Cluster, Metrics},
    store::{
        ClusterStore, Draft, Error, Naming, ObjectStore as _, Planned, Spec, View, Write,
        spec::{GroupSpec, MembershipRef, MembershipRoleAssignmentSpec, NameRef, ResourceSpec, RoleSpec},
    },
};
use futures::future::{join, join_all};
use serde_json::{Value, json};

use self::replica::{Replica, client};
use crate::{
    controller::world::World,
    support::{
        control_plane::ControlPlane,
        manifests::{ACME, editor},
        runtime, wait,
    },
};

/// A namespace of its own on the shared control plane, where no operator runs.
fn environment(namespace: &str) -> World<'static> {
    World::new(ControlPlane::shared(), namespace)
}

fn reference(kind: Kind, name: &str) -> ObjectRef {
    ObjectRef { kind, name: name.into() }
}

fn named(name: &str) -> NameRef {
    NameRef { name: name.to_owned() }
}

fn organization() -> ResourceSpec {
    spec(json!({"type": "organization"}))
}

fn below(parent: &str) -> ResourceSpec {
    spec(json!({"type": "project", "parentRef": {"name": parent}}))
}

fn group(members: &[&str]) -> GroupSpec {
    spec(json!({"organizationRef": {"name": "acme"}, "members": members}))
}

fn role(permissions: &[&str]) -> RoleSpec {
    spec(json!({"permissions": permissions}))
}

fn grant(membership: &str) -> MembershipRoleAssignmentSpec {
    MembershipRoleAssignmentSpec {
        membership_ref: MembershipRef { name: membership.to_owned() },
        role_ref: named("editor"),
        resource_ref: Some(named("acme")),
        expires_at: None,
        condition: None,
    }
}

fn spec<T: serde::de::DeserializeOwned>(spec: Value) -> T {
    serde_json::from_value(spec).expect("a spec")
}

#[test]
fn an_object_is_created_read_changed_and_deleted() {
    let world = environment("store-life");
    let replica = Replica::start(world.plane, &world.namespace);
    let editor = reference(Kind::Role, "editor");
    let read = || runtime::block_on(replica.objects.read(&world.namespace, &editor)).expect("an answer");
    assert_eq!(read(), None);
    assert!(matches!(runtime::block_on(replica.delete(&editor)), Err(Error::NotFound { .. })));

    let before = Timestamp::now();
    runtime::block_on(replica.create("editor", role(&["organization:edit"])))
        .expect("the first object of the namespace");
    assert!(replica.knows(&editor));
    let stored = read().expect("it was created");
    assert_eq!(stored.spec, Spec::from(role(&["organization:edit"])));
    let created = &stored.annotations[CREATED_AT_ANNOTATION];
    assert!(created.len() == "2026-01-02T03:04:05.678Z".len() && created.ends_with('Z'), "{created}");
    let created: Timestamp = created.parse().expect("an instant");
    assert!(created.as_millisecond() >= before.as_millisecond() && created <= Timestamp::now(), "{created}");
    let live = world.get("Role/editor").expect("it is there");
    assert_eq!(live.metadata.finalizers.as_deref(), Some(&[CASCADE_FINALIZER.to_owned()][..]));
    assert_eq!(live.metadata.uid.as_deref(), Some(stored.uid.as_str()));

    runtime::block_on(replica.edit(&editor, |role: &mut RoleSpec| role.display_name = Some("Editor".to_owned())))
        .expect("a change");
    runtime::block_on(replica.edit(&editor, |role: &mut RoleSpec| role.permissions.clear())).expect("a change");
    let spec = world.get("Role/editor").expect("it is there").data["spec"].clone();
    assert_eq!(spec, json!({"displayName": "Editor", "resourceType": "organization"}));

    runtime::block_on(replica.delete(&editor)).expect("a deletion");
    assert!(!replica.knows(&editor));
    assert_eq!(read(), None, "under deletion, for nobody leads");
    assert!(matches!(runtime::block_on(replica.delete(&editor)), Err(Error::NotFound { .. })));
    let again = runtime::block_on(replica.create("editor", role(&[])));
    assert!(matches!(again, Err(Error::AlreadyExists { .. })), "{again:?}");

    runtime::block_on(replica.create("grant", grant("alice"))).expect("what has no finalizer");
    let grant = reference(Kind::MembershipRoleAssignment, "grant");
    runtime::block_on(replica.delete(&grant)).expect("a deletion");
    assert!(world.get("MembershipRoleAssignment/grant").is_none());
}

#[test]
fn writers_of_the_same_object_lose_nothing() {
    let world = environment("store-edits");
    let replicas = [0, 1].map(|_| Replica::start(world.plane, &world.namespace));
    runtime::block_on(async {
        replicas[0].create("acme", organization()).await.expect("an organization");
        replicas[0].create("team", group(&[])).await.expect("a group");
        let team = reference(Kind::Group, "team");
        let edits = (0..20).map(|number| {
            let (replica, team) = (&replicas[number % 2], &team);
            async move {
                let name = format!("member-{number}");
                replica.edit(team, |group: &mut GroupSpec| group.members.push(name.clone())).await.expect("an edit");
                let graph = replica.environments.get(&replica.namespace).expect("an environment");
                let Some(facts::Fact::Group(group)) = graph.read().object(team).map(|object| object.fact) else {
                    panic!("no group")
                };
                assert!(group.members.iter().any(|member| *member == name), "{name} is not seen at once");
            }
        });
        join_all(edits).await;
    });
    let members = world.get("Group/team").expect("it is there").data["spec"]["members"].clone();
    let members: BTreeSet<&str> = members.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert_eq!(members.len(), 20, "{members:?}");
}

#[test]
fn what_another_replica_wrote_is_seen_where_nothing_is_left_to_write() {
    let world = environment("store-unchanged");
    let [one, other] = [0, 1].map(|_| Replica::start(world.plane, &world.namespace));
    runtime::block_on(async {
        one.create("acme", organization()).await.expect("an organization");
        one.create("team", group(&[])).await.expect("a group");
        let team = reference(Kind::Group, "team");
        for number in 0..30 {
            let name = format!("member-{number}");
            let add = |group: &mut GroupSpec| {
                if !group.members.contains(&name) {
                    group.members.push(name.clone());
                }
            };
            // Whoever comes second changes nothing.
            let (done, also) = join(one.edit(&team, add), other.edit(&team, add)).await;
            done.and(also).expect("an edit");
            for replica in [&one, &other] {
                let graph = replica.environments.get(&replica.namespace).expect("an environment");
                let fact = graph.read().object(&team).expect("it is there").fact;
                let facts::Fact::Group(group) = fact else { panic!("no group") };
                assert!(group.members.iter().any(|member| *member == name), "{name} is missing");
            }
        }
    });
}

#[test]
fn of_two_who_create_the_same_one_is_refused() {
    let world = environment("store-race");
    let replicas = [0, 1].map(|_| Replica::start(world.plane, &world.namespace));
    runtime::block_on(async {
        replicas[0].create("acme", organization()).await.expect("an organization");
        for number in 0..20 {
            let external_id = format!("project {number}");
            let draft = |view: &View<'_>| {
                let taken = view.all::<facts::Resource>().find(|item| item.fact.external_id == external_id);
                if let Some(item) = taken {
                    return Err(Error::AlreadyExists { object: reference(Kind::Resource, &item.name) });
                }
                let naming = Naming::After { called: external_id.clone(), identity: format!("acme/{external_id}") };
                Ok(Draft::new(naming, ResourceSpec { external_id: Some(external_id.clone()), ..below("acme") }))
            };
            let (one, other) = join(
                replicas[0].store.create::<Error>(&world.namespace, draft),
                replicas[1].store.create::<Error>(&world.namespace, draft),
            )
            .await;
            let refused = [&one, &other].map(|created| matches!(created, Err(Error::AlreadyExists { .. })));
            assert_ne!(refused[0], refused[1], "{one:?} {other:?}");
            assert!(one.is_ok() || other.is_ok(), "{one:?} {other:?}");
        }
    });
    let ids: Vec<_> =
        world.specs().into_values().filter_map(|spec| spec["externalId"].as_str().map(str::to_owned)).collect();
    assert_eq!(ids.len(), 20, "{ids:?}");
}

#[test]
fn every_writer_sees_at_once_what_it_wrote() {
    let world = environment("store-own-writes");
    world.apply(ACME);
    let replica = Replica::start(world.plane, &world.namespace);
    runtime::block_on(join_all((0..8).map(|writer| {
        let replica = &replica;
        async move {
            for number in 0..25 {
                let name = format!("m-{writer}-{number}");
                replica.create(&name, grant(&name)).await.expect("a grant");
                assert_eq!(replica.may_edit(&[&name]), [true], "{name} was granted");
                if number % 5 == 0 {
                    let object = reference(Kind::MembershipRoleAssignment, &name);
                    replica.delete(&object).await.expect("a deletion");
                    assert_eq!(replica.may_edit(&[&name]), [false], "{name} was revoked");
                }
            }
        }
    })));
}

#[test]
fn what_is_written_together_takes_effect_together() {
    const ROUNDS: usize = 20;
    let world = environment("store-together");
    world.apply(&[ACME, &editor("m-0")].join("---"));
    let replica = Replica::start(world.plane, &world.namespace);
    let (ends, checks) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let checker = scope.spawn(|| {
            let members: Vec<String> = (0..=ROUNDS).map(|number| format!("m-{number}")).collect();
            let members: Vec<&str> = members.iter().map(String::as_str).collect();
            while !ends.load(Ordering::Relaxed) {
                let may: Vec<_> = replica.may_edit(&members).into_iter().filter(|may| *may).collect();
                assert_eq!(may.len(), 1, "exactly one may at any time");
                checks.fetch_add(1, Ordering::Relaxed);
            }
        });
        let write = async {
            for number in 0..ROUNDS {
                let (from, to) = (format!("m-{number}"), format!("m-{}", number + 1));
                let deleted = reference(Kind::MembershipRoleAssignment, &from);
                let before = checks.load(Ordering::Relaxed);
                let plan = |_: &View<'_>| {
                    let draft = Draft::new(Naming::Exactly(to.as_str().into()), grant(&to));
                    Ok(vec![Planned::Create(draft), Planned::Delete(deleted.clone())])
                };
                let names = replica.store.write_together::<Error>(&world.namespace, plan).await?;
                assert_eq!(names, [to.as_str()]);
                assert_eq!(replica.may_edit(&[&from, &to]), [false, true]);
                assert!(checks.load(Ordering::Relaxed) > before + 10, "nobody looked");
            }
            Ok::<(), Error>(())
        };
        let written = runtime::block_on(write);
        ends.store(true, Ordering::Relaxed);
        checker.join().expect("a part was seen");
        written.expect("every change");
    });
}

#[test]
fn of_writes_that_fail_those_before_are_done_and_seen_and_saying_it_again_completes_them() {
    let world = environment("store-partly");
    world.apply(ACME);
    let replica = Replica::start(world.plane, &world.namespace);
    runtime::block_on(async {
        replica.create("m-1", grant("m-1")).await.expect("a grant");
        let create = |name: &str| {
            Write::Create(bailiwick::store::NewObject {
                name: name.into(),
                annotations: BTreeMap::new(),
                spec: grant(name).into(),
            })
        };
        let gone = reference(Kind::MembershipRoleAssignment, "m-1");
        let delete = Write::Delete { object: gone, uid: "somebody else".into() };
        let begun = Instant::now();
        let failed = replica.objects.write(&world.namespace, vec![create("m-2"), delete, create("m-3")]).await;
        assert!(matches!(failed, Err(Error::NotFound { .. })), "{failed:?}");
        assert_eq!(replica.may_edit(&["m-1", "m-2", "m-3"]), [true, true, false]);
        assert!(begun.elapsed() < Duration::from_secs(4), "it was waited for what never comes");

        // Its own half is not in its way.
        let plan = |view: &View<'_>| {
            let missing = ["m-1", "m-2", "m-3"].into_iter();
            let missing = missing.filter(|name| view.get::<facts::MembershipRoleAssignment>(name).is_none());
            let draft = |name: &str| Draft::new(Naming::Exactly(name.into()), grant(name));
            Ok(missing.map(|name| Planned::Create(draft(name))).collect())
        };
        let names = replica.store.write_together::<Error>(&world.namespace, plan).await.expect("the rest");
        assert_eq!(names, ["m-3"]);
    });
}

#[test]
fn whoever_owns_a_field_that_does_not_change_still_owns_it() {
    let world = environment("store-fields");
    let replica = Replica::start(world.plane, &world.namespace);
    runtime::block_on(replica.create("acme", organization())).expect("an organization");
    let apply = |members: &[&str]| {
        let manifest = json!({
            "apiVersion": "authz.bailiwick.dev/v1alpha1", "kind": "Group",
            "metadata": {"name": "team", "labels": {"app": "acme"}, "annotations": {"note": "theirs"}},
            "spec": {"organizationRef": {"name": "acme"}, "members": members, "displayName": "Team"},
        });
        let arguments =
            ["apply", "--server-side", "--field-manager=argocd", "--filename", "-", "--namespace", &*world.namespace];
        world.plane.kubectl_with(&arguments, &manifest.to_string()).ok();
    };
    apply(&["alice"]);
    world.merge("Group/team", &json!({"metadata": {"finalizers": ["example.com/kept"]}}));
    world.merge_status("Group/team", &json!({"observedGeneration": 1}));
    let team = reference(Kind::Group, "team");
    wait::until("the group is known", || if replica.knows(&team) { Ok(()) } else { Err("it is not".to_owned()) });

    runtime::block_on(replica.edit(&team, |group: &mut GroupSpec| group.members.push("bob".to_owned())))
        .expect("an edit");
    let live = world.get("Group/team").expect("it is there");
    assert_eq!(live.metadata.labels.as_ref().expect("labels")["app"], "acme");
    assert_eq!(live.metadata.annotations.as_ref().expect("annotations")["note"], "theirs");
    assert_eq!(live.metadata.finalizers.as_deref(), Some(&["example.com/kept".to_owned()][..]));
    assert_eq!(live.data["status"], json!({"observedGeneration": 1}));
    let owned = |manager: &str| {
        let entries = live.metadata.managed_fields.iter().flatten();
        let mut entries = entries.filter(|entry| entry.manager.as_deref() == Some(manager));
        let fields = entries.next().and_then(|entry| entry.fields_v1.as_ref()).expect("an entry").0.clone();
        assert!(entries.next().is_none(), "one entry of {manager}");
        fields
    };
    assert_eq!(owned("bailiwick/api"), json!({"f:spec": {"f:members": {"v:\"bob\"": {}}}}));
    let theirs = json!({
        "f:metadata": {"f:annotations": {"f:note": {}}, "f:labels": {"f:app": {}}},
        "f:spec": {"f:displayName": {}, "f:members": {"v:\"alice\"": {}}, "f:organizationRef": {"f:name": {}}},
    });
    let mut owned_by_argocd = owned("argocd");
    // Some versions of the API server own whole objects besides.
    strip_dots(&mut owned_by_argocd);
    assert_eq!(owned_by_argocd, theirs);

    // They do not meet: without --force-conflicts a conflict would fail.
    apply(&["alice", "carol"]);
    let members = world.get("Group/team").expect("it is there").data["spec"]["members"].clone();
    assert_eq!(members.as_array().map(Vec::len), Some(3), "{members}");
    world.merge("Group/team", &json!({"metadata": {"finalizers": null}}));
}

/// Removes the entries `.` of a set of fields.
fn strip_dots(fields: &mut Value) {
    if let Some(fields) = fields.as_object_mut() {
        fields.remove(".");
        fields.values_mut().for_each(strip_dots);
    }
}

#[test]
fn what_depends_on_it_goes_although_nobody_had_seen_it_yet() {
    let world = World::restricted("store-cascade");
    let replica = Replica::start(world.plane, &world.namespace);
    // By kubectl, and no leader has put a finalizer on anything.
    world.apply(&[ACME, &editor("alice")].join("---"));
    let acme = reference(Kind::Resource, "acme");
    wait::until("alice may edit", || if replica.may_edit(&["alice"]) == [true] { Ok(()) } else { Err(String::new()) });
    runtime::block_on(async {
        replica.create("site", below("acme")).await.expect("a resource");
        replica.delete(&acme).await.expect("a deletion");
    });
    assert_eq!(replica.may_edit(&["alice"]), [false]);
    let left = world.get("Resource/acme").expect("it waits for what depends on it");
    assert_eq!(left.metadata.finalizers.as_deref(), Some(&[CASCADE_FINALIZER.to_owned()][..]));

    runtime::block_on(async {
        replica.create("globex", organization()).await.expect("an organization");
        replica.create("viewer", role(&["organization:view"])).await.expect("a role");
    });
    let _operator = world.start_operator(&[]);
    for object in ["Resource/acme", "Resource/site", "MembershipRoleAssignment/alice"] {
        world.wait_until_gone(object);
    }
    // What was created is like any other object.
    world.wait_until_ready("Resource/globex");
    world.wait_until_ready("Role/viewer");
}

#[test]
fn a_restricted_resource_is_not_deleted_while_something_depends_on_it() {
    let world = environment("store-restricted");
    let replica = Replica::start(world.plane, &world.namespace);
    let (acme, site) = (reference(Kind::Resource, "acme"), reference(Kind::Resource, "site"));
    runtime::block_on(async {
        let draft = |_: &View<'_>| {
            let annotations = [(DELETION_ANNOTATION.to_owned(), RESTRICT.to_owned())].into();
            Ok(Draft { annotations, ..Draft::new(Naming::Exactly("acme".into()), organization()) })
        };
        replica.store.create::<Error>(&world.namespace, draft).await.expect("an organization");
        replica.create("site", below("acme")).await.expect("a resource");
        let refused = replica.delete(&acme).await;
        let Err(Error::Refused { reasons, .. }) = &refused else { panic!("{refused:?}") };
        assert!(matches!(reasons[..], [Reason::HasDependents { .. }]), "{reasons:?}");
        let plan = |_: &View<'_>| Ok(vec![Planned::Delete(acme.clone())]);
        let refused = replica.store.write_together::<Error>(&world.namespace, plan).await;
        assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
        assert!(replica.knows(&acme));
        replica.delete(&site).await.expect("a deletion");
    });
    world.merge("Resource/site", &json!({"metadata": {"finalizers": null}}));
    wait::until("nothing depends on it", || match runtime::block_on(replica.delete(&acme)) {
        Err(Error::Refused { reasons, .. }) => Err(format!("{reasons:?}")),
        other => other.map_err(|error| panic!("{error}")),
    });
}

#[test]
fn what_the_api_server_refuses_is_told_with_the_remedy() {
    let world = environment("store-refusals");
    let stranger = Replica::start_writing_as(world.plane, &world.namespace, Some("stranger"));
    let forbidden = |done: Result<(), Error>, verb: &str| match done {
        Err(Error::Forbidden { problem }) => {
            assert!(problem.contains(&format!("permission to `{verb}` roles.authz.bailiwick.dev")), "{problem}");
            assert!(problem.contains("examples/operator/rbac.yaml"), "{problem}");
        }
        other => panic!("{other:?}"),
    };
    forbidden(runtime::block_on(stranger.create("editor", role(&[]))).map(drop), "create");
    let editor = reference(Kind::Role, "editor");
    forbidden(runtime::block_on(stranger.objects.read(&world.namespace, &editor)).map(drop), "get");

    let replica = Replica::start(world.plane, &world.namespace);
    let write = |environment: &'static str, spec: Spec| {
        let new = bailiwick::store::NewObject { name: "editor".into(), annotations: BTreeMap::new(), spec };
        runtime::block_on(replica.objects.write(environment, vec![Write::Create(new)]))
    };
    match write("store-nowhere", role(&[]).into()) {
        Err(Error::Invalid { problem, .. }) => {
            assert!(problem.contains("run `kubectl create namespace store-nowhere`"), "{problem}");
        }
        other => panic!("{other:?}"),
    }
    match write("store-refusals", role(&["no such thing"]).into()) {
        Err(Error::Invalid { problem, .. }) => assert!(problem.contains("spec.permissions[0]"), "{problem}"),
        other => panic!("{other:?}"),
    }
    world.plane.create_namespace("store-ending");
    world.plane.apply("store-ending", ACME);
    world
        .plane
        .kubectl(&[
            "patch",
            "azres",
            "acme",
            "--namespace",
            "store-ending",
            "--type=merge",
            "--patch",
            r#"{"metadata": {"finalizers": ["example.com/kept"]}}"#,
        ])
        .ok();
    world.plane.kubectl(&["delete", "namespace", "store-ending", "--wait=false"]).ok();
    match write("store-ending", role(&[]).into()) {
        Err(Error::Forbidden { problem }) => assert!(problem.contains("`store-ending` is being deleted"), "{problem}"),
        other => panic!("{other:?}"),
    }
    world
        .plane
        .kubectl(&[
            "patch",
            "azres",
            "acme",
            "--namespace",
            "store-ending",
            "--type=merge",
            "--patch",
            r#"{"metadata": {"finalizers": null}}"#,
        ])
        .ok();
}

#[test]
fn writes_fail_at_once_while_the_api_server_is_away_and_go_on_when_it_is_back() {
    let plane = ControlPlane::start();
    let client = client(&plane, None);
    // The definitions are not installed yet.
    let early = Cluster::new(&client, vec![], &Arc::default(), &Arc::default(), &Metrics::default());
    let early = ClusterStore::new(client, Arc::clone(early.publisher()));
    match runtime::block_on(early.read("default", &reference(Kind::Role, "editor"))) {
        Err(Error::Unavailable { problem }) => {
            assert!(problem.contains("roles.authz.bailiwick.dev is not installed"), "{problem}");
        }
        other => panic!("{other:?}"),
    }
    plane.install_crds();
    let replica = Replica::start(&plane, "default");
    runtime::block_on(replica.create("acme", organization())).expect("an organization");

    plane.kill_api_server();
    let begun = Instant::now();
    for done in [
        runtime::block_on(replica.create("globex", organization())).map(drop),
        runtime::block_on(replica.delete(&reference(Kind::Resource, "acme"))),
        runtime::block_on(replica.edit(&reference(Kind::Resource, "acme"), |_: &mut ResourceSpec| ())),
    ] {
        let Err(Error::Unavailable { problem }) = &done else { panic!("{done:?}") };
        assert!(problem.contains("cannot be reached"), "{problem}");
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
    assert!(replica.knows(&reference(Kind::Resource, "acme")));

    plane.start_api_server();
    // The watch may need some time to see what is written.
    wait::until("it can be written again", || match runtime::block_on(replica.create("globex", organization())) {
        Ok(_) => Ok(()),
        Err(Error::AlreadyExists { .. }) if replica.knows(&reference(Kind::Resource, "globex")) => Ok(()),
        Err(error) => Err(error.to_string()),
    });
}
