//! Answers as fresh as what kubectl and other replicas tell.

use reqwest::StatusCode;
use serde_json::Value;

use super::running;
use crate::support::{
    answer::Answer,
    bailiwick::Bailiwick,
    control_plane::{ControlPlane, REPLICAS},
    http,
    manifests::{editor, may_edit},
    wait,
};

/// The answer, as of at least then, whether a membership may edit the organization.
fn ask(operator: &Bailiwick, membership: &str, at_least: &str) -> Answer {
    let url = format!("http://{}/access/v1/evaluation", operator.api);
    let question = may_edit("default", membership).evaluation();
    http::send(|client| client.post(url).json(&question).header("Bailiwick-At-Least", at_least)).expect("an answer")
}

/// Applies a manifest, and returns what kubectl tells of the object as the header wants it.
fn apply(plane: &ControlPlane, manifest: &str) -> String {
    let path = "jsonpath={.kind}/{.metadata.resourceVersion}";
    plane.kubectl_with(&["apply", "--filename", "-", "--output", path], manifest).ok()
}

#[test]
fn what_kubectl_has_applied_is_in_the_next_answer_of_every_replica() {
    let (plane, operator) = running();
    let other = plane.start_replica(REPLICAS[1], &["--max-freshness-wait", "20s"]);
    other.wait_until_ready();
    for name in ["carol", "dave", "erin"] {
        let applied = apply(&plane, &editor(name));
        let answers = [&operator, &other].map(|replica| ask(replica, name, &applied));
        for answer in &answers {
            assert_eq!(answer.ok()["decision"], true, "{applied}: {answer:?}");
            assert_eq!(answer.json()["context"]["revision"], answer.header("bailiwick-revision"));
        }
        assert_eq!(ask(&other, name, answers[0].header("bailiwick-revision")).ok()["decision"], true);
    }

    // Nothing happened in this kind for long, but its list is as new as everything.
    let path = "/apis/authz.bailiwick.dev/v1alpha1/namespaces/default/resourcetypes";
    let list: Value = serde_json::from_str(&plane.kubectl(&["get", "--raw", path]).ok()).expect("a list");
    let listed = format!("ResourceType/{}", list["metadata"]["resourceVersion"].as_str().expect("a resource version"));
    assert_eq!(ask(&other, "carol", &listed).ok()["decision"], true, "{listed}");

    // What a replica has shown counts after all of them have ended.
    let token = other.get("/organizations").header("bailiwick-revision").to_owned();
    drop((operator, other));
    let newcomer = plane.start_operator(&[]);
    newcomer.wait_until_ready();
    assert_eq!(ask(&newcomer, "carol", &token).ok()["decision"], true);
    ask(&newcomer, "carol", "Role/1000000000").error(409, "ahead_of_source");
}

#[test]
fn after_a_restore_of_etcd_no_revision_of_before_counts() {
    let (plane, operator) = running();
    operator.wait_until_leads();
    plane.back_up_etcd();
    operator.wait_until_ready();
    let applied = apply(&plane, &editor("carol"));
    let known = wait::until("the grant is known", || match ask(&operator, "carol", &applied) {
        answer if answer.status == StatusCode::OK => Ok(answer),
        answer => Err(answer.body),
    });
    assert_eq!(known.json()["decision"], true);
    let token = operator.get("/organizations").header("bailiwick-revision").to_owned();

    plane.restore_etcd();
    operator.wait_until_allows_where_ready(false, may_edit("default", "carol"));
    ask(&operator, "carol", &token).error(409, "other_history");
    // Also when the numbers have come as far as they were, and for whoever was not there.
    for name in ["dave", "erin", "frank"] {
        let applied = apply(&plane, &editor(name));
        assert_eq!(ask(&operator, name, &applied).ok()["decision"], true);
    }
    ask(&operator, "carol", &token).error(409, "other_history");
    let newcomer = plane.start_replica(REPLICAS[1], &[]);
    newcomer.wait_until_ready();
    ask(&newcomer, "carol", &token).error(409, "other_history");
    let token = operator.get("/organizations").header("bailiwick-revision").to_owned();
    assert_eq!(ask(&newcomer, "carol", &token).ok()["decision"], false);
}
