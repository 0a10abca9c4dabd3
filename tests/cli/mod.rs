//! The command line: what it says, what it refuses, and how its processes begin and end.

mod admission;
mod authentication;
mod authorization;
mod log_level;
#[cfg(feature = "otel")]
mod otel;
mod readme;

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::Output,
    time::Duration,
};

use crate::support::{
    bailiwick::{Bailiwick, command},
    control_plane::CRDS,
    manifests::{ACME, editor, may_edit},
    unfinished::Unfinished,
    wait::{self, PATIENCE},
};

fn output(arguments: &[&str]) -> Output {
    command(arguments).output().expect("the program")
}

/// What a command complains of, and its exit code.
fn failure(arguments: &[&str]) -> (String, i32) {
    let output = output(arguments);
    let code = output.status.code().expect("an exit code");
    (String::from_utf8(output.stderr).expect("text"), code)
}

/// A folder with the objects of `ACME`.
fn acme() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("acme.yaml"), ACME).expect("a file");
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

#[test]
fn help_names_every_option_and_its_environment_variable() {
    let logging = ["--log-format", "BAILIWICK_LOG_FORMAT", "--log", "BAILIWICK_LOG"];
    let answering = [
        "--listen",
        "BAILIWICK_LISTEN",
        "127.0.0.1:8080",
        "--probe-listen",
        "BAILIWICK_PROBE_LISTEN",
        "127.0.0.1:8081",
        "--default-environment",
        "BAILIWICK_DEFAULT_ENVIRONMENT",
        "--allow-unauthenticated",
        "BAILIWICK_ALLOW_UNAUTHENTICATED",
        "--max-freshness-wait",
        "BAILIWICK_MAX_FRESHNESS_WAIT",
        "--shutdown-timeout",
        "BAILIWICK_SHUTDOWN_TIMEOUT",
        "--callers",
        "BAILIWICK_CALLERS",
        "--tls-certificate",
        "BAILIWICK_TLS_CERTIFICATE",
        "--client-ca",
        "BAILIWICK_CLIENT_CA",
        "--decision-log",
        "BAILIWICK_DECISION_LOG",
        "--decision-log-sample",
        "--decision-log-ids",
    ];
    let serve = ["--manifests", "BAILIWICK_MANIFESTS", "curl"];
    let run = [
        "--namespace",
        "BAILIWICK_NAMESPACE",
        "--kubeconfig",
        "BAILIWICK_KUBECONFIG",
        "--context",
        "BAILIWICK_CONTEXT",
    ];
    let tokens = ["--service-accounts", "BAILIWICK_SERVICE_ACCOUNTS", "--token-audience", "BAILIWICK_TOKEN_AUDIENCE"];
    let webhooks = [
        "--authorization-listen",
        "BAILIWICK_AUTHORIZATION_LISTEN",
        "--authorization-client-ca",
        "BAILIWICK_AUTHORIZATION_CLIENT_CA",
        "--authorization-mapping",
        "BAILIWICK_AUTHORIZATION_MAPPING",
    ];
    let watching = ["--max-staleness", "BAILIWICK_MAX_STALENESS"];
    let crds = ["--out", "BAILIWICK_OUT", "kubectl apply"];
    let release =
        ["--dry-run", "--force", "--lease-namespace", "BAILIWICK_LEASE_NAMESPACE", "--lease-name", "replicas=0"];
    let expected: [(&str, &[&[&str]]); 4] = [
        ("serve", &[&logging, &answering, &serve]),
        ("run", &[&logging, &answering, &run, &watching, &tokens, &webhooks]),
        ("crds", &[&crds]),
        ("release-finalizers", &[&run, &release]),
    ];
    for (subcommand, groups) in expected {
        let help = String::from_utf8(output(&[subcommand, "--help"]).stdout).expect("text");
        for word in groups.iter().copied().flatten() {
            assert!(help.contains(word), "`bailiwick {subcommand} --help` does not mention {word}:\n{help}");
        }
    }
}

#[test]
fn the_example_in_the_help_is_answered_with_a_yes() {
    let help = String::from_utf8(output(&["serve", "--help"]).stdout).expect("text");
    let (_, command) = help.split_once("evaluation --json '").expect("a curl command");
    let (question, _) = command.split_once('\'').expect("the end of the question");
    let question = serde_json::from_str(question).expect("JSON");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/acme");
    let serve = Bailiwick::start_ready(&["serve", "--manifests", example]);
    let answer = serve.post("/access/v1/evaluation", &question).json();
    assert_eq!(answer["decision"], true, "{answer}");
}

#[test]
fn every_option_is_an_environment_variable() {
    let folder = acme();
    let mut command = command(&["serve"]);
    command.env("BAILIWICK_MANIFESTS", folder.path()).env("BAILIWICK_LISTEN", "0.0.0.0:0");
    let output = command.output().expect("the program");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    command.env("BAILIWICK_ALLOW_UNAUTHENTICATED", "perhaps");
    let output = command.output().expect("the program");
    assert_eq!(output.status.code(), Some(2), "a flag must not be set by what is not a yes: {output:?}");
}

#[test]
fn listening_on_more_than_loopback_needs_consent() {
    let folder = acme();
    let (message, code) = failure(&["serve", "--manifests", text(folder.path()), "--listen", "0.0.0.0:0"]);
    assert_eq!(code, 2);
    assert!(message.contains("--allow-unauthenticated") && message.contains("127.0.0.1:0"), "{message}");
}

#[test]
fn what_cannot_work_ends_with_a_message() {
    let folder = acme();
    let (message, code) = failure(&["serve"]);
    assert!(code == 2 && message.contains("--manifests"), "{code}: {message}");

    let missing = folder.path().join("nothing-here");
    let (message, code) = failure(&["serve", "--manifests", text(&missing)]);
    assert!(code == 1 && message.contains(text(&missing)), "{code}: {message}");

    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let (message, code) =
        failure(&["serve", "--manifests", text(folder.path()), "--listen", "127.0.0.1:0", "--probe-listen", &address]);
    assert!(code == 1 && message.contains(&address) && message.contains("--probe-listen"), "{code}: {message}");

    let (message, code) = failure(&["run", "--kubeconfig", text(&missing)]);
    assert!(code == 1 && message.contains(text(&missing)), "{code}: {message}");
}

#[test]
fn a_name_that_no_namespace_can_have_is_refused() {
    let folder = acme();
    for name in ["Default", "a_b", "a/b", "a.b", "..", ""] {
        let arguments =
            ["serve", "--manifests", text(folder.path()), "--listen", "127.0.0.1:0", "--default-environment"];
        let (message, code) = failure(&[&arguments[..], &[name]].concat());
        assert!(code == 2 && message.contains("--default-environment"), "`{name}`, {code}: {message}");
        let (message, code) = failure(&["run", "--kubeconfig", "/nowhere", "--namespace", &format!("fine,{name}")]);
        assert!(code == 2 && message.contains("--namespace"), "`{name}`, {code}: {message}");
    }
}

#[test]
fn a_broken_kubeconfig_is_not_quoted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let kubeconfig = folder.path().join("config");
    fs::write(&kubeconfig, "users:\n- name: admin\n  user:\n    token: sesame\n    broken: [\n").expect("a file");
    let (message, code) = failure(&["run", "--kubeconfig", text(&kubeconfig)]);
    assert!(code == 1 && message.contains("line 5"), "{code}: {message}");
    assert!(!message.contains("sesame"), "{message}");
}

#[test]
fn what_a_log_line_says_of_a_file_stays_on_that_line() {
    let folder = acme();
    fs::write(folder.path().join("a\nERROR forged.yaml"), "kind: [").expect("a file");
    let role =
        "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Role\nmetadata: {name: \"b\\rERROR forged\"}\nspec: {}\n";
    fs::write(folder.path().join("role.yaml"), role).expect("a file");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let (log, _code) = failure(&["serve", "--manifests", text(folder.path()), "--listen", &address]);
    assert!(log.contains(r"a\nERROR forged.yaml:1:7") && log.contains(r"b\rERROR forged"), "{log}");
    assert!(!log.split(['\n', '\r']).any(|line| line.starts_with("ERROR forged")), "{log}");
}

#[test]
fn crds_prints_what_the_folder_of_definitions_holds() {
    let written = tempfile::tempdir().expect("a temporary folder");
    assert!(output(&["crds", "--out", text(written.path())]).status.success());
    let files = |folder: &Path| {
        let mut files: Vec<_> = fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| {
                let path = entry.expect("an entry").path();
                let name = path.file_name().expect("a name").to_owned();
                (name, fs::read_to_string(path).expect("a text file"))
            })
            .collect();
        files.sort();
        files
    };
    let definitions = files(Path::new(CRDS));
    assert_eq!(definitions.len(), 8);
    assert_eq!(files(written.path()), definitions, "crds/ is not what the code says: run `make crds`");

    let printed = String::from_utf8(output(&["crds"]).stdout).expect("text");
    for (name, definition) in &definitions {
        assert!(printed.contains(definition), "`bailiwick crds` does not print {}", name.display());
    }
}

#[test]
fn serve_follows_its_folder() {
    let folder = acme();
    let serve = Bailiwick::start_ready(&["serve", "--manifests", text(folder.path())]);
    serve.wait_until_allows(false, may_edit("default", "alice"));

    let file = folder.path().join("alice.yaml");
    fs::write(&file, editor("alice")).expect("a file");
    serve.wait_until_allows(true, may_edit("default", "alice"));

    fs::remove_file(&file).expect("no file");
    serve.wait_until_allows(false, may_edit("default", "alice"));

    let sub_folder = folder.path().join("more");
    fs::create_dir(&sub_folder).expect("a folder");
    fs::write(sub_folder.join("alice.yaml"), editor("alice")).expect("a file");
    serve.wait_until_allows(true, may_edit("default", "alice"));
    fs::remove_dir_all(&sub_folder).expect("no folder");
    serve.wait_until_allows(false, may_edit("default", "alice"));
    assert!(!serve.log().contains("WARN"), "a folder that is removed is nothing to warn of: {}", serve.log());
}

fn wait_until_not_ready(serve: &Bailiwick) {
    wait::until("readiness is withdrawn", || {
        let status = serve.probe("/readyz").status;
        if status == 503 { Ok(()) } else { Err(status.to_string()) }
    });
}

#[test]
fn a_signal_ends_it_when_what_is_under_way_is_answered() {
    let folder = acme();
    let mut serve = Bailiwick::start_ready(&["serve", "--manifests", text(folder.path())]);
    let request = Unfinished::send(&serve.api);
    serve.process.terminate();
    wait_until_not_ready(&serve);
    assert_eq!(serve.process.ended(), None, "a request is under way");
    let response = request.finish();
    assert!(response.starts_with("HTTP/1.1 200 OK") && response.contains(r#""decision":false"#), "{response}");
    assert_eq!(serve.process.wait(PATIENCE).code(), Some(0), "{}", serve.log());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let folder = acme();
    let mut serve = Bailiwick::start_ready(&["serve", "--manifests", text(folder.path()), "--shutdown-timeout", "1h"]);
    let _request = Unfinished::send(&serve.api);
    serve.process.terminate();
    wait_until_not_ready(&serve);
    serve.process.terminate();
    assert_eq!(serve.process.wait(PATIENCE).code(), Some(1), "{}", serve.log());
}

#[test]
fn the_time_to_drain_is_bounded() {
    let folder = acme();
    let mut serve =
        Bailiwick::start_ready(&["serve", "--manifests", text(folder.path()), "--shutdown-timeout", "100ms"]);
    let _request = Unfinished::send(&serve.api);
    serve.process.terminate();
    assert_eq!(serve.process.wait(Duration::from_secs(20)).code(), Some(0), "{}", serve.log());
}

#[test]
fn who_exchanges_connection_for_connection_does_not_fill_the_log() {
    let folder = acme();
    let serve = Bailiwick::start_ready(&["serve", "--manifests", text(folder.path())]);
    // More than the probes take at a time: of those that wait, one is taken for each that ends.
    let mut connections: Vec<_> = (0..300).map(|_| TcpStream::connect(&serve.probes).expect("a connection")).collect();
    for _ in 0..100 {
        connections.remove(0);
        connections.push(TcpStream::connect(&serve.probes).expect("a connection"));
    }
    drop(connections);
    // It is taken after all of them.
    serve.probe("/livez");
    let log = serve.log();
    assert_eq!(log.matches("as many connections as may be are open").count(), 1, "{log}");
}
