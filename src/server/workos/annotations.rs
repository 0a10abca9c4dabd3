//! What this API notes with objects that their specs have no fields for.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};

/// What an annotation says. What cannot be read is not shown either: it says nothing, and is written anew.
pub fn noted<T: Default + DeserializeOwned>(annotations: &BTreeMap<String, String>, name: &str) -> T {
    annotations.get(name).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

/// Writes an annotation, or removes it where it would say nothing.
pub fn annotate(annotations: &mut BTreeMap<String, String>, name: &str, value: &impl Serialize, is_empty: bool) {
    if is_empty {
        annotations.remove(name);
        return;
    }
    // INVARIANT: maps with keys that are strings, and lists, are JSON.
    #[expect(clippy::expect_used, reason = "unreachable, see the invariant")]
    annotations.insert(name.to_owned(), serde_json::to_string(value).expect("an annotation is JSON"));
}
