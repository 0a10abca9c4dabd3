//! Before there is anything to watch.

use bailiwick::graph::facts::Kind;
use reqwest::StatusCode;

use crate::support::{
    control_plane::ControlPlane,
    manifests::{ACME, editor, may_edit},
    wait,
};

#[test]
fn without_its_kinds_it_waits_and_says_so_and_goes_on_once_they_are_there() {
    let plane = ControlPlane::start();
    plane.permit_operator();
    let operator = plane.start_operator(&[]);

    // Every kind is named, with the reason.
    let body = wait::until("every missing kind has a reason", || {
        let answer = operator.probe("/readyz");
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
        let body = answer.json();
        let missing = body["missing"].as_array().expect("gates");
        let explained = missing.iter().filter(|gate| gate["reason"].is_string()).count();
        if explained == Kind::ALL.len() { Ok(body) } else { Err(answer.body) }
    });
    let text = body.to_string();
    for kind in Kind::ALL {
        assert!(text.contains(kind.as_str()), "{kind} is not named: {text}");
    }
    assert!(text.contains("bailiwick crds"), "the remedy is not named: {text}");
    assert_eq!(operator.probe("/livez").status, StatusCode::OK);

    let answer = operator.post("/access/v1/evaluation", &may_edit("default", "alice").evaluation());
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "answered before anything is known: {answer:?}");

    plane.install_crds();
    operator.wait_until_ready();
    plane.apply("default", &[ACME, &editor("alice")].join("---"));
    operator.wait_until_allows(true, may_edit("default", "alice"));
}
