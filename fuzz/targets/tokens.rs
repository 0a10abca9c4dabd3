//! Cursors and page tokens, of each surface.
#![no_main]

use bailiwick_fuzz::WORLD;
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|data: &[u8]| {
    let Ok(token) = std::str::from_utf8(data) else { return };
    let search = json!({
        "subject": {"type": "user", "id": "alice"},
        "action": {"name": "edit"},
        "resource": {"type": "project"},
        "page": {"token": token}
    });
    WORLD.ask("POST", "/access/v1/search/resource", search.to_string().as_bytes());
    let query: String = data.iter().map(|byte| format!("%{byte:02x}")).collect();
    WORLD.ask("GET", &format!("/environments/default/v1/objects?limit=1&cursor={query}"), b"");
    WORLD.ask("GET", &format!("/organizations?limit=1&after={query}"), b"");
});
