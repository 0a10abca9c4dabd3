//! The admission webhook, called by a real API server.

use std::{fs, iter, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    bailiwick::Bailiwick,
    control_plane::{ControlPlane, Kubectl},
    manifests::{self, ACME, editor},
    wait,
    webhook::{self, Authority},
};

/// A control plane with an operator that reviews what is written.
struct Reviewed {
    plane: ControlPlane,
    operator: Bailiwick,
    _certificate: TempDir,
}

impl Reviewed {
    /// Starts it; `before` is written before the webhook is asked.
    fn start(before: impl FnOnce(&ControlPlane)) -> Self {
        let plane = ControlPlane::start();
        plane.start_controller_manager();
        plane.permit_operator();
        plane.install_crds();
        before(&plane);
        let certificate = tempfile::tempdir().expect("a temporary folder");
        let authority = Authority::new();
        authority.issue_into(certificate.path());
        let folder = certificate.path().to_str().expect("a path in UTF-8");
        let operator = plane.start_operator(&["--admission-listen", "127.0.0.1:0", "--admission-certificate", folder]);
        operator.wait_until_ready();
        webhook::register(&plane, &webhook::address(&operator), Some(&authority));
        plane.create_namespace("probe");
        plane.apply("probe", &organization("one", "same"));
        wait::until("the API server asks the webhook", || {
            let answer = plane
                .kubectl_with(&["create", "--dry-run=server", "-n", "probe", "-f", "-"], &organization("two", "same"));
            if answer.success { Err("it does not".to_owned()) } else { Ok(()) }
        });
        Self { plane, operator, _certificate: certificate }
    }

    fn apply(&self, namespace: &str, manifest: &str) -> Kubectl {
        self.plane.kubectl_with(&["apply", "--namespace", namespace, "--filename", "-"], manifest)
    }

    /// Waits until the operator knows of so many objects.
    fn wait_until_known(&self, namespace: &str, objects: usize) {
        wait::until("the operator knows every object", || {
            let known = self.operator.get(&format!("/environments/{namespace}/v1/objects?limit=1000")).ok();
            let known = known["items"].as_array().expect("items").len();
            if known == objects { Ok(()) } else { Err(format!("{known} of {objects} in {namespace}")) }
        });
    }

    /// What the webhook says of a manifest once it knows what that depends on.
    fn refusal(&self, namespace: &str, manifest: &str) -> String {
        let answer = self.apply(namespace, manifest);
        assert!(!answer.success, "it is accepted: {manifest}");
        answer.stderr
    }
}

fn organization(name: &str, external_id: &str) -> String {
    json!({
        "apiVersion": "authz.bailiwick.dev/v1alpha1", "kind": "Resource",
        "metadata": {"name": name}, "spec": {"type": "organization", "externalId": external_id},
    })
    .to_string()
}

fn project(name: &str, parent: &str) -> String {
    json!({
        "apiVersion": "authz.bailiwick.dev/v1alpha1", "kind": "Resource",
        "metadata": {"name": name}, "spec": {"type": "project", "parentRef": {"name": parent}},
    })
    .to_string()
}

/// A file of tests/manifests/contradictions.
struct Contradiction {
    namespace: String,
    reason: String,
    message: String,
    remedy: Vec<String>,
    setting: Vec<Value>,
    offender: String,
}

impl Contradiction {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("a text file");
        let header = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("# {name}: ")));
            line.unwrap_or_else(|| panic!("{}: no `# {name}: `", path.display())).to_owned()
        };
        let mut setting = manifests::documents(path);
        Self {
            namespace: path.file_stem().expect("a name").to_str().expect("UTF-8").to_owned(),
            reason: header("reason"),
            message: header("message"),
            remedy: header("remedy").split(' ').map(str::to_owned).collect(),
            offender: setting.pop().expect("a document").to_string(),
            setting,
        }
    }

    /// The namespace and what is in it before the offender comes.
    fn before(&self) -> impl Iterator<Item = Value> {
        let Self { namespace, setting, .. } = self;
        let objects = setting.iter().cloned().map(move |mut object| {
            object["metadata"]["namespace"] = json!(namespace);
            object
        });
        iter::once(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})).chain(objects)
    }
}

#[test]
fn what_contradicts_others_is_refused_until_it_does_not() {
    let files = manifests::files("tests/manifests/contradictions");
    assert!(files.len() >= 10, "only {} files", files.len());
    let contradictions: Vec<_> = files.iter().map(|path| Contradiction::read(path)).collect();
    let reviewed = Reviewed::start(|_| ());
    let before: Vec<Value> = contradictions.iter().flat_map(Contradiction::before).collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": before});
    reviewed.plane.kubectl_with(&["apply", "--filename", "-"], &list.to_string()).ok();
    let mut wrong = Vec::new();
    for Contradiction { namespace, reason, message, setting, offender, .. } in &contradictions {
        reviewed.wait_until_known(namespace, setting.len());
        let answer = reviewed.apply(namespace, offender);
        if answer.success {
            wrong.push(format!("{namespace} is accepted, but for {reason} it must not be"));
        } else if !answer.stderr.contains(message) || !answer.stderr.contains("spec") {
            wrong.push(format!("{namespace}: no `{message}` of a field in: {}", answer.stderr));
        }
        println!("{namespace}: {}", answer.stderr.trim());
    }
    let refused = contradictions.len() - wrong.len();
    assert!(wrong.is_empty(), "{refused} are refused, but\n{}", wrong.join("\n"));
    for Contradiction { namespace, remedy, offender, .. } in &contradictions {
        let remedy: Vec<&str> = remedy.iter().map(String::as_str).chain(["--namespace", namespace]).collect();
        reviewed.plane.kubectl(&remedy).ok();
        wait::until(&format!("{namespace} is accepted after {remedy:?}"), || {
            let answer = reviewed.apply(namespace, offender);
            if answer.success { Ok(()) } else { Err(answer.stderr) }
        });
    }

    let figure = |series: &str| reviewed.operator.metric(series).unwrap_or_default();
    let by_reviews = figure("bailiwick_admission_duration_seconds_sum");
    let reviews = figure("bailiwick_admission_duration_seconds_count");
    println!("{reviews} reviews took {:.2} ms each", 1000.0 * by_reviews / reviews);
    assert!(figure(r#"bailiwick_admission_requests_total{operation="create",outcome="refused"}"#) >= 10.0);
    assert!(figure(r#"bailiwick_admission_requests_total{operation="update",outcome="refused"}"#) >= 3.0);
    assert!(figure(r#"bailiwick_admission_requests_total{operation="update",outcome="allowed"}"#) >= 3.0);
    let errors: Vec<_> = ["create", "update", "delete", "unknown"]
        .map(|operation| {
            figure(&format!(r#"bailiwick_admission_requests_total{{operation="{operation}",outcome="error"}}"#))
        })
        .into();
    assert_eq!(errors, [0.0; 4], "{}", reviewed.operator.log());
}

#[test]
fn what_is_not_worse_than_before_passes_with_a_warning_where_something_is_missing() {
    let reviewed = Reviewed::start(|plane| {
        plane.create_namespace("bad");
        plane.apply("bad", &organization("acme", "same"));
        plane.apply("bad", &organization("globex", "same"));
    });
    reviewed.wait_until_known("bad", 2);
    let patch = |name: &str, patch: &str| {
        reviewed.plane.kubectl(&["patch", "azres", name, "--namespace", "bad", "--type=merge", "--patch", patch])
    };
    patch("globex", r#"{"spec": {"displayName": "Globex"}}"#).ok();
    patch("globex", r#"{"metadata": {"labels": {"color": "green"}}}"#).ok();
    assert!(reviewed.refusal("bad", &organization("third", "same")).contains("has the same type and external id"));

    // What refers to something that does not exist yet is taken, with a word of it.
    reviewed.plane.create_namespace("dangling");
    let early = reviewed.apply("dangling", &editor("alice"));
    assert!(early.success, "{early:?}");
    for warning in ["Warning: Role `editor` does not exist", "Warning: Resource `acme` does not exist"] {
        assert!(early.stderr.contains(warning), "no `{warning}` in: {}", early.stderr);
    }
    reviewed.plane.apply("dangling", ACME);
    reviewed.wait_until_known("dangling", 3);
    let late = reviewed.apply("dangling", &editor("bob"));
    assert!(late.success && !late.stderr.contains("Warning"), "{late:?}");
    let removed =
        reviewed.plane.kubectl(&["delete", "azrole", "editor", "--namespace", "dangling", "--dry-run=server"]);
    assert!(removed.success, "{removed:?}");

    // A name that is generated cannot be the name of what is there.
    let generated = editor("bob").replacen("name: bob", "generateName: bob-", 1);
    let create = ["create", "--namespace", "dangling", "--filename", "-"];
    wait::until("the second assignment is refused", || {
        let answer = reviewed.plane.kubectl_with(&[&create[..], &["--dry-run=server"]].concat(), &generated);
        if answer.stderr.contains("MembershipRoleAssignment `bob` grants the same role") {
            Ok(())
        } else {
            Err(answer.stderr)
        }
    });
    let other = generated.replace("name: bob}", "name: carol}");
    reviewed.plane.kubectl_with(&create, &other).ok();

    // The schema knows nothing of conditions but their length.
    let on_condition =
        |condition: &str| editor("erin").replacen("spec: {", &format!("spec: {{condition: \"{condition}\", "), 1);
    let refusal = reviewed.refusal("dangling", &on_condition("now == 'noon'"));
    assert!(refusal.contains("spec.condition: puts `==` on a timestamp and a string"), "{refusal}");
    reviewed.apply("dangling", &on_condition("now.getHours() == 12")).ok();
}

#[test]
fn deletion_is_never_in_the_way_but_that_of_a_restricted_resource_with_dependents() {
    let mut reviewed = Reviewed::start(|plane| {
        for namespace in ["kept", "emptied", "orphaned"] {
            plane.create_namespace(namespace);
            plane.apply(namespace, &[ACME, &editor("alice"), &project("website", "acme")].join("\n---\n"));
        }
        plane.kubectl(&["annotate", "azres", "--all", "-n", "kept", "authz.bailiwick.dev/deletion=Restrict"]).ok();
    });
    for namespace in ["kept", "emptied", "orphaned"] {
        reviewed.wait_until_known(namespace, 4);
    }
    let plane = &reviewed.plane;

    // Deletion is refused while anything depends on it, whoever asks for it, but not to those who empty a namespace.
    let delete = |name: &str, more: &[&str]| {
        plane.kubectl(&[&["delete", "azres", name, "--namespace", "kept", "--wait=false"], more].concat())
    };
    let refused = delete("acme", &[]);
    let words = "2 objects or names in groups depend on Resource `acme`, whose deletion is restricted";
    assert!(!refused.success && refused.stderr.contains(words), "{refused:?}");
    delete("acme", &["--dry-run=server", "--as=system:serviceaccount:kube-system:namespace-controller"]).ok();
    // Leaves first, it goes.
    delete("website", &["--wait=true"]).ok();
    plane.kubectl(&["delete", "mra", "alice", "--namespace", "kept"]).ok();
    wait::until("nothing depends on it any more", || {
        let answer = delete("acme", &[]);
        if answer.success { Ok(()) } else { Err(answer.stderr) }
    });

    // All of a namespace goes.
    plane.kubectl(&["delete", "namespace", "emptied", "--timeout=60s"]).ok();

    // While no operator can be reached nothing new is taken, but everything can still go.
    reviewed.operator.process.kill();
    let new = reviewed.apply("orphaned", &organization("globex", "globex"));
    assert!(!new.success && new.stderr.contains("failed calling webhook"), "{new:?}");
    let plane = &reviewed.plane;
    plane.kubectl(&["label", "azres", "acme", "--namespace", "orphaned", "color=green"]).ok();
    let all = "azres,azrole,azgrp,azom,azrt,azenv,mra,gra";
    plane.kubectl(&["delete", all, "--all", "--namespace", "orphaned", "--wait=false"]).ok();
    let left = plane.kubectl(&["get", all, "--namespace", "orphaned", "--output=name"]).ok();
    assert!(left.contains("acme"), "nobody has removed the finalizers: {left}");
    for object in left.lines() {
        let patch = r#"--patch={"metadata":{"finalizers":null}}"#;
        plane.kubectl(&["patch", object, "--namespace", "orphaned", "--type=merge", patch]).ok();
    }
    let left = plane.kubectl(&["get", all, "--namespace", "orphaned", "--output=name"]).ok();
    assert_eq!(left, "");
}

/// The role `editor` and the type `project`, in a list that is applied from front to back.
fn vocabulary(permissions: &[&str], role_first: bool) -> String {
    let slugs: Vec<Value> = permissions.iter().map(|slug| json!({"slug": slug})).collect();
    let api_version = "authz.bailiwick.dev/v1alpha1";
    let resource_type = json!({
        "apiVersion": api_version, "kind": "ResourceType",
        "metadata": {"name": "project"}, "spec": {"parents": ["organization"], "permissions": slugs},
    });
    let role = json!({
        "apiVersion": api_version, "kind": "Role",
        "metadata": {"name": "editor"}, "spec": {"resourceType": "project", "permissions": permissions},
    });
    let items = if role_first { [role, resource_type] } else { [resource_type, role] };
    json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
}

#[test]
fn a_sync_that_tries_again_gets_through_what_one_commit_changes_in_two_objects() {
    let reviewed = Reviewed::start(|_| ());
    let namespace = "commits";
    reviewed.plane.create_namespace(namespace);
    reviewed.apply(namespace, &vocabulary(&["project:view"], false)).ok();
    reviewed.wait_until_known(namespace, 2);

    // Each in the order that is refused: a permission that both get, and one that both lose.
    for (permissions, role_first, words) in [
        (&["project:view", "project:edit"][..], true, "is not declared by any ResourceType"),
        (&["project:view"], false, "depends on it and would have a problem"),
    ] {
        let commit = vocabulary(permissions, role_first);
        let refusal = reviewed.refusal(namespace, &commit);
        assert!(refusal.contains(words), "{refusal}");
        wait::until("the second try goes through", || {
            let answer = reviewed.apply(namespace, &commit);
            if answer.success { Ok(()) } else { Err(answer.stderr) }
        });
    }
}
