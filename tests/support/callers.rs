//! Callers of the API who are known.

use std::{fs, path::Path, sync::Arc};

use axum::{
    body::Body,
    http::{Request, header::AUTHORIZATION, request::Builder},
};
use bailiwick::server::{Authentication, CallersFile, Config, Digest, Reviewer};
use prometheus_client::registry::Registry;

use super::router::config;

/// What the file of callers says of one with this secret. `may` is YAML: `{environments: [default], verbs: [check]}`.
pub fn entry(name: &str, secret: &str, may: &str) -> String {
    format!("- {{name: {name}, key: '{}', may: [{may}]}}\n", Digest::of(secret.as_bytes()))
}

/// Writes a file of callers.
pub fn write(file: &Path, entries: &[String]) {
    fs::write(file, format!("callers:\n{}", entries.concat())).expect("a file");
}

/// A configuration that answers these callers, and those whom the reviewer vouches for.
pub fn answering(entries: &[String], reviewer: Option<Arc<dyn Reviewer>>) -> Config {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("callers.yaml");
    write(&file, entries);
    let mut registry = Registry::default();
    let callers = CallersFile::open(file, &mut registry).expect("callers");
    Config { authentication: Some(Authentication::new(Some(callers), reviewer, &mut registry)), ..config() }
}

/// A request of somebody with this secret, or with none.
pub fn with_secret(request: Builder, secret: Option<&str>) -> Builder {
    match secret {
        Some(secret) => request.header(AUTHORIZATION, format!("Bearer {secret}")),
        None => request,
    }
}

/// A request without a body.
pub fn bodiless(method: &str, path: &str, secret: Option<&str>) -> Request<Body> {
    with_secret(Request::builder().method(method).uri(path), secret).body(Body::empty()).expect("a request")
}
