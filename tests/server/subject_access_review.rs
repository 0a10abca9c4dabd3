//! The authorization webhook as the API server calls it: one review a request, straight into its router.

use std::{fs, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use bailiwick::{
    graph::facts::Object,
    server::{self, Config, Mapping, MappingFile},
};
use prometheus_client::{encoding::text::encode, registry::Registry};
use serde_json::{Value, json};

use crate::support::{
    facts::{applied, grant, group, group_grant, known_as, organization, resource, role},
    router::{Client, TestServer, config},
    wait::PATIENCE,
};

const PATH: &str = "/subject-access-review";

/// Namespaces below a project: Alice looks into `shop` and `cellar`, whoever is in the Kubernetes group `oncall` deletes pods
/// in both, and so does the service account `ci:deployer`, which is in our group of that name.
fn world() -> Vec<Object> {
    vec![
        organization("acme"),
        resource("retail", "project", "acme"),
        resource("shop", "namespace", "retail"),
        resource("cellar", "namespace", "retail"),
        role("viewer", "project", &["core/pods:get", "core/pods:list", "core/pods/log:get", "apps/deployments:get"]),
        role("cleaner", "project", &["core/pods:delete"]),
        grant("alice", "viewer", "retail"),
        grant("system:node:one", "viewer", "retail"),
        grant("operator", "viewer", "retail"),
        grant("group:oncall", "cleaner", "retail"),
        grant("group:system:authenticated", "cleaner", "retail"),
        group("deployers", "acme", &["serviceaccount:ci:deployer"]),
        group_grant("deployers", "cleaner", "retail"),
    ]
}

/// The webhook over these objects.
fn webhook_over(objects: Vec<Object>, mapping: &str) -> (TestServer, Client) {
    let server = TestServer::with(objects);
    let mapping = Mapping::parse(mapping).expect("a mapping").ignoring(["operator".to_owned()]);
    let router = server::access_reviews(Arc::clone(&server.server), Arc::new(mapping.into()));
    (server, Client(router))
}

fn webhook(mapping: &str) -> Client {
    webhook_over(world(), mapping).1
}

/// A review of what a user does with a resource such as `apps/deployments/scale web` (group, resource, subresource, name).
fn review(user: &str, groups: &[&str], verb: &str, what: &str, namespace: &str) -> Value {
    let (what, name) = what.split_once(' ').unwrap_or((what, ""));
    let mut parts = what.split('/');
    let mut next = || parts.next().unwrap_or_default();
    let (group, resource, subresource) = (next(), next(), next());
    json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "metadata": {"creationTimestamp": null},
        "spec": {
            "user": user, "groups": groups, "uid": "1", "extra": {"scopes": ["all"]},
            "resourceAttributes": {
                "verb": verb, "group": group, "version": "v1", "resource": resource, "subresource": subresource,
                "name": name, "namespace": namespace,
                "labelSelector": {"requirements": [{"key": "a", "operator": "Exists"}]},
            },
        },
    })
}

fn path_review(user: &str, verb: &str, path: &str) -> Value {
    json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {"user": user, "nonResourceAttributes": {"path": path, "verb": verb}},
    })
}

/// The status of the answer, which is never a denial.
async fn status(client: &Client, review: &Value) -> Value {
    let answer = client.post(PATH, review).await;
    let mut body: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(answer.status, StatusCode::OK, "{review}: {body}");
    assert_eq!((&body["apiVersion"], &body["kind"]), (&review["apiVersion"], &review["kind"]), "{body}");
    let status = body["status"].take();
    assert!(status["denied"].is_null(), "{review} is denied: {status}");
    assert!(status["reason"].as_str().is_some_and(|reason| !reason.is_empty() && reason.len() <= 1024), "{status}");
    status
}

async fn allows(client: &Client, review: &Value) -> bool {
    let status = status(client, review).await;
    assert!(status["evaluationError"].is_null(), "{review}: {status}");
    status["allowed"].as_bool().expect("a truth value")
}

#[tokio::test]
async fn without_a_mapping_permissions_are_asked_for_on_namespaces() {
    let client = webhook("{}");
    for (user, groups, verb, what, namespace, allowed) in [
        ("alice", &[][..], "get", "/pods", "shop", true),
        ("alice", &[], "get", "/pods web-1", "cellar", true),
        ("alice", &[], "get", "apps/deployments web", "shop", true),
        ("alice", &[], "get", "/pods/log web-1", "shop", true),
        // Another verb, group, subresource or namespace, and none.
        ("alice", &[], "watch", "/pods", "shop", false),
        ("alice", &[], "get", "extensions/deployments web", "shop", false),
        ("alice", &[], "get", "core/pods", "shop", true),
        ("alice", &[], "get", "/pods/exec web-1", "shop", false),
        ("alice", &[], "get", "apps/deployments/scale web", "shop", false),
        ("alice", &[], "get", "/pods", "attic", false),
        ("alice", &[], "get", "/pods", "", false),
        ("alice", &[], "*", "*/*", "shop", false),
        // What the groups may is added.
        ("alice", &[], "delete", "/pods web-1", "shop", false),
        ("alice", &["guests", "oncall"], "delete", "/pods web-1", "shop", true),
        ("", &["oncall"], "delete", "/pods web-1", "shop", true),
        ("mallory", &["oncall"], "get", "/pods", "shop", false),
        ("mallory", &[], "get", "/pods", "shop", false),
        // Nobody gets a group's rights by being called like one, nor those of a group of Kubernetes itself.
        ("group:oncall", &[], "delete", "/pods web-1", "shop", false),
        ("mallory", &["system:authenticated"], "delete", "/pods web-1", "shop", false),
    ] {
        let review = review(user, groups, verb, what, namespace);
        assert_eq!(allows(&client, &review).await, allowed, "{review}");
    }
    assert!(!allows(&client, &path_review("alice", "get", "/metrics")).await, "a path is not mapped");
}

#[tokio::test]
async fn the_reason_names_the_grant_or_what_is_lacking() {
    let client = webhook("{}");
    for (user, verb, namespace, words) in [
        ("alice", "get", "shop", &["environment default", "viewer", "retail"][..]),
        ("alice", "watch", "shop", &["core/pods:watch", "namespace shop", "no effective grant"]),
        ("mallory", "get", "shop", &["core/pods:get", "nothing is known of this membership or user"]),
        ("alice", "get", "attic", &["there is no such resource"]),
        ("alice", "get", "", &["no rule of the mapping is about this"]),
        ("system:node:one", "get", "shop", &["left to other authorizers"]),
    ] {
        let status = status(&client, &review(user, &[], verb, "/pods", namespace)).await;
        let reason = status["reason"].as_str().expect("a reason");
        assert!(words.iter().all(|word| reason.contains(word)), "{user} {verb} {namespace}: {reason}");
    }
    let long = "x".repeat(100_000);
    status(&client, &review("alice", &[], "get", &format!("/{long}"), &long)).await;
}

#[tokio::test]
async fn the_operator_and_kubernetes_itself_are_left_to_others() {
    let (server, client) = webhook_over(world(), r#"users: [{}, {stripPrefix: "system:serviceaccount:"}]"#);
    let all = [
        ("operator", &[][..]),
        ("system:node:one", &["system:nodes"]),
        ("system:kube-controller-manager", &[]),
        ("system:apiserver", &["system:masters"]),
        ("system:anonymous", &["system:unauthenticated", "oncall"]),
        ("system:serviceaccount:kube-system:namespace-controller", &[]),
        ("alice", &["system:masters"]),
    ];
    // Not even a graph that is not complete, or not there, is noticed.
    server.environments.close_gate("watch of Roles");
    for (user, groups) in all {
        let status = status(&client, &review(user, groups, "get", "/pods", "shop")).await;
        assert_eq!((&status["allowed"], &status["evaluationError"]), (&json!(false), &Value::Null), "{user}: {status}");
    }
    server.environments.open_gate("watch of Roles");
    for (user, groups) in all {
        assert!(!allows(&client, &review(user, groups, "get", "/pods", "shop")).await, "{user}");
    }
    let metrics = server.probes.get("/metrics").await.body;
    assert!(metrics.contains(r#"subject_access_reviews_total{outcome="ignored"} 14"#), "{metrics}");
    assert!(metrics.contains(r#"checks_total{surface="subject_access_review",decision="allowed"} 0"#), "{metrics}");
    assert!(metrics.contains(r#"checks_total{surface="subject_access_review",decision="denied"} 0"#), "{metrics}");
}

#[tokio::test(start_paused = true)]
async fn the_mapping_of_a_file_is_followed_and_what_cannot_be_used_changes_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("mapping.yaml");
    let write = |text: &str| fs::write(&path, text).expect("a file");
    let about = |verb: &str| {
        format!(
            "rules: [{{apiGroups: [''], resources: [pods], verbs: [{verb}], permission: 'core/pods:get', resource: {{type: namespace, id: '{{namespace}}'}}}}]"
        )
    };
    write(&about("get"));
    let mut registry = Registry::default();
    let file = MappingFile::open(&path, Some("operator".to_owned()), &mut registry).expect("a mapping");
    let server = TestServer::with(world());
    let client = Client(server::access_reviews(Arc::clone(&server.server), file.current()));
    tokio::spawn(async move { file.follow().await });
    let allowed = async |user: &str, verb: &str| allows(&client, &review(user, &[], verb, "/pods", "shop")).await;
    let errors = || {
        let mut text = String::new();
        encode(&mut text, &registry).expect("figures");
        let count = text.lines().find_map(|line| line.strip_prefix("authorization_mapping_errors_total "));
        count.expect("the figure").parse::<u64>().expect("a count")
    };
    assert!(allowed("alice", "get").await && !allowed("alice", "watch").await);

    // Another one takes effect, and the operator is left to others whatever it says.
    write(&about("watch"));
    within_patience(async || allowed("alice", "watch").await).await;
    assert!(!allowed("alice", "get").await, "a part of the one before is left");
    assert!(!allowed("operator", "watch").await);

    for unusable in ["rules: [{verbs: [get]}]", ": [", "roles: []", "", "# to be written\n---\n"] {
        let before = errors();
        write(unusable);
        within_patience(async || errors() > before).await;
        assert!(allowed("alice", "watch").await && !allowed("alice", "get").await, "{unusable}");
    }
    fs::remove_file(&path).expect("a file");
    let before = errors();
    within_patience(async || errors() > before).await;
    assert!(allowed("alice", "watch").await);

    // A file that is being written, of which what there is already would be a mapping: the one without a file.
    for second in 0..10 {
        write(if second % 2 == 0 { "{}" } else { "users: []" });
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!allowed("alice", "get").await, "half of a file counts");
    }

    write(&about("get"));
    within_patience(async || allowed("alice", "get").await).await;
    let counted = errors();
    tokio::time::advance(PATIENCE).await;
    assert_eq!(errors(), counted, "what can be used is no error");
}

/// Waits until it holds.
async fn within_patience(holds: impl AsyncFn() -> bool) {
    let held = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, held).await.expect("in time");
}

#[tokio::test]
async fn before_the_graph_is_complete_there_is_no_opinion() {
    let (server, client) = webhook_over(world(), "{}");
    server.environments.close_gate("watch of Roles");
    let asked = review("alice", &[], "get", "/pods", "shop");
    let unready = status(&client, &asked).await;
    assert_eq!(unready["allowed"], false);
    assert!(unready["evaluationError"].as_str().is_some_and(|error| error.contains("watch of Roles")), "{unready}");
    server.environments.open_gate("watch of Roles");
    assert!(allows(&client, &asked).await);
}

#[tokio::test]
async fn an_environment_that_is_not_served_is_somebody_elses() {
    let served_environments = Some(["other".to_owned()].into());
    let server = TestServer::new(Config { served_environments, ..config() });
    let client =
        Client(server::access_reviews(server.server, Arc::new(Mapping::parse("{}").expect("a mapping").into())));
    let asked = review("alice", &[], "get", "/pods", "shop");
    assert!(!allows(&client, &asked).await);
    let reason = status(&client, &asked).await["reason"].take();
    assert!(reason.as_str().is_some_and(|reason| reason.contains("`default` is not served")), "{reason}");
}

#[tokio::test]
async fn of_very_many_groups_the_first_thousand_count_and_the_rest_is_told_of() {
    let client = webhook("{}");
    let groups = |at: usize| -> Vec<String> {
        (0..5000).map(|group| if group == at { "oncall".to_owned() } else { format!("group-{group}") }).collect()
    };
    for (at, allowed) in [(0, true), (999, true), (1000, false), (4999, false)] {
        let groups = groups(at);
        let groups: Vec<_> = groups.iter().map(String::as_str).collect();
        let status = status(&client, &review("mallory", &groups, "delete", "/pods web-1", "shop")).await;
        assert_eq!(status["allowed"], allowed, "{at}: {status}");
        let is_told = status["evaluationError"].as_str().is_some_and(|error| error.contains("4000 groups"));
        assert_eq!(is_told, !allowed, "{at}: {status}");
    }
}

#[tokio::test]
async fn what_is_no_review_is_refused_with_words() {
    let client = webhook("{}");
    let good = review("alice", &[], "get", "/pods", "shop");
    let with = |path: &str, value: Value| {
        let mut review = good.clone();
        *review.pointer_mut(path).expect("a field") = value;
        review.to_string()
    };
    let mut both = good.clone();
    both["spec"]["nonResourceAttributes"] = json!({"path": "/", "verb": "get"});
    for (body, words) in [
        (String::new(), "the body is empty"),
        ("{".to_owned(), "not a JSON object"),
        ("[]".to_owned(), "not a JSON object"),
        ("null".to_owned(), "not a JSON object"),
        ("{}".to_owned(), "apiVersion"),
        (with("/apiVersion", json!("authorization.k8s.io/v1beta1")), "--authorization-webhook-version=v1"),
        (with("/kind", json!("AdmissionReview")), "`kind` is not `SubjectAccessReview`"),
        (with("/spec", Value::Null), "`spec` is missing"),
        (with("/spec", json!({"user": "alice"})), "`spec` needs either"),
        (both.to_string(), "`spec` needs either"),
        (with("/spec/groups", json!("oncall")), "`spec.groups`"),
        (with("/spec/groups", json!([1])), "`spec.groups[0]`"),
        (with("/spec/user", json!({"name": "alice"})), "`spec.user`"),
        (with("/spec/resourceAttributes/verb", json!(["get"])), "`spec.resourceAttributes.verb`"),
    ] {
        let answer = client.post_raw(PATH, body.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}: {}", answer.body);
        let status: Value = serde_json::from_str(&answer.body).expect("JSON");
        assert_eq!((&status["kind"], &status["code"]), (&json!("Status"), &json!(400)), "{status}");
        assert!(status["message"].as_str().is_some_and(|message| message.contains(words)), "{body}: {status}");
    }
    let too_large = review("alice", &[&"x".repeat(1024 * 1024)], "get", "/pods", "shop").to_string();
    assert_eq!(client.post_raw(PATH, too_large).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let as_text = Request::post(PATH).body(Body::from(good.to_string())).expect("a request");
    assert_eq!(client.send(as_text).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(client.get(PATH).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(client.post("/access/v1/evaluation", &good).await.status, StatusCode::NOT_FOUND);
    // Groups may be missing, or null as Go writes an empty list.
    for groups in [Value::Null, json!([])] {
        let answer = client.post_raw(PATH, with("/spec/groups", groups)).await;
        assert!(answer.status == StatusCode::OK && answer.body.contains(r#""allowed":true"#), "{}", answer.body);
    }
}

const MAPPING: &str = r#"
users:
- {stripPrefix: "oidc:"}
- {stripPrefix: "system:serviceaccount:", addPrefix: "serviceaccount:"}
groups:
- {stripPrefix: "oidc:", addPrefix: "group:"}
ignoredUsers: ["oidc:robot"]
rules:
# Whoever may view a project may read what is in its namespaces, but for secrets.
- {apiGroups: [""], resources: [pods, pods/log, configmaps], verbs: [get, list, watch], permission: "core/pods:get",
   resource: {type: namespace, id: "{namespace}"}}
- {apiGroups: [""], resources: [pods], verbs: [delete], permission: "core/pods:delete",
   resource: {type: namespace, id: "{namespace}", organization: acme}}
# Single objects, in the environment of their namespace.
- {apiGroups: [""], resources: [configmaps], verbs: [update], environment: "{namespace}", permission: "configmap:{verb}",
   resource: {type: configmap, id: "{namespace}/{name}"}}
- {apiGroups: ["*"], resources: ["*/scale"], verbs: ["*"], permission: "apps/deployments:get",
   resource: {type: namespace, id: "{namespace}"}}
- {nonResourceURLs: [/metrics, /debug/*], verbs: [get], permission: "core/pods:get", resource: {type: project, id: retail}}
"#;

#[tokio::test]
async fn a_mapping_says_which_question_a_review_is() {
    let (server, client) = webhook_over(world(), MAPPING);
    let own = [
        organization("own"),
        known_as("shop/prices", resource("prices", "configmap", "own")),
        role("pricer", "configmap", &["configmap:update"]),
        grant("alice", "pricer", "prices"),
    ];
    server.environments.apply("shop", &applied(own));
    let deployer = "system:serviceaccount:ci:deployer";
    for (user, groups, verb, what, namespace, allowed) in [
        ("oidc:alice", &[][..], "list", "/configmaps", "shop", true),
        ("oidc:alice", &[], "get", "/pods/log web-1", "cellar", true),
        ("oidc:alice", &[], "get", "/secrets", "shop", false),
        ("oidc:alice", &[], "get", "/pods/exec web-1", "shop", false),
        ("oidc:alice", &[], "get", "apps/pods", "shop", false),
        // Without the prefix it is another user; one who is ignored stays so.
        ("alice", &[], "list", "/configmaps", "shop", false),
        ("oidc:robot", &["oidc:oncall"], "delete", "/pods web-1", "shop", false),
        ("oidc:", &[], "list", "/configmaps", "shop", false),
        // Groups with the prefix, service accounts by our group; nobody by a name that looks like theirs.
        ("oidc:eve", &["oidc:oncall"], "delete", "/pods web-1", "shop", true),
        ("oidc:eve", &["oncall"], "delete", "/pods web-1", "shop", false),
        (deployer, &[], "delete", "/pods web-1", "shop", true),
        ("system:serviceaccount:ci:other", &[], "delete", "/pods web-1", "shop", false),
        ("oidc:serviceaccount:ci:deployer", &[], "delete", "/pods web-1", "shop", false),
        ("oidc:group:oncall", &[], "delete", "/pods web-1", "shop", false),
        // By name, in the environment of the namespace.
        ("oidc:alice", &[], "update", "/configmaps prices", "shop", true),
        ("oidc:alice", &[], "update", "/configmaps others", "shop", false),
        ("oidc:alice", &[], "update", "/configmaps prices", "cellar", false),
        ("oidc:alice", &[], "update", "/configmaps", "shop", false),
        ("oidc:alice", &[], "update", "/configmaps prices", "No Namespace", false),
        // One subresource of everything.
        ("oidc:alice", &[], "update", "apps/deployments/scale web", "shop", true),
        ("oidc:alice", &[], "update", "apps/deployments web", "shop", false),
    ] {
        let review = review(user, groups, verb, what, namespace);
        assert_eq!(allows(&client, &review).await, allowed, "{review}");
    }
    for (user, verb, path, allowed) in [
        ("oidc:alice", "get", "/metrics", true),
        ("oidc:alice", "get", "/debug/pprof/heap", true),
        ("oidc:alice", "post", "/metrics", false),
        ("oidc:alice", "get", "/metrics/more", false),
        ("oidc:alice", "get", "/healthz", false),
        ("oidc:eve", "get", "/metrics", false),
    ] {
        assert_eq!(allows(&client, &path_review(user, verb, path)).await, allowed, "{user} {verb} {path}");
    }
}

#[test]
fn a_mapping_that_makes_no_sense_is_refused_with_its_field() {
    let rule = |change: &str| {
        let mut rule = json!({
            "apiGroups": [""], "resources": ["pods"], "verbs": ["get"], "environment": "default", "permission": "p",
            "resource": {"type": "t", "id": "{name}"},
        });
        let (field, value) = change.split_once('=').expect("a change");
        let value: Value = serde_json::from_str(value).expect("JSON");
        match (rule.pointer_mut(&format!("/{field}")), value) {
            (_, Value::Null) => drop(rule.as_object_mut().expect("an object").remove(field)),
            (Some(old), value) => *old = value,
            (None, value) => rule[field] = value,
        }
        json!({"rules": [rule]}).to_string()
    };
    let good = rule(r#"environment="{namespace}""#);
    assert!(Mapping::parse(&good).is_ok());
    let mut many: Value = serde_json::from_str(&good).expect("JSON");
    many["rules"] = json!(vec![many["rules"][0].clone(); 101]);
    let many = many.to_string();
    for (text, words) in [
        ("rules: [".to_owned(), "not YAML that can be read"),
        ("[]".to_owned(), "cannot be used"),
        ("rulez: []".to_owned(), "rulez"),
        ("users: [{prefix: a}]".to_owned(), "`users[0].prefix`"),
        (r#"users: [{stripPrefix: "system:"}]"#.to_owned(), "`users[0].stripPrefix` cannot be `system:`"),
        (
            r#"groups: [{}, {stripPrefix: "system:nodes"}]"#.to_owned(),
            "`groups[1].stripPrefix` cannot be `system:nodes`",
        ),
        ("groups: [{}]".to_owned(), "`groups[0].addPrefix` is also what ids of users begin with"),
        (many, "`rules` has 101 elements; 100 are the most"),
        (rule("verbs=null"), "`rules[0]` cannot be used: missing field `verbs`"),
        (rule("verbs=[]"), "`rules[0].verbs` is empty"),
        (rule("apiGroups=null"), "`rules[0].apiGroups` is missing"),
        (rule("apiGroups=[]"), "`rules[0].apiGroups` is empty"),
        (rule("resources=null"), "`rules[0].resources` is missing"),
        (rule("resources=[]"), "`rules[0].resources` is empty"),
        (rule(r#"nonResourceURLs=["/metrics"]"#), "`rules[0].nonResourceURLs` cannot be combined"),
        (String::new(), "empty: write {} for the mapping that there is without a file"),
        (rule(r#"environment="a/b""#), "`rules[0].environment` is not the name of a namespace"),
        (rule(r#"environment="{name}""#), "`rules[0].environment` is neither"),
        (rule(r#"environment="x-{namespace}""#), "`rules[0].environment` is neither"),
        (rule(r#"permission="""#), "`rules[0].permission` is empty"),
        (rule(r#"permission="{verb""#), "`rules[0].permission` has a `{` without a `}`"),
        (rule(r#"permission="verb}""#), "`rules[0].permission` has a `}` without a `{`"),
        (
            rule(r#"permission="{path}""#),
            "`rules[0].permission` has the placeholder `{path}`; what can be used here is",
        ),
        (rule(r#"resource/id="{namespace}-{name}""#), "`rules[0].resource.id` has two placeholders without"),
        (rule(r#"resource/id="{namespace}{name}""#), "`rules[0].resource.id` has two placeholders without"),
        (rule(r#"resource/type="""#), "`rules[0].resource.type` is empty"),
        (rule("resource=null"), "`rules[0]` cannot be used: missing field `resource`"),
    ] {
        let error = Mapping::parse(&text).expect_err(&text).to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
}
