//! Conditions, and their evaluation: the last line is the JSON of all properties, what is before it the condition.
#![no_main]

use bailiwick::condition::{ASSUMED_ELEMENTS, Condition, Fault, Given, MAX_LENGTH, Properties, Unmet};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &str| {
    let (text, properties) = data.rsplit_once('\n').unwrap_or((data, "{}"));
    let Ok(condition) = Condition::new(text) else { return };
    assert!(text.chars().count() <= MAX_LENGTH);
    assert_eq!(Condition::new(condition.text()).as_ref(), Ok(&condition));
    let now = Timestamp::from_second(1_772_386_215).expect("an instant");
    let read = Properties::new(properties);
    let given = Given { subject: Some(&read), resource: Some(&read), action: Some(&read), context: Some(&read) };
    let holds = condition.holds(now, Some(&given));
    assert_eq!(condition.holds(now, Some(&given)), holds, "{text}");
    if holds == Err(Unmet::Failed(Fault::TooCostly)) {
        assert!(!is_short(text) || !is_small(properties), "{text} was judged to cost less");
    }
    let _ = condition.holds(now, None);
});

/// Whether no text that is long can come of it.
fn is_short(condition: &str) -> bool {
    condition.len() <= 100 && !condition.contains('+') && !condition.contains("string")
}

/// Whether the properties are such as the cost of conditions is judged for: no list is longer, and it holds no others.
fn is_small(properties: &str) -> bool {
    let Ok(Value::Object(properties)) = serde_json::from_str(properties) else { return false };
    let is_few = |count: usize| u32::try_from(count).is_ok_and(|count| count <= ASSUMED_ELEMENTS);
    let is_simple = |value: &Value| match value {
        Value::Array(_) | Value::Object(_) => false,
        Value::String(text) => text.len() < 64,
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    };
    // Lists that are compared with one another are not counted in advance.
    let lists = properties.values().filter(|value| value.is_array()).count();
    lists <= 1
        && is_few(properties.len())
        && properties.iter().all(|(key, value)| {
            let elements = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            key.len() < 64 && is_few(elements.len()) && elements.iter().all(is_simple)
        })
}
