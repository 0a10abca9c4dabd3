//! The certificate of the admission webhook, as the operator makes and renews it itself.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
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
            &["--admission-certificate-lifetime", "8s", "--admission-authority-lifetime", "16s"],
        ]
        .concat(),
    )
}

/// A field of the Secret, as it is.
fn secret(plane: &ControlPlane, field: &str) -> String {
    let path = format!("--output=jsonpath={{.data.{}}}", field.replace('.', "\\."));
    plane.kubectl(&["get", "secret", SECRET, &path]).stdout
}

/// Whom the API server trusts, in PEM.
fn trusted(plane: &ControlPlane) -> String {
    let path = "--output=jsonpath={.webhooks[0].clientConfig.caBundle}";
    let bundle = STANDARD.decode(plane.kubectl(&["get", CONFIGURATION, path]).ok()).expect("base64");
    String::from_utf8(bundle).expect("PEM")
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

    // Certificates and authorities come and go, and nobody who asks notices: neither the API server, nor one that begins a
    // connection every time.
    let replicas = [webhook::address(&leader), webhook::address(&other)];
    let (done, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let asking = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                is_answered(&plane)?;
                let before = trusted(&plane);
                for replica in &replicas {
                    // Unless this thread was held up for so long that another authority has come meanwhile.
                    if let Err(error) = webhook::connect(replica, &before)
                        && trusted(&plane) == before
                    {
                        return Err(format!("{replica}: {error}; {before}"));
                    }
                }
                asked.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<(), String>(())
        });
        let (mut certificates, mut authorities, mut replaced) = (BTreeSet::new(), BTreeSet::new(), None);
        wait::within(Duration::from_mins(2), "an authority has taken the place of another", || {
            certificates.insert(secret(&plane, "tls.crt"));
            authorities.insert(secret(&plane, "ca.key"));
            let kept = STANDARD.decode(secret(&plane, "ca.crt")).expect("base64");
            let is_alone = String::from_utf8_lossy(&kept).matches("BEGIN CERTIFICATE").count() == 1;
            let asked = asked.load(Ordering::Relaxed);
            if certificates.len() >= 3 && authorities.len() >= 2 && is_alone {
                replaced.get_or_insert(asked);
            }
            let words =
                format!("{} certificates, {} authorities, asked {asked} times", certificates.len(), authorities.len());
            if asking.is_finished() || replaced.is_some_and(|before| asked >= before + 2) {
                println!("{words}");
                return Ok(());
            }
            Err(words)
        });
        done.store(true, Ordering::Relaxed);
        assert_eq!(asking.join().expect("a thread that does not panic"), Ok(()), "{}{}", leader.log(), other.log());
    });
    assert!(asked.load(Ordering::Relaxed) > 5, "hardly anything was asked");
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
