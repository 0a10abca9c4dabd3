//! An API server that has the objects of a recipe, and in which nothing ever happens.

use std::{collections::HashMap, fmt::Write as _, net::SocketAddr, path::Path, sync::Arc};

use axum::{
    Json, Router,
    body::Body,
    extract::{Path as UrlPath, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bailiwick::{graph::facts::Kind, source::cluster::resource};
use futures::stream;
use serde_json::json;
use tokio::net::TcpListener;

use crate::recipe::Recipe;

/// What every list and watch is as of.
const RESOURCE_VERSION: &str = "1000000000";

/// Serves a recipe on a free port until the runtime ends.
pub async fn serve(recipe: Option<Recipe>) -> SocketAddr {
    let kinds: HashMap<String, Kind> = Kind::ALL.into_iter().map(|kind| (resource(kind).plural, kind)).collect();
    let router = Router::new()
        .route("/apis/authz.bailiwick.dev/v1alpha1/{plural}", get(objects))
        .fallback(refuse)
        .with_state(Arc::new((recipe, kinds)));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Writes a kubeconfig for it.
pub fn write_kubeconfig(address: SocketAddr, path: &Path) {
    let text = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "scripted",
        "clusters": [{ "name": "scripted", "cluster": { "server": format!("http://{address}") } }],
        "contexts": [{ "name": "scripted", "context": { "cluster": "scripted", "user": "scripted" } }],
        "users": [{ "name": "scripted", "user": {} }],
    });
    std::fs::write(path, text.to_string()).expect("a kubeconfig");
}

type Served = Arc<(Option<Recipe>, HashMap<String, Kind>)>;

/// A page of a list, or a watch that never tells anything.
async fn objects(
    State(served): State<Served>,
    UrlPath(plural): UrlPath<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let (recipe, kinds) = &*served;
    let Some(&kind) = kinds.get(&plural) else { return refuse().await };
    if query.contains_key("watch") {
        return Body::from_stream(stream::pending::<Result<String, std::io::Error>>()).into_response();
    }
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<usize>().ok());
    let count = recipe.map_or(0, |recipe| recipe.count(kind));
    let from = number("continue").unwrap_or(0).min(count);
    let until = number("limit").filter(|limit| *limit > 0).map_or(count, |limit| count.min(from + limit));
    let mut page = String::with_capacity((until - from) * 2048 + 256);
    let mut metadata = json!({ "resourceVersion": RESOURCE_VERSION });
    if until < count {
        metadata["continue"] = json!(until.to_string());
        metadata["remainingItemCount"] = json!(count - until);
    }
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        r#"{{"kind":"{kind}List","apiVersion":"authz.bailiwick.dev/v1alpha1","metadata":{metadata},"items":["#
    );
    for index in from..until {
        if index > from {
            page.push(',');
        }
        if let Some(recipe) = recipe {
            page.push_str(&recipe.object(kind, index));
        }
    }
    page.push_str("]}");
    ([(header::CONTENT_TYPE, "application/json")], page).into_response()
}

/// Of leases and the like it will know nothing: the program never leads, and only follows.
async fn refuse() -> Response {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "reason": "Forbidden",
        "message": "the scripted API server has nothing but objects to read",
    });
    (StatusCode::FORBIDDEN, Json(status)).into_response()
}
