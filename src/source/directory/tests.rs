//! Folders of manifests, on disk.

use std::{fs, os::unix::fs::symlink, path::Path, time::Duration};

use tempfile::TempDir;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{
    folder::{GATE, SAFETY_INTERVAL},
    *,
};
use crate::{
    graph::facts::{Change, Fact, Kind, ObjectRef, Timestamp},
    source::ledger::Record,
};

/// A folder that is removed in the end.
struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (file, text) in files {
            folder.write(file, text);
        }
        folder
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn load(&self) -> Loaded {
        load(self.0.path(), "default").unwrap()
    }

    /// What is wrong, with paths that begin in the folder.
    fn problems(&self) -> Vec<String> {
        let prefix = format!("{}/", self.0.path().display());
        self.load().problems.iter().map(|problem| problem.to_string().replace(&prefix, "")).collect()
    }
}

/// The objects, a word each: an exclamation mark stands before those that grant nothing.
fn objects(loaded: &Loaded) -> Vec<String> {
    let word = |declaration: &Declaration| {
        let mark = if matches!(declaration.object.fact, Fact::Invalid { .. }) { "!" } else { "" };
        let ObjectRef { kind, name } = declaration.object_ref();
        format!("{mark}{}/{kind}/{name}", declaration.environment)
    };
    loaded.environments.values().flat_map(|objects| objects.values().map(word)).collect()
}

fn role(name: &str) -> String {
    format!("apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Role\nmetadata: {{name: {name}}}\nspec: {{}}\n")
}

#[test]
fn reads_yaml_and_json_in_sub_folders_with_several_documents_and_lists() {
    let folder = Folder::new(&[
        ("a.yaml", &format!("# two\n{}---\n---\n{}", role("one"), role("two"))),
        (
            "deep/er/b.yml",
            "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Role\nmetadata: {name: one, namespace: staging}\nspec: {}\n",
        ),
        (
            "c.json",
            r#"{"apiVersion": "v1", "kind": "List", "items": [
                {"apiVersion": "authz.bailiwick.dev/v1alpha1", "kind": "Group", "metadata": {"name": "g"},
                 "spec": {"organizationRef": {"name": "acme"}}, "status": {"anything": true}},
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
            ]}"#,
        ),
        ("others.yaml", "apiVersion: apps/v1\nkind: Deployment\n---\napiVersion: v1\nkind: Secret\n"),
        ("README.md", "apiVersion: nonsense"),
        (".hidden.yaml", "nonsense: ["),
        (".git/x.yaml", "nonsense: ["),
        ("empty.yaml", ""),
    ]);
    let loaded = folder.load();
    assert_eq!(folder.problems(), [""; 0]);
    assert_eq!(objects(&loaded), ["default/Role/one", "default/Role/two", "default/Group/g", "staging/Role/one"]);
}

#[test]
fn reads_what_kubectl_prints() {
    let folder = Folder::new(&[(
        "a.yaml",
        "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Role\nmetadata:\n  name: a\n  creationTimestamp: \"2026-01-01T00:00:00Z\"\n  \
         generation: 1\n  resourceVersion: \"7\"\n  uid: u\n  annotations: {x: y}\nspec: {}\nstatus: {}\n---\n\
         apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Role\nmetadata:\n  name: b\n  creationTimestamp: null\n  \
         deletionTimestamp: 2026-01-01T00:00:00Z\nspec: {}\n",
    )]);
    assert_eq!(folder.problems(), [""; 0]);
    let loaded = folder.load();
    let objects: Vec<_> = loaded.environments["default"].values().map(|declaration| &declaration.object).collect();
    assert_eq!((objects[0].created, objects[0].deleting), ("2026-01-01T00:00:00Z".parse().ok(), false));
    assert_eq!((objects[1].created, objects[1].deleting), (None, true));
}

#[test]
fn every_problem_says_where_it_is() {
    let head = "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Role\nmetadata:\n  name: a\n";
    let label = "at most 63 lowercase letters, digits and `-`, with a letter or digit at both ends";
    let cases = [
        // What cannot even be told apart contributes nothing.
        (
            "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Role\n metadata: {}\n",
            "3:10: mapping values are not allowed in this context; until this is mended the file declares nothing",
            "",
        ),
        ("- a\n", "1:1: apiVersion: is missing; add it|1:1: kind: is missing; add it", ""),
        ("kind: Role\n", "1:1: apiVersion: is missing; add it", ""),
        ("kind: Role\napiVersion: 1\n", "2:1: apiVersion: must be text; quote it", ""),
        ("apiVersion: authz.bailiwick.dev/v1alpha1\n", "1:1: kind: is missing; add it", ""),
        (
            "---\napiVersion: authz.bailiwick.dev/v1alpha1\nkind: Rolle\n",
            "3:1: kind: there is no kind `Rolle` in authz.bailiwick.dev; use one of `Resource`, `Role`, `Group`, `GroupRoleAssignment`, \
             `MembershipRoleAssignment`, `OrganizationMembership`, `ResourceType`, `Environment`",
            "",
        ),
        ("apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Role\n", "1:1: metadata.name: is missing; add it", ""),
        (
            "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Role\nmetadata: {name: 7}\n",
            "3:12: metadata.name: must be text; quote it",
            "",
        ),
        ("apiVersion: v1\nkind: List\n", "1:1: items: must be the list of the objects", ""),
        // The rest is there and grants nothing.
        (
            "apiVersion: authz.bailiwick.dev/v1\nkind: Role\nmetadata: {name: a}\nspec: {}\n",
            "1:1: Role `a`: apiVersion: must be `authz.bailiwick.dev/v1alpha1`, not `authz.bailiwick.dev/v1`",
            "!default/Role/a",
        ),
        (
            "apiVersion: authz.bailiwick.dev\nkind: Role\nmetadata: {name: a}\nspec: {}\n",
            "1:1: Role `a`: apiVersion: must be `authz.bailiwick.dev/v1alpha1`, not `authz.bailiwick.dev`",
            "!default/Role/a",
        ),
        (
            "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Role\nmetadata: {name: A_b}\nspec: {}\n",
            "3:12: Role `A_b`: metadata.name: cannot be `A_b`: use 1 to 253 lower-case letters, digits, `-` and `.`, with a \
             letter or digit at both ends of each part",
            "!default/Role/A_b",
        ),
        (
            "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Role\nmetadata: {name: a, namespace: x.y}\nspec: {}\n",
            &format!("3:21: Role `a`: metadata.namespace: must be a DNS label: {label}"),
            "!x.y/Role/a",
        ),
        (
            &format!("{head}  deletionTimestamp: soon\nspec: {{}}\n"),
            "5:3: Role `a`: metadata.deletionTimestamp: must be a time such as `2026-01-31T12:00:00Z`",
            "!default/Role/a",
        ),
        (head, "1:1: Role `a`: spec: is missing; add it", "!default/Role/a"),
        (
            &format!("{head}spec: {{}}\npermissions: []\n"),
            "6:1: Role `a`: permissions: is no field of an object; correct its spelling, move it into `spec` or remove it",
            "!default/Role/a",
        ),
        (
            &format!("{head}spec:\n  permission: []\n"),
            "6:3: Role `a`: spec.permission: is no field of this kind; correct its spelling or remove it",
            "!default/Role/a",
        ),
        (
            &format!("{head}spec:\n  permissions:\n    - a\n    - 12\n"),
            "8:7: Role `a`: spec.permissions[1]: invalid type: integer `12`, expected a string",
            "!default/Role/a",
        ),
        (
            &format!("{head}spec:\n  organizationRef: {{nam: x}}\n"),
            "6:3: Role `a`: spec.organizationRef: missing field `name`|6:21: Role `a`: spec.organizationRef.nam: is no field of this kind; correct its spelling or remove it",
            "!default/Role/a",
        ),
    ];
    for (text, problems, object) in cases {
        let folder = Folder::new(&[("a.yaml", text)]);
        let problems: Vec<_> = problems.split('|').map(|problem| format!("a.yaml:{problem}")).collect();
        assert_eq!(folder.problems(), problems, "{text}");
        assert_eq!(objects(&folder.load()).join(" "), object, "{text}");
    }
}

#[test]
fn files_that_cannot_be_read_are_problems() {
    let folder = Folder::new(&[("good.yaml", &role("good"))]);
    fs::write(folder.path("binary.yaml"), [0xff, 0xfe, 0x00]).unwrap();
    fs::write(folder.path("huge.json"), vec![b' '; 16 * 1024 * 1024 + 1]).unwrap();
    symlink("nowhere", folder.path("dangling.yaml")).unwrap();
    folder.write(&format!("{}x.yaml", "d/".repeat(33)), &role("deep"));
    assert_eq!(objects(&folder.load()), ["default/Role/good"]);
    let deep = format!("{}: lies more than 32 folders deep; move it up", ["d"; 33].join("/"));
    assert_eq!(
        folder.problems(),
        [
            "binary.yaml: is not UTF-8: invalid utf-8 sequence of 1 bytes from index 0",
            deep.as_str(),
            "dangling.yaml: cannot be read: No such file or directory (os error 2)",
            "huge.json: is larger than 16 MiB; split it",
        ]
    );
}

#[test]
fn an_object_declared_twice_grants_nothing_and_names_both_places() {
    let elsewhere = role("one").replace("{name: one}", "{name: one, namespace: staging}");
    let folder = Folder::new(&[
        ("a.yaml", &format!("{}---\n{elsewhere}", role("one"))),
        ("b/c.yaml", &format!("{}---\n{}", role("two"), role("one"))),
    ]);
    let loaded = folder.load();
    assert_eq!(objects(&loaded), ["!default/Role/one", "default/Role/two", "staging/Role/one"]);
    assert_eq!(
        folder.problems(),
        [format!(
            "b/c.yaml:6:1: Role `one`: is declared at {}:1:1 already; remove one of the two",
            folder.path("a.yaml").display()
        )
        .replace(&format!("{}/b/", folder.0.path().display()), "")
        .replace(&format!("{}/", folder.0.path().display()), "")]
    );
    let one = ObjectRef { kind: Kind::Role, name: "one".into() };
    let Fact::Invalid { problem, .. } = &loaded.environments["default"][&one].object.fact else { panic!() };
    assert!(problem.contains("a.yaml:1:1") && problem.contains("b/c.yaml:6:1"), "{problem}");
}

#[test]
fn follows_links_once_and_never_in_circles() {
    let outside = Folder::new(&[("x.yaml", &role("outside")), ("sub/y.yaml", &role("linked"))]);
    let folder = Folder::new(&[("a.yaml", &role("a"))]);
    symlink("a.yaml", folder.path("again.yaml")).unwrap();
    symlink(".", folder.path("circle")).unwrap();
    symlink(outside.path("x.yaml"), folder.path("x.yaml")).unwrap();
    symlink(outside.path("sub"), folder.path("sub")).unwrap();
    assert_eq!(folder.problems(), [""; 0]);
    assert_eq!(objects(&folder.load()), ["default/Role/a", "default/Role/linked", "default/Role/outside"]);
}

/// Lays a folder out as the kubelet mounts a `ConfigMap`, or puts the next version in.
fn mount(folder: &Folder, version: &str, text: &str) {
    folder.write(&format!("..{version}/roles.yaml"), text);
    symlink(format!("..{version}"), folder.path("..data_tmp")).unwrap();
    fs::rename(folder.path("..data_tmp"), folder.path("..data")).unwrap();
    if !folder.path("roles.yaml").exists() {
        symlink("..data/roles.yaml", folder.path("roles.yaml")).unwrap();
    }
}

#[test]
fn reads_a_mounted_config_map_once() {
    let folder = Folder::new(&[]);
    mount(&folder, "2026_1", &role("one"));
    assert_eq!(objects(&folder.load()), ["default/Role/one"]);
    assert_eq!(folder.problems(), [""; 0]);
}

#[test]
fn changes_are_what_differs() {
    let folder = Folder::new(&[("a.yaml", &format!("{}---\n{}---\n{}", role("same"), role("edited"), role("gone")))]);
    let before = folder.load();
    folder.write("a.yaml", &format!("{}---\n{}", role("edited").replace("{}\n", "{slug: x}\n"), role("new")));
    folder.write("b.yaml", &role("same"));
    let after = folder.load();
    let changes = after.changes_since(&before);
    let words: Vec<_> = changes["default"]
        .iter()
        .map(|change| match change {
            Change::Apply(object) => format!("+{}", object.name),
            Change::Delete(object) => format!("-{}", object.name),
        })
        .collect();
    assert_eq!(words, ["-gone", "+edited", "+new"]);
    assert!(after.changes_since(&after.clone()).is_empty());
    assert_eq!(Loaded::default().changes_since(&after)["default"].len(), 3);
}

#[test]
fn what_a_file_declared_before_it_broke_stays_but_grants_nothing() {
    let folder = Folder::new(&[("sub/a.yaml", &role("a")), ("b.yaml", &role("b"))]);
    let before = folder.load();
    folder.write("sub/a.yaml", "apiVersion: [");
    let mut broken = folder.load();
    assert_eq!(objects(&broken), ["default/Role/b"]);
    broken.withhold(&before);
    assert_eq!(objects(&broken), ["!default/Role/a", "default/Role/b"]);

    // It stays so while the file does, and what is declared elsewhere by now is not concerned.
    folder.write("b.yaml", &format!("{}---\n{}", role("a"), role("b")));
    let mut moved = folder.load();
    moved.withhold(&broken);
    assert_eq!(objects(&moved), ["default/Role/a", "default/Role/b"]);

    fs::remove_file(folder.path("sub/a.yaml")).unwrap();
    let mut gone = folder.load();
    gone.withhold(&broken);
    assert_eq!(gone.problems.len(), 0);

    fs::remove_dir_all(folder.0.path()).unwrap();
    let (vanished, _) = Loader::new(folder.0.path().to_owned(), "default".into()).load(Care::Thorough);
    let mut vanished = vanished.unwrap();
    vanished.withhold(&moved);
    assert_eq!(objects(&vanished), ["!default/Role/a", "!default/Role/b"]);
    assert_eq!(vanished.problems.len(), 1);
}

#[test]
fn a_missing_folder_is_an_error() {
    let folder = Folder::new(&[("a.yaml", "")]);
    assert!(matches!(load(folder.path("none"), "default"), Err(Error::Folder { .. })));
    assert!(matches!(load(folder.path("a.yaml"), "default"), Err(Error::NotAFolder { .. })));
}

/// Follows a folder until the test ends.
struct Following {
    environments: Arc<Environments>,
    _running: JoinSet<()>,
}

impl Following {
    fn begin(path: &Path) -> Self {
        let environments = Arc::new(Environments::default());
        let directory =
            Directory::open(path, "default", Arc::clone(&environments), Arc::default(), Metrics::default()).unwrap();
        assert!(!directory.folder.hold().outlook().1);
        Self { environments, _running: [directory.run()].into_iter().collect() }
    }

    fn counts(&self) -> (usize, usize) {
        self.environments.get("default").map_or((0, 0), |graph| {
            let graph = graph.read();
            (graph.count(Kind::Role), graph.count_invalid(Kind::Role))
        })
    }

    /// Waits until there are so many roles, of which so many cannot be used, sooner than the folder would be read
    /// without any reason.
    async fn wait_for(&self, what: &str, roles: usize, invalid: usize) {
        let deadline = Instant::now() + SAFETY_INTERVAL / 2;
        while self.counts() != (roles, invalid) {
            assert!(Instant::now() < deadline, "{what}: {:?}", self.counts());
            sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn a_change_takes_effect_at_once() {
    let folder = Folder::new(&[("a.yaml", &role("a"))]);
    let following = Following::begin(folder.0.path());
    assert_eq!(following.counts(), (1, 0));
    assert!(following.environments.is_synced());

    folder.write("b.yaml", &role("b"));
    following.wait_for("added", 2, 0).await;
    folder.write("b.yaml", &format!("{}---\n{}", role("b"), role("c")));
    following.wait_for("edited", 3, 0).await;
    folder.write("b.tmp", &role("b"));
    fs::rename(folder.path("b.tmp"), folder.path("b.yaml")).unwrap();
    following.wait_for("replaced", 2, 0).await;
    fs::rename(folder.path("a.yaml"), folder.path("a.off")).unwrap();
    following.wait_for("renamed", 1, 0).await;
    folder.write("b.yaml", "broken: [");
    following.wait_for("broken", 1, 1).await;
    assert!(following.environments.is_synced());
    folder.write("b.yaml", &role("b"));
    following.wait_for("mended", 1, 0).await;
    fs::remove_file(folder.path("b.yaml")).unwrap();
    following.wait_for("removed", 0, 0).await;
}

#[tokio::test]
async fn a_change_in_folders_takes_effect_at_once() {
    let parent = Folder::new(&[("root/a.yaml", &role("a"))]);
    let outside = Folder::new(&[("x.yaml", &role("x"))]);
    let following = Following::begin(&parent.path("root"));

    parent.write("root/new/deep/b.yaml", &role("b"));
    following.wait_for("a new folder", 2, 0).await;
    parent.write("root/new/deep/c.yaml", &role("c"));
    following.wait_for("a file in the new folder", 3, 0).await;
    symlink(outside.path("x.yaml"), parent.path("root/x.yaml")).unwrap();
    following.wait_for("a link", 4, 0).await;
    outside.write("x.yaml", "");
    following.wait_for("what the link leads to", 3, 0).await;
    fs::rename(parent.path("root/new"), parent.path("elsewhere")).unwrap();
    following.wait_for("a folder moved away", 1, 0).await;
    fs::rename(parent.path("root"), parent.path("was-root")).unwrap();
    following.wait_for("the folder itself gone", 1, 1).await;
    parent.write("root/d.yaml", &role("d"));
    following.wait_for("and made anew", 1, 0).await;
    parent.write("root/e.yaml", &role("e"));
    following.wait_for("and watched anew", 2, 0).await;
}

#[tokio::test]
async fn the_next_version_of_a_config_map_takes_effect_at_once() {
    let folder = Folder::new(&[]);
    mount(&folder, "2026_1", &role("one"));
    let following = Following::begin(folder.0.path());
    assert_eq!(following.counts(), (1, 0));
    mount(&folder, "2026_2", &format!("{}---\n{}", role("two"), role("three")));
    fs::remove_dir_all(folder.path("..2026_1")).unwrap();
    following.wait_for("the next version", 2, 0).await;
    mount(&folder, "2026_3", "");
    following.wait_for("the one after", 0, 0).await;
}

#[tokio::test]
async fn every_link_on_the_way_to_a_file_is_followed_at_once() {
    let folder = Folder::new(&[("root/a.yaml", &role("a")), ("way/.keep", "")]);
    let targets = Folder::new(&[("one/b", &role("b")), ("two/b", &format!("{}---\n{}", role("b"), role("c")))]);
    symlink(targets.path("one/b"), folder.path("way/b")).unwrap();
    symlink("../way/b", folder.path("root/b.yaml")).unwrap();
    let following = Following::begin(&folder.path("root"));
    assert_eq!(following.counts(), (2, 0));
    symlink(targets.path("two/b"), folder.path("way/next")).unwrap();
    fs::rename(folder.path("way/next"), folder.path("way/b")).unwrap();
    following.wait_for("another target", 3, 0).await;
    fs::remove_file(folder.path("way/b")).unwrap();
    following.wait_for("no target", 3, 2).await;
    symlink(targets.path("one/b"), folder.path("way/b")).unwrap();
    following.wait_for("a target again", 2, 0).await;
}

#[tokio::test]
async fn another_folder_under_the_same_path_takes_effect_at_once() {
    let folder = Folder::new(&[
        ("one/manifests/a.yaml", &role("a")),
        ("two/manifests/a.yaml", &format!("{}---\n{}", role("a"), role("b"))),
    ]);
    let lead_to = |target: &str| {
        symlink(target, folder.path("next")).unwrap();
        fs::rename(folder.path("next"), folder.path("current")).unwrap();
    };
    lead_to("one");
    let following = Following::begin(&folder.path("current/manifests"));
    assert_eq!(following.counts(), (1, 0));
    lead_to("two");
    following.wait_for("a link farther up", 2, 0).await;
    folder.write("two/manifests/c.yaml", &role("c"));
    following.wait_for("a file in what it leads to now", 3, 0).await;
    fs::remove_file(folder.path("current")).unwrap();
    following.wait_for("it leads nowhere", 3, 3).await;
    lead_to("one");
    following.wait_for("and back", 1, 0).await;
}

#[tokio::test]
async fn no_answers_before_every_file_can_be_read() {
    let folder = Folder::new(&[("a.yaml", &role("a")), ("b.yaml", "kind: [")]);
    let following = Following::begin(folder.0.path());
    assert_eq!(following.counts(), (1, 0));
    let gates = following.environments.closed_gates();
    let [(gate, Some(reason))] = gates.as_slice() else { panic!("{gates:?}") };
    assert_eq!(gate, GATE);
    assert!(reason.contains("b.yaml:1:7"), "{reason}");
    folder.write("b.yaml", &role("b"));
    following.wait_for("mended", 2, 0).await;
    assert!(following.environments.is_synced());
}

#[test]
fn a_change_that_shows_in_no_size_is_never_missed() {
    let folder = Folder::new(&[("a.yaml", &role("a0"))]);
    let environments = Arc::new(Environments::default());
    let directory =
        Directory::open(folder.0.path(), "default", environments, Arc::default(), Metrics::default()).unwrap();
    let mut held = directory.folder.hold();
    for round in 1..10 {
        let name = format!("a{round}");
        folder.write("a.yaml", &role(&name));
        held.read_again(Care::Quick);
        let object = ObjectRef { kind: Kind::Role, name: name.into() };
        assert!(held.declaration("default", &object).is_some(), "round {round}");
    }
    let before = Arc::clone(held.loaded());
    held.read_again(Care::Quick);
    assert!(Arc::ptr_eq(&before, held.loaded()), "nothing changed");
}

#[test]
fn every_object_is_known_with_what_it_says_for_people() {
    let folder = Folder::new(&[(
        "a.yaml",
        "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Role\nmetadata:\n  name: a\n  creationTimestamp: 2026-01-01T00:00:00.123Z\n  \
         annotations: {authz.bailiwick.dev/updated-at: 2026-01-02T00:00:00Z}\nspec: {displayName: A}\n---\n\
         apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Role\nmetadata: {name: b}\nspec: {displayName: B, wrong: true}\n",
    )]);
    let (environments, ledger) = (Arc::new(Environments::default()), Arc::<Ledger>::default());
    let directory =
        Directory::open(folder.0.path(), "default", environments, Arc::clone(&ledger), Metrics::default()).unwrap();
    let record = |name: &str| {
        let object = ObjectRef { kind: Kind::Role, name: name.into() };
        ledger.get("default").unwrap().get(&object).unwrap()
    };
    let (a, b) = (record("a"), record("b"));
    assert_eq!(a.uid.to_string(), "1db5f5f8-a587-5958-897d-f27ac302d33e", "for ever");
    assert_eq!(Timestamp::from(a.created), "2026-01-01T00:00:00.123Z".parse().unwrap());
    assert_eq!(Timestamp::from(a.updated), "2026-01-02T00:00:00Z".parse().unwrap());
    let display_name = |record: &Record| record.presentation.as_ref().and_then(|it| it.display_name.clone());
    assert_eq!((display_name(&a).as_deref(), display_name(&b).as_deref()), (Some("A"), Some("B")));

    // What people are told reaches the ledger although the graph does not change.
    let text = fs::read_to_string(folder.path("a.yaml")).unwrap();
    folder.write("a.yaml", &text.replace("displayName: A", "displayName: Other"));
    directory.folder.hold().read_again(Care::Quick);
    let after = record("a");
    assert_eq!((display_name(&after).as_deref(), &after.uid, after.created), (Some("Other"), &a.uid, a.created));
    assert!(after.updated > a.updated && after.resource_version != a.resource_version);
    assert_eq!(record("b"), b, "it did not change");
}
