//! The callers that a file tells of: by the key or by the certificate that each of them has.

use std::{collections::HashMap, str::FromStr as _, sync::Arc};

use jiff::Timestamp;
use serde::Deserialize;
use smol_str::SmolStr;

use super::{Digest, DigestError, Verb};
use crate::graph::Environments;

/// How many callers are taken.
const MAX_CALLERS: usize = 10_000;

/// How long the name of a caller, or of a certificate, may be, in bytes.
const MAX_NAME: usize = 253;

/// What stands for every environment.
const EVERY: &str = "*";

/// Why a file of callers cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CallersError {
    /// It is not YAML of the right shape.
    #[error("{0}")]
    Syntax(String),
    /// A caller cannot be used.
    #[error("`callers[{index}]`: `{field}` {problem}")]
    Caller {
        /// Which one, counted from 0.
        index: usize,
        /// What of it.
        field: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// There are too many.
    #[error("more than {MAX_CALLERS} callers")]
    TooMany,
}

/// Somebody who may ask something.
#[derive(Debug)]
pub(super) struct Listed {
    /// What the caller is called.
    pub name: SmolStr,
    expires: Option<Timestamp>,
    grants: Vec<Grant>,
}

#[derive(Debug)]
struct Grant {
    /// None: every one.
    environments: Option<Vec<SmolStr>>,
    verbs: Vec<Verb>,
}

impl Listed {
    /// Whether the caller may do this in an environment.
    pub fn may(&self, verb: Verb, environment: &str) -> bool {
        self.grants.iter().any(|Grant { environments, verbs }| {
            let covers = |environments: &Vec<SmolStr>| environments.iter().any(|name| name == environment);
            environments.as_ref().is_none_or(covers) && verbs.contains(&verb)
        })
    }

    fn is_valid(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

/// All callers of a file, or of several.
#[derive(Debug, Default)]
pub(super) struct Callers {
    /// By the first bytes of the digests of their keys. An index tells by its timing about digests at most, and nobody
    /// can choose the digest of what he sends; the rest is compared in constant time.
    by_key: HashMap<u64, Vec<(Digest, Arc<Listed>)>>,
    by_certificate: HashMap<String, Vec<Arc<Listed>>>,
    count: usize,
}

impl Callers {
    /// Adds those of a text in YAML, of which JSON is a part.
    pub fn add(&mut self, text: &str) -> Result<(), CallersError> {
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        let File { callers } = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| CallersError::Syntax(error.to_string()))?;
        for (index, entry) in callers.into_iter().enumerate() {
            let wrong = |field| move |problem: String| CallersError::Caller { index, field, problem };
            let listed = Arc::new(Listed {
                name: name(&entry.name).map_err(wrong("name"))?,
                expires: entry.expires.as_deref().map(instant).transpose().map_err(wrong("expires"))?,
                grants: entry.may.into_iter().map(grant).collect::<Result<_, _>>().map_err(wrong("may"))?,
            });
            match (entry.key, entry.certificate) {
                (Some(key), None) => {
                    let key = Digest::from_str(&key).map_err(|error: DigestError| wrong("key")(error.to_string()))?;
                    self.by_key.entry(key.short()).or_default().push((key, listed));
                }
                (None, Some(certificate)) => {
                    let certificate = name(&certificate).map_err(wrong("certificate"))?;
                    self.by_certificate.entry(certificate.to_string()).or_default().push(listed);
                }
                _ => return Err(wrong("key")("or `certificate` must be given, one of the two".to_owned())),
            }
            self.count += 1;
            if self.count > MAX_CALLERS {
                return Err(CallersError::TooMany);
            }
        }
        Ok(())
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whose key this is the digest of, if it is still valid.
    pub fn with_key(&self, key: &Digest, now: Timestamp) -> Option<&Arc<Listed>> {
        let alike = self.by_key.get(&key.short())?;
        alike.iter().find_map(|(of, listed)| (of.is(key) && listed.is_valid(now)).then_some(listed))
    }

    /// Whose certificate bears this name, if that is still valid.
    pub fn with_certificate(&self, name: &str, now: Timestamp) -> Option<&Arc<Listed>> {
        self.by_certificate.get(name)?.iter().find(|listed| listed.is_valid(now))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    callers: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    key: Option<String>,
    certificate: Option<String>,
    expires: Option<String>,
    may: Vec<May>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct May {
    environments: Vec<String>,
    verbs: Vec<String>,
}

fn name(text: &str) -> Result<SmolStr, String> {
    let is_usable = (1..=MAX_NAME).contains(&text.len()) && !text.contains(char::is_control);
    is_usable.then(|| text.into()).ok_or_else(|| format!("must be 1 to {MAX_NAME} bytes without control characters"))
}

fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|error| format!("must be an instant such as 2030-01-01T00:00:00Z: {error}"))
}

fn grant(May { environments, verbs }: May) -> Result<Grant, String> {
    let verb = |name: String| {
        let verb = Verb::ALL.into_iter().find(|verb| verb.as_str() == name);
        verb.ok_or_else(|| format!("has the verb `{name}`, but there are check, search, read and write"))
    };
    let environment = |name: &String| {
        let is_one = Environments::may_be_named(name);
        is_one
            .then(|| name.into())
            .ok_or_else(|| format!("has the environment `{name}`, which no namespace can be called"))
    };
    let is_every = environments.iter().any(|name| name == EVERY);
    Ok(Grant {
        environments: (!is_every)
            .then(|| environments.iter().map(environment).collect::<Result<_, _>>())
            .transpose()?,
        verbs: verbs.into_iter().map(verb).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callers(text: &str) -> Result<Callers, String> {
        let mut callers = Callers::default();
        callers.add(text).map_err(|error| error.to_string())?;
        Ok(callers)
    }

    fn file(entry: &str) -> String {
        format!("callers:\n- {{{entry}}}\n")
    }

    #[test]
    fn a_key_is_bound_to_environments_verbs_and_time() {
        let key = Digest::of(b"sesame");
        let text = file(&format!(
            "name: shop, key: '{key}', expires: 2030-01-01T00:00:00Z, may: [{{environments: [one, two], verbs: [check]}}, \
             {{environments: ['*'], verbs: [read]}}]"
        ));
        let callers = callers(&text).unwrap();
        let expires: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        let before = expires - jiff::SignedDuration::from_nanos(1);
        assert!(callers.with_key(&key, expires).is_none());
        assert!(callers.with_key(&Digest::of(b"Sesame"), before).is_none());
        let shop = callers.with_key(&key, before).unwrap();
        assert_eq!(shop.name, "shop");
        for (verb, environment, may) in [
            (Verb::Check, "one", true),
            (Verb::Check, "two", true),
            (Verb::Check, "three", false),
            (Verb::Check, "*", false),
            (Verb::Search, "one", false),
            (Verb::Read, "three", true),
            (Verb::Write, "one", false),
        ] {
            assert_eq!(shop.may(verb, environment), may, "{verb:?} {environment}");
        }
    }

    #[test]
    fn two_keys_of_one_name_are_both_valid() {
        let (old, new) = (Digest::of(b"old"), Digest::of(b"new"));
        let entry = |key| format!("- {{name: shop, key: '{key}', may: []}}\n");
        let callers = callers(&format!("callers:\n{}{}", entry(old), entry(new))).unwrap();
        assert_eq!(callers.len(), 2);
        for key in [old, new] {
            assert!(callers.with_key(&key, Timestamp::now()).is_some());
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_secrets_are_not_quoted() {
        let key = Digest::of(b"sesame");
        for (entry, problem) in [
            ("name: a, key: sesame, may: []".to_owned(), "`key` must be `sha256:`"),
            ("name: a, may: []".to_owned(), "or `certificate` must be given"),
            (format!("name: a, key: '{key}', certificate: b, may: []"), "or `certificate` must be given"),
            (format!("name: '', key: '{key}', may: []"), "`name` must be"),
            (format!("name: \"a\\nb\", key: '{key}', may: []"), "`name` must be"),
            (format!("name: a, key: '{key}', may: [{{environments: [a_b], verbs: []}}]"), "environment `a_b`"),
            (format!("name: a, key: '{key}', may: [{{environments: [a], verbs: [delete]}}]"), "verb `delete`"),
            (format!("name: a, key: '{key}', expires: tomorrow, may: []"), "`expires` must be an instant"),
            (format!("name: a, key: '{key}'"), "may"),
            (format!("name: a, key: '{key}', may: [], mya: []"), "mya"),
        ] {
            let error = callers(&file(&entry)).unwrap_err();
            assert!(error.contains(problem) && !error.contains("sesame"), "{entry}: {error}");
        }
        assert!(callers("").is_err() && callers("[]").is_err());
    }
}
