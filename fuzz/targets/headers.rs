//! The headers of requests, one on each line: how fresh an answer is to be, who asks, what was sent before.
#![no_main]

use axum::http::{HeaderName, HeaderValue, StatusCode};
use bailiwick_fuzz::WORLD;
use libfuzzer_sys::fuzz_target;

const QUESTION: &str = r#"{"subject": {"type": "user", "id": "alice"}, "action": {"name": "edit"},
    "resource": {"type": "project", "id": "design"}}"#;

fuzz_target!(|data: &[u8]| {
    let headers = data.split(|&byte| byte == b'\n').filter_map(|line| {
        let colon = line.iter().position(|&byte| byte == b':')?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
    });
    let headers: Vec<_> = headers.take(50).collect();
    WORLD.ask_with(&headers, "POST", "/access/v1/evaluation", QUESTION.as_bytes());
    WORLD.ask_with(&headers, "GET", "/.well-known/authzen-configuration", b"");
    WORLD.ask_with(&headers, "POST", "/organizations", br#"{"name": "Fuzz"}"#);
    // Nobody there may list.
    let status = WORLD.ask_guarded(&headers, "GET", "/environments/default/v1/objects", b"").expect("a request");
    assert!(matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN), "{status}");
});
