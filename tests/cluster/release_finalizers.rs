//! `bailiwick release-finalizers`: nothing waits for an operator that is gone.

use std::process::Output;

use serde_json::{Value, json};

use crate::support::{
    bailiwick::command,
    control_plane::ControlPlane,
    wait::{self, PATIENCE},
};

/// One object of each kind that has the finalizer, one of them among others', and a role that has none.
fn kept(namespace: &str) -> String {
    let object = |kind: &str, name: &str, spec: Value| {
        let finalizers = ["example.com/first", "authz.bailiwick.dev/cascade", "example.com/last"];
        let finalizers = if kind == "Group" { &finalizers[..] } else { &finalizers[1..2] };
        json!({
            "apiVersion": "authz.bailiwick.dev/v1alpha1",
            "kind": kind,
            "metadata": {"name": name, "namespace": namespace, "finalizers": finalizers},
            "spec": spec,
        })
    };
    let mut free = object("Role", "free", json!({"permissions": ["organization:edit"]}));
    free["metadata"]["finalizers"] = json!([]);
    let objects = json!([
        object("Resource", "globex", json!({"type": "organization"})),
        object("Role", "kept", json!({"permissions": ["organization:edit"]})),
        object("Group", "engineers", json!({"organizationRef": {"name": "globex"}})),
        object("OrganizationMembership", "bob", json!({"organizationRef": {"name": "globex"}, "user": {"id": "bob"}})),
        free,
    ]);
    json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string()
}

/// What the command printed and complained of, and its exit code.
fn release(plane: &ControlPlane, arguments: &[&str]) -> (String, String, i32) {
    let kubeconfig = plane.kubeconfig();
    let output: Output =
        command(&["release-finalizers", "--kubeconfig"]).arg(kubeconfig).args(arguments).output().expect("the program");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (text(output.stdout), text(output.stderr), output.status.code().expect("an exit code"))
}

/// The finalizers of every object of the kinds that the operator keeps, by kind.
fn finalizers(plane: &ControlPlane, namespace: &str) -> String {
    let kinds = "azres,azrole,azgrp,azom";
    let path = "jsonpath={range .items[*]}{.kind} {.metadata.finalizers}{'\\n'}{end}";
    plane.kubectl(&["get", kinds, "--namespace", namespace, "--output", path]).ok()
}

fn held_lease(plane: &ControlPlane, namespace: &str, renewed: &str) {
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "bailiwick", "namespace": namespace},
        "spec": {"holderIdentity": "bailiwick-0_1", "leaseDurationSeconds": 3, "renewTime": renewed},
    });
    plane.apply(namespace, &lease.to_string());
}

#[test]
fn a_namespace_that_hangs_goes_once_its_objects_are_let_go() {
    let plane = ControlPlane::start();
    plane.start_controller_manager();
    let (printed, errors, code) = release(&plane, &[]);
    assert_eq!(code, 0, "{printed}{errors}");
    assert!(printed.contains("Role: not installed") && printed.contains("0 objects let go; none is left"), "{printed}");

    plane.install_crds();
    plane.permit_operator();
    let mut operator = plane.start_operator(&[]);
    wait::until("the operator leads", || {
        if operator.metric("bailiwick_lease_held") == Some(1.0) { Ok(()) } else { Err(operator.log()) }
    });
    let (printed, errors, code) = release(&plane, &[]);
    assert!(code == 1 && errors.contains("stop the operator first"), "{code}: {printed}{errors}");
    operator.process.terminate();
    assert_eq!(operator.process.wait(PATIENCE).code(), Some(0), "{}", operator.log());

    for namespace in ["doomed", "alive"] {
        plane.create_namespace(namespace);
        plane.apply(namespace, &kept(namespace));
    }
    // A namespace waits for others' finalizers too.
    let others =
        r#"[{"op": "remove", "path": "/metadata/finalizers/2"}, {"op": "remove", "path": "/metadata/finalizers/0"}]"#;
    plane.kubectl(&["patch", "azgrp", "engineers", "--namespace=doomed", "--type=json", "--patch", others]).ok();
    plane.kubectl(&["delete", "namespace", "doomed", "--wait=false"]).ok();
    let remaining = r#"jsonpath={.status.conditions[?(@.type=="NamespaceFinalizersRemaining")].status}"#;
    wait::until("the namespace hangs", || {
        let answer = plane.kubectl(&["get", "namespace", "doomed", "--output", remaining]).ok();
        if answer == "True" { Ok(()) } else { Err(answer) }
    });

    let (printed, errors, code) = release(&plane, &[]);
    assert_eq!(code, 0, "{printed}{errors}");
    assert!(!errors.contains("waiting"), "the lease was given back: {errors}");
    for line in [
        "Resource: 2 let go, 0 had no finalizer of the operator, 0 failed",
        "Group: 2 let go, 0 had no finalizer of the operator, 0 failed",
        "OrganizationMembership: 2 let go, 0 had no finalizer of the operator, 0 failed",
        "8 objects let go; none is left that waits for the operator.",
    ] {
        assert!(printed.contains(line), "no `{line}` in:\n{printed}");
    }
    plane.kubectl(&["wait", "--for=delete", "namespace/doomed", "--timeout=60s"]).ok();
    assert_eq!(
        finalizers(&plane, "alive"),
        "Resource \nRole \nRole \nGroup [\"example.com/first\",\"example.com/last\"]\nOrganizationMembership \n",
        "the finalizers of others are theirs to remove"
    );
}

#[test]
fn a_dry_run_changes_nothing_and_the_other_namespaces_are_left_alone() {
    let (plane, namespace, other) = (ControlPlane::shared(), "release-dry-run", "release-other");
    for namespace in [namespace, other] {
        plane.create_namespace(namespace);
        plane.apply(namespace, &kept(namespace));
    }
    let before = finalizers(plane, namespace);
    assert_eq!(before.matches("authz.bailiwick.dev/cascade").count(), 4, "{before}");

    let (printed, errors, code) = release(plane, &["--namespace", namespace, "--dry-run"]);
    assert_eq!(code, 0, "{printed}{errors}");
    assert!(printed.contains("Role: 1 would be let go, 1 had no finalizer of the operator, 0 failed"), "{printed}");
    assert!(printed.contains("nothing was changed. 4 objects would be let go"), "{printed}");
    assert_eq!(finalizers(plane, namespace), before);

    let (printed, errors, code) = release(plane, &["--namespace", namespace, "--lease-namespace", namespace]);
    assert_eq!(code, 0, "{printed}{errors}");
    assert!(!finalizers(plane, namespace).contains("bailiwick"));
    assert_eq!(finalizers(plane, other), before);
    // What is kept would keep the namespace of the shared control plane.
    release(plane, &["--namespace", other, "--lease-namespace", namespace]);
}

#[test]
fn while_an_operator_leads_it_is_refused() {
    let (plane, namespace) = (ControlPlane::shared(), "release-lease");
    plane.create_namespace(namespace);
    plane.apply(namespace, &kept(namespace));
    let arguments = ["--namespace", namespace, "--lease-namespace", namespace];

    // What the one that leads does, over and over.
    let renewed = |second: usize| format!("2026-01-01T00:00:{:02}.000000Z", second % 60);
    held_lease(plane, namespace, &renewed(0));
    std::thread::scope(|scope| {
        let running = scope.spawn(|| release(plane, &arguments));
        for second in 1.. {
            if running.is_finished() {
                break;
            }
            held_lease(plane, namespace, &renewed(second));
        }
        let (printed, errors, code) = running.join().expect("the program");
        assert_eq!(code, 1, "{printed}{errors}");
        assert!(errors.contains("bailiwick-0_1") && errors.contains("--force"), "{errors}");
        assert!(errors.contains("release-lease/bailiwick"), "{errors}");
    });
    assert_eq!(finalizers(plane, namespace).matches("authz.bailiwick.dev/cascade").count(), 4);

    let (printed, errors, code) = release(plane, &[&arguments[..], &["--force"]].concat());
    assert_eq!(code, 0, "{printed}{errors}");
    assert!(!finalizers(plane, namespace).contains("bailiwick"));

    // One that died holds it for ever, and does not renew it.
    let (printed, errors, code) = release(plane, &arguments);
    assert_eq!(code, 0, "{printed}{errors}");
    assert!(errors.contains("3s"), "it says why it waits: {errors}");
}

#[test]
fn what_it_may_not_do_it_says() {
    let (plane, namespace) = (ControlPlane::shared(), "release-forbidden");
    plane.create_namespace(namespace);
    plane.apply(namespace, &kept(namespace));
    plane
        .kubectl(&[
            "create",
            "role",
            "reader",
            "--namespace",
            namespace,
            "--verb=list,get",
            "--resource=*.authz.bailiwick.dev",
        ])
        .ok();
    plane
        .kubectl(&["create", "rolebinding", "reader", "--namespace", namespace, "--role=reader", "--user=operator"])
        .ok();
    let arguments = ["--context", "operator", "--namespace", namespace];
    let (printed, errors, code) = release(plane, &[&arguments[..], &["--lease-namespace", namespace]].concat());
    assert!(code == 1 && errors.contains("forbidden") && errors.contains("--force"), "{printed}{errors}");

    let (printed, errors, code) = release(plane, &[&arguments[..], &["--force"]].concat());
    assert_eq!(code, 1, "{printed}{errors}");
    assert!(printed.contains("Role: 0 let go, 1 had no finalizer of the operator, 1 failed"), "{printed}");
    assert!(printed.contains("not all"), "{printed}");
    assert!(errors.contains("Role release-forbidden/kept cannot be let go: forbidden"), "{errors}");
    assert_eq!(finalizers(plane, namespace).matches("authz.bailiwick.dev/cascade").count(), 4);
    release(plane, &["--namespace", namespace, "--force"]);
}
