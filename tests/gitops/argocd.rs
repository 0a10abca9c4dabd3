//! examples/argocd: each script says what its own test file expects, and nothing surprising of anything else.

use std::{collections::BTreeSet, fs};

use bailiwick::graph::facts::Kind;
use serde::Deserialize;
use serde_json::{Value, json};

use super::health::{Health, HealthStatus, folder, run, script};
use crate::support::manifests;

/// A `health_test.yaml`, in Argo CD's own format.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TestFile {
    tests: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Case {
    input_path: String,
    health_status: Health,
}

fn cases(kind: Kind) -> Vec<Case> {
    let text = fs::read_to_string(folder(kind.as_str()).join("health_test.yaml")).expect("a test file");
    serde_saphyr::from_str::<TestFile>(&text).unwrap_or_else(|error| panic!("{kind}: {error}")).tests
}

#[test]
fn every_script_passes_its_own_tests() {
    for kind in Kind::ALL {
        let script = script(kind.as_str());
        let mut tested = BTreeSet::new();
        for case in cases(kind) {
            let path = folder(kind.as_str()).join(&case.input_path);
            let [object] = &manifests::documents(&path)[..] else { panic!("{} is not one object", path.display()) };
            assert_eq!(object["kind"], kind.as_str(), "{}", path.display());
            assert_eq!(run(&script, object), case.health_status, "{}", path.display());
            tested.insert(path);
        }
        let data = manifests::files(folder(kind.as_str()).join("testdata").to_str().expect("a path in UTF-8"));
        assert_eq!(tested, data.into_iter().collect(), "{kind}: not every file is tested");
        for wanted in ["healthy", "progressing_noStatus", "progressing_staleGeneration", "terminating"] {
            assert!(
                tested.iter().any(|path| path.ends_with(format!("{wanted}.yaml"))),
                "{kind}: {wanted} is not tested"
            );
        }
    }
}

#[test]
fn all_kinds_have_the_same_script_and_so_has_the_config_map() {
    let expected = script(Kind::Resource.as_str());
    for kind in Kind::ALL {
        assert_eq!(script(kind.as_str()), expected, "{kind}");
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/argocd/argocd-cm.yaml");
    let [map] = &manifests::documents(file.as_ref())[..] else { panic!("{file} is not one object") };
    let data = map["data"].as_object().expect("data");
    assert_eq!(data.keys().collect::<Vec<_>>(), ["resource.customizations"]);
    let customizations: Value =
        serde_saphyr::from_str(data["resource.customizations"].as_str().expect("a text")).expect("YAML");
    assert_eq!(customizations, json!({"authz.bailiwick.dev/*": {"health.lua": expected}}));
}

/// An object of generation 2 that has this status.
fn with_status(status: &Value) -> Value {
    json!({"kind": "Resource", "metadata": {"name": "web", "generation": 2}, "status": status})
}

/// A status of generation 2 with these conditions: type, status, reason, message.
fn status(conditions: &[(&str, &str, &str, &str)]) -> Value {
    let conditions: Vec<Value> = conditions
        .iter()
        .map(|(kind, status, reason, message)| {
            json!({"type": kind, "status": status, "reason": reason, "message": message})
        })
        .collect();
    json!({"observedGeneration": 2, "conditions": conditions})
}

#[test]
fn whatever_the_status_is_the_script_says_something_sensible() {
    let script = script(Kind::Resource.as_str());
    let health = |status: &Value| run(&script, &with_status(status));
    let waiting = || Health { status: HealthStatus::Progressing, message: "waiting for the operator".to_owned() };

    // Nothing, or nothing useful, said so far.
    for status in [
        Value::Null,
        json!({}),
        json!({"observedGeneration": 2}),
        json!({"observedGeneration": 2, "conditions": null}),
        json!({"observedGeneration": 2, "conditions": []}),
        json!({"observedGeneration": null, "conditions": [{"type": "Ready", "status": "True"}]}),
        json!({"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True"}]}),
        json!({"conditions": [{"type": "Ready", "status": "True"}]}),
        // Of somebody else, or half of ours.
        status(&[("Synced", "True", "Synced", "")]),
        status(&[("Stalled", "True", "InvalidSpec", "wrong")]),
    ] {
        assert_eq!(health(&status), waiting(), "{status}");
    }

    // What is stale says nothing, however bad or good it is.
    let mut stale = status(&[("Ready", "False", "InvalidSpec", "wrong"), ("Stalled", "True", "InvalidSpec", "wrong")]);
    stale["observedGeneration"] = json!(1);
    assert_eq!(health(&stale), waiting());

    for (conditions, expected, message) in [
        // The order of the conditions does not matter.
        (
            &[("Stalled", "True", "InvalidSpec", "wrong"), ("Ready", "False", "InvalidSpec", "w")][..],
            HealthStatus::Degraded,
            "wrong",
        ),
        (
            &[("Ready", "False", "InvalidSpec", "w"), ("Stalled", "True", "InvalidSpec", "wrong")],
            HealthStatus::Degraded,
            "wrong",
        ),
        // Stalled counts whatever Ready says, and only while it is true.
        (
            &[("Ready", "True", "Indexed", "fine"), ("Stalled", "True", "Other", "wrong")],
            HealthStatus::Degraded,
            "wrong",
        ),
        (&[("Ready", "True", "Indexed", "fine"), ("Stalled", "False", "Other", "no")], HealthStatus::Healthy, "fine"),
        (&[("Ready", "True", "Indexed", "fine"), ("Stalled", "Unknown", "Other", "no")], HealthStatus::Healthy, "fine"),
        // Only a reason of Ready=False is heeded.
        (&[("Ready", "True", "Suspended", "fine")], HealthStatus::Healthy, "fine"),
        (&[("Ready", "Unknown", "Suspended", "?")], HealthStatus::Progressing, "?"),
        (&[("Ready", "Unknown", "Expired", "?")], HealthStatus::Progressing, "?"),
        (&[("Ready", "False", "Suspended", "paused")], HealthStatus::Suspended, "paused"),
        (&[("Ready", "False", "Expired", "over")], HealthStatus::Healthy, "over"),
        (&[("Ready", "False", "Superseded", "hidden")], HealthStatus::Healthy, "hidden"),
        // A reason that this version does not know is not good news.
        (&[("Ready", "False", "FromTheFuture", "hm")], HealthStatus::Progressing, "hm"),
        (&[("Ready", "Perhaps", "Indexed", "hm")], HealthStatus::Progressing, "hm"),
    ] {
        let status = status(conditions);
        assert_eq!(health(&status), Health { status: expected, message: message.to_owned() }, "{status}");
    }

    let silent = json!({"observedGeneration": 2, "conditions": [{"type": "Ready", "status": "True", "message": null}]});
    assert_eq!(health(&silent), Health { status: HealthStatus::Healthy, message: String::new() });

    // Under deletion nothing is healthy, and nothing but the deletion is told of.
    for conditions in [
        &[("Ready", "True", "Indexed", "fine")][..],
        &[("Ready", "False", "Expired", "fine")],
        &[("Ready", "False", "DependentsRemaining", "fine"), ("Stalled", "True", "DependentsRemaining", "wrong")],
    ] {
        let mut object = with_status(&status(conditions));
        object["metadata"]["deletionTimestamp"] = json!("2026-11-02T09:00:00Z");
        let expected = Health { status: HealthStatus::Progressing, message: "fine".to_owned() };
        assert_eq!(run(&script, &object), expected, "{object}");
    }
}
