//! Whom a process answers, and what it writes down of it.

use std::{fs, io::Write as _, process::Stdio};

use serde_json::{Value, json};

use super::{acme, failure, output, text};
use crate::support::{
    answer::Answer,
    bailiwick::{Bailiwick, command},
    callers::{self, entry},
    http,
    manifests::may_edit,
    wait,
};

fn post(serve: &Bailiwick, path: &str, secret: &str, body: &Value) -> Answer {
    let address = format!("http://{}{path}", serve.api);
    http::send(|client| client.post(address).bearer_auth(secret).json(body)).expect("an answer")
}

fn check(serve: &Bailiwick, secret: &str) -> Answer {
    let question = may_edit("default", "alice").evaluation();
    post(serve, "/access/v1/evaluation", secret, &question)
}

const CHECK: &str = "{environments: [default], verbs: [check]}";
const WRITE: &str = "{environments: [default], verbs: [write]}";

#[test]
fn keys_are_followed_while_they_change() {
    let (manifests, keys) = (acme(), tempfile::tempdir().expect("a folder"));
    let file = keys.path().join("shop.yaml");
    callers::write(&file, &[entry("shop", "first", CHECK)]);
    fs::write(keys.path().join(".hidden"), "nonsense: [").expect("a file");
    let arguments = ["serve", "--manifests", text(manifests.path()), "--callers", text(keys.path())];
    let serve = Bailiwick::start_ready(&arguments);
    check(&serve, "first").ok();
    check(&serve, "second").error(401, "unauthenticated");
    serve.get("/openapi.json").error(401, "unauthenticated");

    callers::write(&file, &[entry("shop", "second", CHECK)]);
    wait::until("the new key is known", || match check(&serve, "second") {
        answer if answer.status == 200 => Ok(()),
        answer => Err(format!("{answer:?}")),
    });
    check(&serve, "first").error(401, "unauthenticated");

    fs::write(&file, "callers: [{}]").expect("a file");
    wait::until("the error is counted", || match serve.metric("bailiwick_callers_errors_total") {
        Some(errors) if errors > 0.0 => Ok(()),
        other => Err(format!("{other:?}")),
    });
    check(&serve, "second").ok();
    assert!(serve.log().contains("shop.yaml"), "{}", serve.log());
    assert!(!serve.log().contains("second"), "a secret is in the log");
    let strangers = serve.metric(r#"bailiwick_authentications_total{method="none",outcome="unauthenticated"}"#);
    assert!(strangers >= Some(3.0), "{strangers:?}");
}

#[test]
fn a_write_says_whose_it_is() {
    let (manifests, keys) = (acme(), tempfile::tempdir().expect("a folder"));
    let file = keys.path().join("callers.yaml");
    callers::write(&file, &[entry("provisioner", "writes", WRITE), entry("shop", "checks", CHECK)]);
    let arguments = ["serve", "--manifests", text(manifests.path()), "--callers", text(&file)];
    let serve = Bailiwick::start_ready(&arguments);
    // Whatever else is not logged, this is.
    let filter = http::send(|client| client.put(format!("http://{}/log-level", serve.probes)).body("warn"));
    assert_eq!(filter.expect("an answer").status, 200);
    let globex = json!({"name": "Globex"});
    assert_eq!(post(&serve, "/organizations", "writes", &globex).status, 201);
    post(&serve, "/organizations", "checks", &globex).error(403, "not_permitted");
    post(&serve, "/organizations", "wrong", &globex).error(401, "unauthenticated");
    let log = serve.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let audit: Vec<_> = lines.filter(|line| line["message"] == "audit").collect();
    // The first organization comes with what every environment has.
    let [.., done, refused] = &audit[..] else { panic!("{audit:?}") };
    for (line, caller, operation, outcome) in
        [(done, "provisioner", "create", "done"), (refused, "shop", "any", "not_permitted")]
    {
        assert_eq!(line["caller"], caller, "{line}");
        assert_eq!(line["operation"], operation, "{line}");
        assert_eq!(line["outcome"], outcome, "{line}");
        assert_eq!((&line["route"], &line["verb"]), (&json!("/organizations"), &json!("write")), "{line}");
        assert_eq!(line["environment"], "default", "{line}");
        assert_eq!(line["request_id"].as_str().map(str::len), Some(36), "{line}");
    }
    assert_eq!(done["object"], "Resource `globex`", "{done}");
}

#[test]
fn decisions_are_written_down() {
    let (manifests, folder) = (acme(), tempfile::tempdir().expect("a folder"));
    let (keys, log) = (folder.path().join("callers.yaml"), folder.path().join("decisions"));
    callers::write(&keys, &[entry("shop", "checks", CHECK)]);
    let arguments = ["--callers", text(&keys), "--decision-log", text(&log)];
    let lines = |more: &[&str], ask: &dyn Fn(&Bailiwick)| -> Vec<Value> {
        let mut serve = Bailiwick::start_ready(&[&["serve", "--manifests", text(manifests.path())], more].concat());
        ask(&serve);
        serve.process.terminate();
        serve.process.wait(wait::PATIENCE);
        let written = fs::read_to_string(&log).expect("the decision log");
        fs::remove_file(&log).expect("no file");
        written.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let ask = |serve: &Bailiwick| drop(check(serve, "checks").ok());
    let written = lines(&arguments, &ask);
    let [line] = &written[..] else { panic!("{written:?}") };
    let expected = json!({
        "time": line["time"], "caller": "shop", "surface": "authzen", "environment": "default",
        "subject": {"user": "alice"}, "action": "edit", "resource": {"type": "organization", "id": "acme"},
        "allowed": false, "reason": "unknown_subject",
    });
    assert_eq!(*line, expected);

    let hashed = lines(&[&arguments[..], &["--decision-log-ids", "hash"]].concat(), &ask);
    let id = hashed[0]["subject"]["user"].as_str().expect("a hash");
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    let dropped = lines(&[&arguments[..], &["--decision-log-ids", "drop"]].concat(), &ask);
    assert_eq!((&dropped[0]["subject"], &dropped[0]["resource"]), (&json!({}), &json!({"type": "organization"})));
    assert_eq!(lines(&[&arguments[..], &["--decision-log-sample", "0"]].concat(), &ask), [] as [Value; 0]);

    let batch = json!({"checks": [
        {"user": "alice", "permission": "organization:edit", "resource": {"type": "organization", "id": "acme"}},
        {"membership": "bob", "permission": "organization:edit", "resource": {"name": "acme"}},
        {"user": "nobody"},
    ]});
    let asked = |serve: &Bailiwick| drop(serve.post("/environments/default/v1/checks", &batch).ok());
    let written = lines(&["--decision-log", text(&log)], &asked);
    let surfaces: Vec<_> = written.iter().map(|line| (&line["surface"], line.get("caller"))).collect();
    assert_eq!(surfaces, [(&json!("native"), None), (&json!("native"), None)], "{written:?}");
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let (manifests, keys) = (acme(), tempfile::tempdir().expect("a folder"));
    let file = keys.path().join("callers.yaml");
    callers::write(&file, &[entry("shop", "checks", CHECK)]);
    let serve = |more: &[&str]| failure(&[&["serve", "--manifests", text(manifests.path())], more].concat());
    for flag in ["--allow-unauthenticated", "--allow-unauthenticated-writes"] {
        let (message, code) = serve(&["--callers", text(&file), flag]);
        assert!(code == 2 && message.contains(flag) && message.contains("--callers"), "{code}: {message}");
    }
    let (message, code) = serve(&["--client-ca", text(&file)]);
    assert!(code == 2 && message.contains("--tls-certificate"), "{code}: {message}");
    let (message, code) = serve(&["--callers", "/nowhere/callers.yaml"]);
    assert!(code == 1 && message.contains("/nowhere/callers.yaml"), "{code}: {message}");
    fs::write(&file, "callers:\n- {name: shop, key: sesame, may: []}\n").expect("a file");
    let (message, code) = serve(&["--callers", text(&file)]);
    assert!(code == 1 && message.contains("callers[0]") && !message.contains("sesame"), "{code}: {message}");
    let (message, code) = serve(&["--decision-log", "x", "--decision-log-sample", "2"]);
    assert!(code == 2 && message.contains("from 0 to 1"), "{code}: {message}");
}

#[test]
fn a_key_that_is_made_is_one_that_is_taken() {
    let made = String::from_utf8(output(&["key"]).stdout).expect("text");
    let (secret, key) = made.trim_end().split_once('\n').expect("two lines");
    let secret = secret.strip_prefix("secret: bwk_").expect("a secret");
    assert!(secret.len() >= 43 && key.starts_with("key: sha256:"), "{made}");

    let mut hash = command(&["key", "--stdin"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
    hash.stdin.take().expect("a pipe").write_all(format!("bwk_{secret}\n").as_bytes()).expect("it reads");
    let hashed = hash.wait_with_output().expect("its output").stdout;
    assert_eq!(String::from_utf8(hashed).expect("text").trim_end(), key);
}
