//! Reading instants exactly as the API server does.

use std::sync::LazyLock;

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use regex::Regex;
use serde::{Deserialize, Deserializer, de};

/// What the API server takes for a `date-time`; a parser of timestamps alone takes more.
static DATE_TIME: LazyLock<Regex> = LazyLock::new(|| {
    // INVARIANT: the pattern is a literal, and a test uses it.
    #[expect(clippy::expect_used, reason = "see above")]
    Regex::new(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-5][0-9](\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$")
        .expect("the pattern is valid")
});

/// Reads an instant that may be absent.
pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Time>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let instant = DATE_TIME.is_match(&text).then(|| text.parse::<Timestamp>().ok()).flatten();
    instant.map(|instant| Some(Time(instant))).ok_or_else(|| {
        let text = text.escape_debug();
        de::Error::custom(format_args!("`{text}` is no instant: write it as RFC 3339 has it, `2030-01-31T18:00:00Z`"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn instants_are_read_as_the_api_server_reads_them() {
        let read = |text: &str| super::optional(json!(text)).map(|time| time.map(|time| time.0.to_string()));
        for (text, instant) in [
            ("2099-12-31T23:59:59Z", "2099-12-31T23:59:59Z"),
            ("2099-12-31t23:59:59.5z", "2099-12-31T23:59:59.5Z"),
            ("2100-01-01T01:59:59+02:00", "2099-12-31T23:59:59Z"),
        ] {
            assert_eq!(read(text).unwrap().unwrap(), instant);
        }
        for text in
            ["", "tomorrow", "2099-12-31", "2099-12-31 23:59:59Z", "2099-02-30T00:00:00Z", "2099-12-31T23:59:60Z"]
        {
            assert!(
                read(text).unwrap_err().to_string().contains("is no instant: write it as RFC 3339 has it"),
                "{text}"
            );
        }
        assert!(super::optional(json!(null)).unwrap().is_none());
    }
}
