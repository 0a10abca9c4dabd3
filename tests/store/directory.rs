//! Objects that are written into a folder of manifests.

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, symlink},
    sync::Arc,
    thread,
};

use bailiwick::{
    graph::facts::{self, Kind, ObjectRef},
    source::directory::load,
    store::{Draft, Error, Naming, NewObject, ObjectStore, Write, spec},
};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{bailiwick::Bailiwick, http, manifests::editor, router::DEFAULT_ENVIRONMENT, wait, workos::World};

const ACME: &str = "# Our organization.
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Resource
metadata: {name: acme}
spec: {type: organization}
";

fn group(display_name: &str) -> spec::GroupSpec {
    spec::GroupSpec {
        organization_ref: spec::NameRef { name: "acme".to_owned() },
        members: Vec::new(),
        subgroups: Vec::new(),
        display_name: Some(display_name.to_owned()),
        description: None,
    }
}

fn named(name: &str) -> Naming {
    Naming::Exactly(name.into())
}

fn object(kind: Kind, name: &str) -> ObjectRef {
    ObjectRef { kind, name: name.into() }
}

#[tokio::test]
async fn what_is_created_has_a_file_of_its_own_and_is_changed_and_deleted_there() {
    let world = World::new(ACME);
    let create =
        world.store.create::<Error>(DEFAULT_ENVIRONMENT, |_| Ok(Draft::new(named("devs"), group("Devs")))).await;
    assert_eq!(create.unwrap(), "devs");
    assert_eq!(world.files(), ["group-devs.yaml", "manifests.yaml"]);
    let shown = |name: &str| {
        let snapshot = world.store.snapshot(DEFAULT_ENVIRONMENT);
        snapshot.view().get::<facts::Group>(name)
    };
    assert_eq!(shown("devs").unwrap().presentation.display_name.as_deref(), Some("Devs"));

    let again =
        world.store.create::<Error>(DEFAULT_ENVIRONMENT, |_| Ok(Draft::new(named("devs"), group("Devs")))).await;
    assert!(matches!(again, Err(Error::AlreadyExists { .. })), "{again:?}");

    let devs = object(Kind::Group, "devs");
    let edit = world.store.edit::<Error>(DEFAULT_ENVIRONMENT, &devs, |_, stored| {
        let spec: &mut spec::GroupSpec = (&mut stored.spec).try_into().unwrap();
        spec.display_name = Some("Developers".to_owned());
        Ok(())
    });
    edit.await.unwrap();
    assert_eq!(shown("devs").unwrap().presentation.display_name.as_deref(), Some("Developers"));

    world.store.delete(DEFAULT_ENVIRONMENT, &devs).await.unwrap();
    assert!(shown("devs").is_none());
    assert_eq!(world.files(), ["manifests.yaml"]);
    assert_eq!(world.read("manifests.yaml"), ACME);
}

/// Adds a member to a group.
async fn add_member(world: &World, name: &str, member: &str) -> Result<(), Error> {
    let group = object(Kind::Group, name);
    let edit = world.store.edit::<Error>(DEFAULT_ENVIRONMENT, &group, |_, stored| {
        let spec: &mut spec::GroupSpec = (&mut stored.spec).try_into().unwrap();
        spec.members.push(member.to_owned());
        Ok(())
    });
    edit.await
}

async fn create_group(world: &World, name: &str) -> Result<(), Error> {
    let create = world.store.create::<Error>(DEFAULT_ENVIRONMENT, |view| {
        if view.get::<facts::Group>(name).is_some() {
            return Err(Error::AlreadyExists { object: object(Kind::Group, name) });
        }
        Ok(Draft::new(named(name), group(name)))
    });
    create.await.map(drop)
}

#[tokio::test]
async fn nothing_is_lost_where_many_write_at_a_time() {
    let world = Arc::new(World::new(ACME));
    let mut tasks = JoinSet::new();
    for number in 0..50 {
        let world = Arc::clone(&world);
        tasks.spawn(async move {
            let created = create_group(&world, "devs").await;
            add_member(&world, "devs", &format!("member-{number}")).await.unwrap();
            create_group(&world, &format!("own-{number}")).await.unwrap();
            created
        });
    }
    let created = tasks.join_all().await;
    assert_eq!(created.iter().filter(|created| created.is_ok()).count(), 1, "{created:?}");
    assert!(created.iter().all(|created| matches!(created, Ok(()) | Err(Error::AlreadyExists { .. }))), "{created:?}");
    let snapshot = world.store.snapshot(DEFAULT_ENVIRONMENT);
    let mut members = snapshot.view().get::<facts::Group>("devs").unwrap().fact.members;
    members.sort();
    members.dedup();
    assert_eq!(members.len(), 50);
    assert_eq!(snapshot.view().all::<facts::Group>().count(), 51);
    // No half-written file is left behind.
    assert_eq!(world.files().len(), 52, "{:?}", world.files());
}

#[tokio::test]
async fn a_person_who_edits_at_the_same_time_loses_nothing() {
    let mine = "# Mine.\napiVersion: authz.bailiwick.dev/v1alpha1\nkind: Group\nmetadata:\n  name: devs\nspec:\n  organizationRef: {name: acme}\n  members:\n  - first\n";
    let world = World::with_files(&[("acme.yaml", ACME), ("groups/mine.yaml", mine)]);
    // Behind the back of the program, which has not read it yet when it writes.
    for round in 0..5 {
        let file = world.path("groups/mine.yaml");
        let text = world.read("groups/mine.yaml");
        fs::write(&file, text.replace("# Mine.\n", &format!("# Mine.\n# Round {round}.\n"))).unwrap();
        add_member(&world, "devs", &format!("member-{round}")).await.unwrap();
    }
    let text = world.read("groups/mine.yaml");
    for round in 0..5 {
        assert!(
            text.contains(&format!("# Round {round}.\n")) && text.contains(&format!("  - member-{round}\n")),
            "{text}"
        );
    }
    assert!(text.starts_with("# Mine.\n") && text.contains("  - first\n"), "{text}");

    // What was read before somebody changed it is not written.
    let objects = world.objects();
    let read = objects.read(DEFAULT_ENVIRONMENT, &object(Kind::Group, "devs")).await.unwrap().unwrap();
    fs::write(world.path("groups/mine.yaml"), text.replace("- first", "- second")).unwrap();
    let written = objects.write(DEFAULT_ENVIRONMENT, vec![Write::Replace(read)]).await;
    assert!(matches!(written, Err(Error::Conflict { .. })), "{written:?}");

    // An object that a person has just declared is known before another one of that name is created.
    fs::write(world.path("new.yaml"), mine.replace("devs", "ops")).unwrap();
    let new = NewObject { name: "ops".into(), annotations: BTreeMap::new(), spec: group("Ops").into() };
    let created = objects.write(DEFAULT_ENVIRONMENT, vec![Write::Create(new)]).await;
    assert!(matches!(created, Err(Error::AlreadyExists { .. })), "{created:?}");
}

#[tokio::test]
async fn what_a_person_does_to_a_file_between_two_calls_is_never_undone_by_the_second() {
    let mine = |first: &str| {
        format!(
            "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Group\nmetadata: {{name: devs}}\nspec:\n  organizationRef: {{name: acme}}\n  members:\n  - {first}\n---\n{}",
            "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Group\nmetadata: {name: ops}\nspec:\n  organizationRef: {name: acme}\n",
        )
    };
    let world = World::with_files(&[("acme.yaml", ACME), ("mine.yaml", &mine("ann"))]);
    let objects = world.objects();
    let members_read = async || {
        let devs = object(Kind::Group, "devs");
        let mut stored = objects.read(DEFAULT_ENVIRONMENT, &devs).await.unwrap().unwrap();
        let spec: &mut spec::GroupSpec = (&mut stored.spec).try_into().unwrap();
        spec.members.clone()
    };
    let file = world.path("mine.yaml");
    // Of the same length, at the same time as the call, and back again to what the file held before that.
    for (first, member) in [("bob", "m1"), ("eve", "m2"), ("ann", "m3"), ("bob", "m4")] {
        let before = fs::metadata(&file).unwrap();
        let text = world.read("mine.yaml");
        let known = members_read().await;
        let edited = text.replace(&format!("- {}\n", known[0]), &format!("- {first}\n"));
        assert_eq!(edited.len(), text.len());
        fs::write(&file, &edited).unwrap();
        fs::File::options().append(true).open(&file).unwrap().set_modified(before.modified().unwrap()).unwrap();
        let expected: Vec<_> = [first].into_iter().map(str::to_owned).chain(known.into_iter().skip(1)).collect();
        assert_eq!(members_read().await, expected);
        add_member(&world, "devs", member).await.unwrap();
        let expected: Vec<_> = expected.into_iter().chain([member.to_owned()]).collect();
        assert_eq!(members_read().await, expected);
        let shown = world.store.snapshot(DEFAULT_ENVIRONMENT).view().get::<facts::Group>("devs").unwrap();
        assert_eq!(shown.fact.members, expected);
    }
    // Nor is what was there before taken for what is there now.
    fs::write(&file, mine("ann")).unwrap();
    assert_eq!(members_read().await, ["ann"]);
    add_member(&world, "ops", "m5").await.unwrap();
    let text = world.read("mine.yaml");
    assert!(text.starts_with(mine("ann").split_once("---").unwrap().0) && text.contains("m5"), "{text}");
    fs::write(&file, "this: [is broken").unwrap();
    let broken = add_member(&world, "ops", "m6").await;
    assert!(matches!(broken, Err(Error::ReadOnly { .. })), "{broken:?}");
    assert_eq!(world.read("mine.yaml"), "this: [is broken");
}

#[tokio::test]
async fn the_times_of_an_object_change_only_when_it_does() {
    let others = format!(
        "{ACME}---\napiVersion: authz.bailiwick.dev/v1alpha1\nkind: Group\nmetadata: {{name: devs}}\nspec: {{organizationRef: {{name: acme}}}}\n"
    );
    let world = World::new(&others);
    let record = |kind, name: &str| world.ledger.get(DEFAULT_ENVIRONMENT).unwrap().get(&object(kind, name)).unwrap();
    let (acme, devs) = (record(Kind::Resource, "acme"), record(Kind::Group, "devs"));
    assert_eq!((devs.created, devs.generation, devs.has_finalizers), (devs.updated, 1, false));
    add_member(&world, "devs", "alice").await.unwrap();
    assert_eq!(record(Kind::Resource, "acme"), acme, "declared in the same file");
    let after = record(Kind::Group, "devs");
    assert_eq!((&after.uid, after.created), (&devs.uid, devs.created));
    assert!(after.updated >= devs.updated && after.resource_version != devs.resource_version);
    let graph = world.environments.get(DEFAULT_ENVIRONMENT).unwrap();
    assert_eq!(
        graph.read().object(&object(Kind::Group, "devs")).unwrap().created,
        None,
        "the graph is told no time of a file"
    );

    // Also for another process.
    let again = World::new(&world.read("manifests.yaml"));
    let read = again.ledger.get(DEFAULT_ENVIRONMENT).unwrap().get(&object(Kind::Group, "devs")).unwrap();
    let millisecond = |time| facts::Timestamp::from(time).as_millisecond();
    assert_eq!(
        (read.uid, millisecond(read.created), read.updated),
        (after.uid, millisecond(after.created), after.updated)
    );
}

#[tokio::test]
async fn what_depends_on_a_deleted_object_goes_with_it_from_all_files() {
    let manifests = "# All of acme.
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Resource
metadata: {name: acme}
spec: {type: organization}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: OrganizationMembership
metadata: {name: alice}
spec: {organizationRef: {name: acme}, user: {id: alice}}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Role
metadata: {name: editor}
spec: {permissions: ['organization:edit']}
";
    let group = "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Group\nmetadata: {name: devs}\nspec:\n  organizationRef: {name: acme}\n  members:\n  - bob # stays\n  - alice\n";
    let project = "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Resource\nmetadata:\n  name: project\n  annotations: {authz.bailiwick.dev/deletion: Restrict}\nspec: {type: project, parentRef: {name: acme}}\n---\napiVersion: authz.bailiwick.dev/v1alpha1\nkind: Resource\nmetadata: {name: page}\nspec: {type: page, parentRef: {name: project}}\n";
    let files = [
        ("a.yaml", manifests),
        ("devs.yaml", group),
        ("grants/alice.yaml", &editor("alice").replace("{name: alice}\nspec", "{name: grant}\nspec")),
        ("project.yaml", project),
    ];
    let world = World::with_files(&files);

    let refused = world.store.delete(DEFAULT_ENVIRONMENT, &object(Kind::Resource, "project")).await;
    assert!(matches!(&refused, Err(Error::Refused { reasons, .. }) if reasons.len() == 1), "{refused:?}");
    assert_eq!(world.read("project.yaml"), project);

    world.store.delete(DEFAULT_ENVIRONMENT, &object(Kind::OrganizationMembership, "alice")).await.unwrap();
    assert_eq!(world.files(), ["a.yaml", "devs.yaml", "project.yaml"]);
    assert!(world.read("devs.yaml").ends_with("  members:\n  - bob # stays\n"), "{}", world.read("devs.yaml"));
    assert!(!world.read("a.yaml").contains("alice") && world.read("a.yaml").starts_with("# All of acme.\n"));

    world.store.delete(DEFAULT_ENVIRONMENT, &object(Kind::Resource, "acme")).await.unwrap();
    assert_eq!(world.files(), ["a.yaml"]);
    assert!(world.read("a.yaml").contains("kind: Role") && world.read("a.yaml").starts_with("# All of acme.\n"));
    let gone = world.store.delete(DEFAULT_ENVIRONMENT, &object(Kind::Resource, "acme")).await;
    assert!(matches!(gone, Err(Error::NotFound { .. })), "{gone:?}");
}

#[tokio::test]
async fn what_is_not_to_be_written_is_not_and_the_remedy_is_told() {
    let devs = "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Group\nmetadata: {name: devs}\nspec: {organizationRef: {name: acme}}\n";
    let world = World::with_files(&[
        ("acme.yaml", ACME),
        ("devs.yaml", devs),
        ("twice/a.yaml", &devs.replace("devs", "twice")),
        ("twice/b.yaml", &devs.replace("devs", "twice")),
    ]);
    let read_only = |outcome: Result<(), Error>, words: &[&str]| match outcome {
        Err(Error::ReadOnly { problem }) => assert!(words.iter().all(|word| problem.contains(word)), "{problem}"),
        other => panic!("{other:?}"),
    };
    read_only(add_member(&world, "twice", "a").await, &["twice/a.yaml:1:1", "twice/b.yaml:1:1", "keep one"]);

    world.set_read_only(true);
    read_only(create_group(&world, "ops").await, &["is read-only", "chmod u+w"]);
    read_only(add_member(&world, "devs", "a").await, &["is read-only", "chmod u+w"]);
    read_only(world.store.delete(DEFAULT_ENVIRONMENT, &object(Kind::Group, "devs")).await, &["is read-only"]);
    world.set_read_only(false);
    fs::set_permissions(world.path("devs.yaml"), Permissions::from_mode(0o444)).unwrap();
    read_only(add_member(&world, "devs", "a").await, &["devs.yaml", "is read-only"]);
    assert_eq!(world.read("devs.yaml"), devs);
    fs::set_permissions(world.path("devs.yaml"), Permissions::from_mode(0o640)).unwrap();
    add_member(&world, "devs", "a").await.unwrap();
    assert_eq!(fs::metadata(world.path("devs.yaml")).unwrap().permissions().mode() & 0o777, 0o640, "kept");

    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("linked"), devs.replace("devs", "linked")).unwrap();
    symlink(elsewhere.path().join("linked"), world.path("linked.yaml")).unwrap();
    world.take_effect();
    read_only(add_member(&world, "linked", "a").await, &["linked.yaml", "symbolic link"]);

    world.write("devs.yaml", "kind: [");
    read_only(add_member(&world, "devs", "a").await, &["devs.yaml:1:7", "mend the file"]);
    // Nothing lies under a name that is taken, whatever it holds.
    world.write("group-ops.yaml", "# Something else.\n");
    create_group(&world, "ops").await.unwrap();
    assert_eq!(world.read("group-ops.yaml"), "# Something else.\n");
    assert!(world.read("group-ops-2.yaml").contains("name: ops"));
}

#[tokio::test]
async fn an_object_of_another_environment_says_so() {
    let world = World::new(&ACME.replace("{name: acme}", "{name: acme, namespace: staging}"));
    let create = world.store.create::<Error>("staging", |_| Ok(Draft::new(named("devs"), group("Devs"))));
    create.await.unwrap();
    assert_eq!(world.files(), ["manifests.yaml", "staging/group-devs.yaml"]);
    assert!(world.read("staging/group-devs.yaml").contains("namespace: staging"));
    let shown = world.store.snapshot("staging").view().get::<facts::Group>("devs").is_some();
    assert!(shown && world.store.snapshot(DEFAULT_ENVIRONMENT).view().get::<facts::Group>("devs").is_none());
}

#[test]
fn a_program_that_is_killed_while_it_writes_leaves_whole_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut serve = Bailiwick::start_ready(&["serve", "--manifests", folder.path().to_str().unwrap()]);
    let url = format!("http://{}/organizations", serve.api);
    let answered: Vec<String> = thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let url = &url;
                scope.spawn(move || {
                    let names = (0..).map(|number| format!("Organization {writer} {number}"));
                    let post = |name: &String| {
                        http::send(|client| client.post(url).json(&json!({ "name": name })))
                            .is_ok_and(|answer| answer.status == 201)
                    };
                    names.take_while(post).collect::<Vec<_>>()
                })
            })
            .collect();
        wait::until("some files are written", || {
            let files = fs::read_dir(folder.path()).unwrap().count();
            if files > 30 { Ok(()) } else { Err(format!("{files} files")) }
        });
        serve.process.kill();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    let loaded = load(folder.path(), DEFAULT_ENVIRONMENT).unwrap();
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    let declared = &loaded.environments[DEFAULT_ENVIRONMENT];
    let names: Vec<_> =
        declared.values().filter_map(|it| it.record.presentation.as_ref()?.display_name.clone()).collect();
    assert!(
        answered.len() > 20 && answered.iter().all(|name| names.iter().any(|it| it == name)),
        "{answered:?} {names:?}"
    );
}
