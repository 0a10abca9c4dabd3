//! What is logged can be changed while the program runs, by whoever is on the machine.

use std::net::Ipv4Addr;

use super::{acme, text};
use crate::support::{answer::Answer, bailiwick::Bailiwick, http, manifests::may_edit, wait};

fn put(serve: &Bailiwick, filter: impl Into<String>) -> Answer {
    let (address, filter) = (format!("http://{}/log-level", serve.probes), filter.into());
    http::send(|client| client.put(address).body(filter)).expect("an answer of the probes")
}

#[test]
fn it_is_changed_at_runtime() {
    let folder = acme();
    let serve = Bailiwick::start_ready(&["serve", "--manifests", text(folder.path()), "--log", "warn,bailiwick=info"]);
    let current = serve.probe("/log-level");
    assert_eq!(current.status, 200, "{current:?}");
    assert!(current.body.contains("bailiwick=info"), "{current:?}");
    serve.allows(may_edit("default", "alice"));
    assert!(!serve.log().contains("answered"), "{}", serve.log());

    let answer = put(&serve, "warn,bailiwick=debug\n");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.contains("bailiwick=debug"), "{answer:?}");
    assert_eq!(serve.probe("/log-level").body, answer.body);
    serve.allows(may_edit("default", "alice"));
    wait::until("requests are logged", || {
        let log = serve.log();
        if log.contains("answered") && log.contains("/access/v1/evaluation") { Ok(()) } else { Err(log) }
    });

    put(&serve, "off");
    let before = serve.log();
    serve.allows(may_edit("default", "alice"));
    assert_eq!(serve.log(), before);
}

#[test]
fn what_is_no_filter_is_refused_and_changes_nothing() {
    let folder = acme();
    let serve = Bailiwick::start_ready(&["serve", "--manifests", text(folder.path())]);
    let before = serve.probe("/log-level").body;
    let message = put(&serve, "inof").error(400, "malformed_request");
    assert!(message.contains("`inof`") && message.contains("info"), "{message}");
    put(&serve, "").error(400, "malformed_request");
    put(&serve, "bailiwick=loud").error(400, "malformed_request");
    let message = put(&serve, "info,".repeat(1000) + "info").error(400, "malformed_request");
    assert!(message.contains("4096"), "{message}");
    assert_eq!(serve.probe("/log-level").body, before);
}

#[test]
fn others_may_read_it_but_not_change_it() {
    let folder = acme();
    let serve = Bailiwick::start_ready(&["serve", "--manifests", text(folder.path())]);
    let before = serve.probe("/log-level").body;
    // Another address than 127.0.0.1, as a proxy would use one for what comes from elsewhere.
    let stranger = http::client().local_address(Some(Ipv4Addr::new(127, 0, 0, 6).into())).build().expect("a client");
    let address = format!("http://{}/log-level", serve.probes);
    let answer = http::send(|_| stranger.put(&address).body("debug")).expect("an answer of the probes");
    let message = answer.error(403, "not_local");
    assert!(message.contains("kubectl port-forward"), "{message}");
    let answer = http::send(|_| stranger.get(&address)).expect("an answer of the probes");
    assert_eq!((answer.status.as_u16(), answer.body), (200, before));
}
