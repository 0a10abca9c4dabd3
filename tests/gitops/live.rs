//! The health of live objects, by Argo CD's rules and by those of kubectl and kstatus.

use bailiwick::graph::facts::Timestamp;
use rand::{SeedableRng as _, rngs::SmallRng, seq::SliceRandom as _};
use serde_json::{Value, json};

use super::{
    Environment,
    health::{self, HealthStatus},
};
use crate::support::{
    bailiwick::Question,
    manifests::{self, ACME, editor},
    wait,
};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/acme");

/// Her membership is suspended in the example.
const SUSPENDED: (&str, &str) = ("OrganizationMembership", "erin");

fn identity(object: &Value) -> (&str, &str) {
    (object["kind"].as_str().expect("a kind"), object["metadata"]["name"].as_str().expect("a name"))
}

#[test]
fn after_one_apply_in_any_order_kubectl_waits_until_all_are_ready() {
    let environment = Environment::start("gitops-wait");
    let mut documents: Vec<Value> =
        manifests::files(EXAMPLE).iter().flat_map(|file| manifests::documents(file)).collect();
    documents.shuffle(&mut SmallRng::seed_from_u64(3));
    let list = json!({"apiVersion": "v1", "kind": "List", "items": &documents}).to_string();
    environment.plane.apply(environment.namespace, &list);

    documents.retain(|document| identity(document) != SUSPENDED);
    let list = json!({"apiVersion": "v1", "kind": "List", "items": &documents}).to_string();
    let wait =
        ["wait", "--for=condition=Ready", "--timeout=60s", "--namespace", environment.namespace, "--filename", "-"];
    let waited = environment.plane.kubectl_with(&wait, &list).ok();
    assert_eq!(waited.lines().filter(|line| line.ends_with("condition met")).count(), documents.len(), "{waited}");
    // Ready means that the graph has it, so that nothing has to be waited for any more.
    for (user, action, allowed) in [("alice", "edit", true), ("bob", "edit", false), ("bob", "view", true)] {
        let question = Question {
            environment: environment.namespace,
            user,
            action,
            resource_type: "project",
            resource: "engineering",
        };
        assert_eq!(environment.operator.allows(question), allowed, "{question:?}");
    }

    let is_suspended = ["--for=jsonpath={.status.conditions[?(@.type==\"Ready\")].reason}=Suspended", "azom/erin"];
    environment
        .plane
        .kubectl(&[&["wait", "--timeout=60s", "--namespace", environment.namespace], &is_suspended[..]].concat())
        .ok();
    let live = environment.list();
    assert_eq!(live.len(), documents.len() + 1);
    for object in &live {
        let expected = if identity(object) == SUSPENDED { HealthStatus::Suspended } else { HealthStatus::Healthy };
        assert_eq!(health::of(object).status, expected, "{object:#}");
        assert_eq!(object["status"]["observedGeneration"], object["metadata"]["generation"], "{object:#}");
    }
}

#[test]
fn health_follows_what_happens_to_an_object() {
    let environment = Environment::start("gitops-health");
    let becomes = |kind: &str, name: &str, status: HealthStatus, words: &str| {
        wait::until(&format!("{kind} {name} is {status:?}"), || {
            let health = health::of(&environment.get(kind, name));
            if health.status == status && health.message.contains(words) { Ok(()) } else { Err(format!("{health:?}")) }
        });
    };

    // Its role and its resource are still to come.
    environment.plane.apply(environment.namespace, &editor("alice"));
    becomes("mra", "alice", HealthStatus::Progressing, "`editor` does not exist");
    environment.plane.apply(environment.namespace, ACME);
    becomes("mra", "alice", HealthStatus::Healthy, "");

    // Two resources with one external id: the older one has it.
    let folder = |name: &str| {
        format!(
            "
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Resource
metadata: {{name: {name}}}
spec: {{type: folder, parentRef: {{name: acme}}, externalId: papers}}
"
        )
    };
    environment.plane.apply(environment.namespace, &folder("one"));
    becomes("azres", "one", HealthStatus::Healthy, "");
    // Names decide between those of the same second.
    environment.plane.apply(environment.namespace, &folder("two"));
    becomes("azres", "two", HealthStatus::Degraded, "`one`");
    environment.delete("azres", "one");
    becomes("azres", "two", HealthStatus::Healthy, "");

    // Over by declaration, but not so long ago that the operator deletes it.
    let end = Timestamp::from_second(Timestamp::now().as_second() - 60).expect("a time");
    let end = json!({"spec": {"expiresAt": end.to_string()}}).to_string();
    let patch = ["patch", "mra", "alice", "--type=merge", "--patch", &end, "--namespace", environment.namespace];
    environment.plane.kubectl(&patch).ok();
    becomes("mra", "alice", HealthStatus::Healthy, "expired");

    // Under deletion, as long as somebody else's finalizer is there.
    let held = "
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Resource
metadata: {name: held, finalizers: [example.org/held]}
spec: {type: folder, parentRef: {name: acme}}
";
    environment.plane.apply(environment.namespace, held);
    becomes("azres", "held", HealthStatus::Healthy, "");
    environment.plane.kubectl(&["delete", "azres", "held", "--wait=false", "--namespace", environment.namespace]).ok();
    becomes("azres", "held", HealthStatus::Progressing, "being deleted");
    let release = ["patch", "azres", "held", "--type=merge", "--patch", r#"{"metadata": {"finalizers": null}}"#];
    environment.plane.kubectl(&[&release[..], &["--namespace", environment.namespace]].concat()).ok();
}
