//! What has to be merged into an object so that it becomes another.

use serde_json::{Map, Value};

/// What has to be merged (RFC 7396) into one value so that it becomes another that has no nulls; none: nothing, they are equal.
/// What is in neither is left alone.
pub fn merge_patch(before: &Value, after: &Value) -> Option<Value> {
    let (Value::Object(fields_before), Value::Object(fields_after)) = (before, after) else {
        return (before != after).then(|| after.clone());
    };
    let gone = fields_before.keys().filter(|field| !fields_after.contains_key(*field));
    let mut patch: Map<_, _> = gone.map(|field| (field.clone(), Value::Null)).collect();
    patch.extend(fields_after.iter().filter_map(|(field, value)| {
        let changed = match fields_before.get(field) {
            Some(before) => merge_patch(before, value)?,
            None => value.clone(),
        };
        Some((field.clone(), changed))
    }));
    (!patch.is_empty()).then_some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_in_it() {
        let before =
            json!({"same": {"a": 1}, "list": [1, 2], "gone": true, "inner": {"keep": 1, "drop": 2, "change": 3}});
        let after = json!({"same": {"a": 1}, "list": [2], "new": "n", "inner": {"keep": 1, "change": {"deep": 4}}});
        let patch = json!({
            "list": [2], "gone": null, "new": "n", "inner": {"drop": null, "change": {"deep": 4}},
        });
        assert_eq!(merge_patch(&before, &after), Some(patch));
        assert_eq!(merge_patch(&before, &before), None);
        assert_eq!(merge_patch(&json!({}), &json!({})), None);
    }
}
