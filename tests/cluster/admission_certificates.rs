//! The certificate of the admission webhook, as the operator makes and renews it itself.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::{
    bailiwick::Bailiwick,
    control_plane::{ControlPlane, REPLICAS},
    wait, webhook,
};

const SECRET: &str = "bailiwick-webhook";
const CONFIGURATION: &str = "validatingwebhookconfiguration/bailiwick";

fn replica(plane: &ControlPlane, user: &str) -> Bailiwick {
    plane.start_replica(
        user,
        &[
            &["--admission-listen", "127.0.0.1:0", "--admission-secret", SECRET, "--admission-host", webhook::HOST][..],
            &["--admission-certificate-lifetime", "6s", "--admission-authority-lifetime", "15s"],
        ]
        .concat(),
    )
}

/// A field of the Secret, as it is.
fn secret(plane: &ControlPlane, field: &str) -> String {
    let path = format!("--output=jsonpath={{.data.{}}}", field.replace('.', "\\."));
    plane.kubectl(&["get", "secret", SECRET, &path]).stdout
}

/// What is asked is refused or accepted, but always answered by the webhook. Ok: it is.
fn is_answered(plane: &ControlPlane) -> Result<(), String> {
    let role = json!({
        "apiVersion": "authz.bailiwick.dev/v1alpha1", "kind": "Role",
        "metadata": {"generateName": "asked-"}, "spec": {"permissions": ["organization:edit"]},
    });
    let answer = plane.kubectl_with(&["create", "--dry-run=server", "--filename", "-"], &role.to_string());
    if answer.success { Ok(()) } else { Err(answer.stderr) }
}

#[test]
fn it_is_renewed_while_the_api_server_asks_and_mended_whatever_happens_to_it() {
    let plane = ControlPlane::start();
    plane.permit_operator();
    plane.permit_certificates();
    plane.install_crds();
    let leader = replica(&plane, REPLICAS[0]);
    leader.wait_until_ready();
    wait::until("the first replica leads", || match leader.metric("bailiwick_lease_held") {
        Some(1.0) => Ok(()),
        _ => Err(leader.log()),
    });
    let other = replica(&plane, REPLICAS[1]);
    other.wait_until_ready();
    // The API server asks the one that does not lead.
    webhook::register(&plane, &webhook::address(&other), None);
    wait::until("the API server asks the webhook and is answered", || {
        is_answered(&plane)?;
        let asked = other.metric(r#"bailiwick_admission_requests_total{operation="create",outcome="allowed"}"#);
        asked.filter(|&asked| asked > 0.0).map(drop).ok_or_else(|| "it does not ask yet".to_owned())
    });

    // Certificates and authorities come and go, and nobody who asks notices.
    let (done, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (certificates, authorities) = thread::scope(|scope| {
        let asking = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                is_answered(&plane)?;
                asked.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<(), String>(())
        });
        let (mut certificates, mut authorities) = (BTreeSet::new(), BTreeSet::new());
        wait::within(Duration::from_mins(2), "certificates and authorities are renewed", || {
            certificates.insert(secret(&plane, "tls.crt"));
            authorities.insert(secret(&plane, "ca.key"));
            if (certificates.len() >= 4 && authorities.len() >= 2 && asked.load(Ordering::Relaxed) > 10)
                || asking.is_finished()
            {
                return Ok(());
            }
            Err(format!("{} certificates, {} authorities", certificates.len(), authorities.len()))
        });
        done.store(true, Ordering::Relaxed);
        let failed = asking.join().expect("a thread that does not panic");
        assert_eq!(failed, Ok(()), "{}", other.log());
        (certificates.len(), authorities.len())
    });
    println!("{certificates} certificates of {authorities} authorities, {} requests", asked.load(Ordering::Relaxed));
    assert!(
        other.metric("bailiwick_admission_certificate_rotations_total").unwrap_or_default() < 1.0,
        "only the leader writes"
    );
    assert!(other.metric("bailiwick_admission_certificate_not_after_timestamp_seconds").is_some_and(|at| at > 0.0));

    // Somebody garbles the Secret, deletes it, or resets the caBundle.
    let garbled = json!({"data": {"tls.crt": "Z2FyYmxlZA==", "ca.key": null}}).to_string();
    let reset = json!([{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]).to_string();
    let mishaps: [&[&str]; 3] = [
        &["patch", "secret", SECRET, "--type=merge", "--patch", &garbled],
        &["delete", "secret", SECRET],
        &["patch", CONFIGURATION, "--type=json", "--patch", &reset],
    ];
    for mishap in mishaps {
        plane.kubectl(mishap).ok();
        wait::until(&format!("all is well after {mishap:?}"), || {
            let configuration: Value =
                serde_json::from_str(&plane.kubectl(&["get", CONFIGURATION, "--output=json"]).ok()).expect("JSON");
            let authority = json!(secret(&plane, "ca.crt"));
            let webhooks = configuration["webhooks"].as_array().expect("webhooks");
            let trusted = webhooks.iter().all(|webhook| webhook["clientConfig"]["caBundle"] == authority);
            if authority != json!("") && trusted { is_answered(&plane) } else { Err(configuration.to_string()) }
        });
    }
    for replica in [&leader, &other] {
        let log = replica.log();
        assert!(!log.contains("PRIVATE KEY") && !log.contains(&secret(&plane, "tls.key")), "a key is in the log");
    }
}
