//! Service accounts ask, and RBAC says what they may.

use serde_json::{Value, json};

use super::running_with;
use crate::support::{
    answer::Answer, bailiwick::Bailiwick, control_plane::ControlPlane, http, manifests::may_edit, wait,
};

fn token(plane: &ControlPlane, account: &str, audience: &str) -> String {
    plane.kubectl(&["create", "token", account, "--audience", audience]).ok().trim().to_owned()
}

fn post(operator: &Bailiwick, path: &str, token: &str, body: &Value) -> Answer {
    let address = format!("http://{}{path}", operator.api);
    http::send(|client| client.post(address).bearer_auth(token).json(body)).expect("an answer")
}

fn check(operator: &Bailiwick, environment: &str, token: &str) -> Answer {
    let path = format!("/environments/{environment}/access/v1/evaluation");
    post(operator, &path, token, &may_edit(environment, "alice").evaluation())
}

#[test]
fn rbac_says_what_service_accounts_may() {
    let (plane, operator) = running_with(&["--service-accounts"]);
    for account in ["shop", "provisioner", "nobody"] {
        plane.kubectl(&["create", "serviceaccount", account]).ok();
    }
    plane.kubectl(&["apply", "--filename", "examples/operator/callers.yaml"]).ok();
    let shop = token(&plane, "shop", "bailiwick");
    wait::until("RBAC is in force", || match check(&operator, "default", &shop) {
        answer if answer.status == 200 => Ok(()),
        answer => Err(answer.body),
    });
    assert_eq!(check(&operator, "default", &shop).ok()["decision"], true);

    let message = check(&operator, "elsewhere", &shop).error(403, "not_permitted");
    assert_eq!(
        message,
        "`system:serviceaccount:default:shop` may not `check` in environment `elsewhere`: RBAC must let it `create` \
         `environments/check` of `authz.bailiwick.dev` there"
    );
    let globex = json!({"name": "Globex"});
    let message = post(&operator, "/organizations", &shop, &globex).error(403, "not_permitted");
    assert!(message.contains("`write`") && message.contains("environments/write"), "{message}");
    let nobody = token(&plane, "nobody", "bailiwick");
    check(&operator, "default", &nobody).error(403, "not_permitted");

    let stranger = operator.get("/environments/default/v1/objects").error(401, "unauthenticated");
    let of_another_audience = token(&plane, "shop", "somebody-else");
    let of_the_api_server = token(&plane, "shop", "https://kubernetes.default.svc");
    for token in ["sesame", &of_another_audience, &of_the_api_server, &shop[..shop.len() - 20]] {
        assert_eq!(check(&operator, "default", token).error(401, "unauthenticated"), stranger);
    }

    let provisioner = token(&plane, "provisioner", "bailiwick");
    assert_eq!(post(&operator, "/organizations", &provisioner, &globex).status, 201);
    let annotation = "jsonpath={.metadata.annotations.authz\\.bailiwick\\.dev/last-written-by}";
    let author = plane.kubectl(&["get", "azres", "globex", "--output", annotation]).ok();
    assert_eq!(author, "system:serviceaccount:default:provisioner");
    let asked = operator.metric(r#"bailiwick_reviews_total{question="token",outcome="yes"}"#);
    assert_eq!(asked, Some(3.0), "each token is asked about once");

    plane.kill_api_server();
    let unknown = check(&operator, "default", "another");
    unknown.error(503, "not_reviewed");
    assert_eq!(unknown.header("retry-after"), "1");
}
