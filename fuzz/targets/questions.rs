//! The bodies of checks, explanations, evaluations and searches: the first byte says of which.
#![no_main]

use bailiwick_fuzz::WORLD;
use libfuzzer_sys::fuzz_target;

const PATHS: [&str; 8] = [
    "/environments/default/v1/check",
    "/environments/default/v1/checks",
    "/environments/default/v1/explain",
    "/access/v1/evaluation",
    "/access/v1/evaluations",
    "/access/v1/search/subject",
    "/access/v1/search/resource",
    "/access/v1/search/action",
];

fuzz_target!(|data: &[u8]| {
    let Some((&first, body)) = data.split_first() else { return };
    // Letters, so that a seed can be written by hand.
    let Some(path) = PATHS.get(usize::from(first.wrapping_sub(b'a'))) else { return };
    let answer = WORLD.ask("POST", path, body).expect("an answer has a body");
    if let Some(next) = answer["page"]["next_token"].as_str().filter(|next| !next.is_empty()) {
        // A token that was handed out is taken back.
        let mut request: serde_json::Value = serde_json::from_slice(body).expect("what was answered was JSON");
        request["page"]["token"] = next.into();
        let answer = WORLD.ask("POST", path, request.to_string().as_bytes()).expect("an answer has a body");
        assert!(answer["results"].is_array(), "{answer}");
    }
});
