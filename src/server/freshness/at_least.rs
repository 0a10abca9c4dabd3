//! What a request says of how fresh its answer is to be.

use axum::http::{HeaderMap, HeaderName};
use serde_json::Value;

use super::token::Token;
use crate::graph::{Revision, facts::Kind};

/// The header that says it.
pub const AT_LEAST: HeaderName = HeaderName::from_static("bailiwick-at-least");

/// How long what it says may be, in bytes.
const MAX_LENGTH: usize = 8192;

const FORMS: &str = r#"send the value of `Bailiwick-Revision` of an earlier answer, or `{"kind":"Role","resourceVersion":"123"}` as `kubectl apply --output json` prints them, a JSON array of such objects, or `Role/123`, several separated by commas"#;

/// How fresh an answer is to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AtLeast {
    /// As fresh as these answers.
    pub tokens: Vec<Token>,
    /// As fresh as these objects; none: no object was named.
    pub objects: Option<Revision>,
}

impl AtLeast {
    /// What the headers say; none: nothing.
    ///
    /// # Errors
    /// Why that cannot be understood, in words.
    pub fn of(headers: &HeaderMap) -> Result<Option<Self>, String> {
        let mut values = headers.get_all(AT_LEAST).iter().peekable();
        if values.peek().is_none() {
            return Ok(None);
        }
        let mut length = 0;
        let mut at_least = Self::default();
        for value in values {
            length += value.len();
            if length > MAX_LENGTH {
                return Err(format!("is longer than {MAX_LENGTH} bytes; {FORMS}"));
            }
            let text = value.to_str().map_err(|_| format!("is not ASCII; {FORMS}"))?;
            at_least.add(text.trim()).map_err(|problem| format!("{problem}; {FORMS}"))?;
        }
        Ok(Some(at_least))
    }

    fn add(&mut self, text: &str) -> Result<(), String> {
        if text.starts_with(['{', '[']) {
            let value: Value = serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
            let one = std::slice::from_ref(&value);
            let objects = value.as_array().map_or(one, Vec::as_slice);
            if objects.is_empty() {
                return Err("names no object".to_owned());
            }
            return objects.iter().try_for_each(|object| {
                let kind = object["kind"].as_str().ok_or("lacks `kind`")?;
                let version = &object["resourceVersion"];
                let version = version.as_str().map(str::to_owned).or_else(|| Some(version.as_u64()?.to_string()));
                self.add_object(kind, &version.ok_or("lacks `resourceVersion`")?)
            });
        }
        for part in text.split(',').map(str::trim) {
            if let Some((kind, version)) = part.split_once('/') {
                self.add_object(kind, version)?;
            } else {
                let token = Token::parse(part).map_err(|_| {
                    let problem = if Token::is_meant(part) {
                        "is a token that is damaged, or of another version"
                    } else {
                        "is nothing that is known"
                    };
                    problem.to_owned()
                })?;
                self.tokens.push(token);
            }
        }
        Ok(())
    }

    fn add_object(&mut self, kind: &str, version: &str) -> Result<(), String> {
        let kind = Kind::ALL.into_iter().find(|known| known.as_str() == kind).ok_or_else(|| {
            let kinds = Kind::ALL.map(Kind::as_str).join(", ");
            format!("names the kind `{kind}`, which is none of {kinds}")
        })?;
        let is_number = version.starts_with(|first: char| matches!(first, '1'..='9'));
        let number = version.parse().ok().filter(|_| is_number);
        let number =
            number.ok_or_else(|| format!("has the resourceVersion `{version}`, which is no positive number"))?;
        self.objects.get_or_insert_default().raise(kind, number);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;
    use crate::store::History;

    fn read(values: &[&str]) -> Result<Option<AtLeast>, String> {
        AtLeast::of(&values.iter().map(|value| (AT_LEAST, HeaderValue::from_str(value).unwrap())).collect())
    }

    #[test]
    fn every_form_is_understood_and_several_count_together() {
        assert_eq!(read(&[]), Ok(None));
        let objects = |numbers: &[(Kind, u64)]| {
            Ok(Some(AtLeast { tokens: vec![], objects: Some(numbers.iter().copied().collect()) }))
        };
        let role = objects(&[(Kind::Role, 12)]);
        for text in [
            r#"{"kind":"Role","resourceVersion":"12"}"#,
            r#" {"apiVersion":"authz.bailiwick.dev/v1alpha1", "kind":"Role", "resourceVersion": 12} "#,
            r#"[{"kind":"Role","resourceVersion":"12"}]"#,
            "Role/12",
            "Role/12,Role/7",
        ] {
            assert_eq!(read(&[text]), role, "{text}");
        }
        assert_eq!(read(&["Role/12, Group/3", "Role/15"]), objects(&[(Kind::Role, 15), (Kind::Group, 3)]));
        let token = Token { history: History(1), revision: [(Kind::Role, 12)].into_iter().collect() };
        let both = AtLeast { tokens: vec![token], objects: Some([(Kind::Group, 3)].into_iter().collect()) };
        assert_eq!(read(&[&token.to_text(), "Group/3"]), Ok(Some(both)));
    }

    #[test]
    fn what_cannot_be_understood_is_refused_with_the_remedy() {
        let long = "Role/1,".repeat(2000);
        for (text, words) in [
            ("", "is nothing that is known"),
            ("12", "is nothing that is known"),
            ("1.AAAA", "damaged"),
            ("2.AAAA", "of another version"),
            ("Rolle/12", "names the kind `Rolle`, which is none of "),
            ("Role/", "no positive number"),
            ("Role/0", "no positive number"),
            ("Role/+1", "no positive number"),
            ("Role/18446744073709551616", "no positive number"),
            ("{", "is not JSON"),
            ("[]", "names no object"),
            ("[1]", "lacks `kind`"),
            (r#"{"kind":"Role"}"#, "lacks `resourceVersion`"),
            (r#"{"kind":"Role","resourceVersion":-1}"#, "lacks `resourceVersion`"),
            (&long, "is longer than 8192 bytes"),
        ] {
            let problem = read(&[text]).unwrap_err();
            assert!(problem.contains(words) && problem.contains("Bailiwick-Revision"), "{text}: {problem}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_understood_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let _ = AtLeast::of(&[(AT_LEAST, value)].into_iter().collect());
            }
        }
    }
}
