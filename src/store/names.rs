//! Names for objects that are created: readable, valid, and nobody else's.

use std::fmt::Write as _;

use uuid::Uuid;

use crate::graph::facts::{Kind, Name, ObjectRef};

/// Longer names would leave no room for a suffix, and nobody reads them.
const MAX_LENGTH: usize = 63;

/// The length of a suffix, the hyphen included.
const SUFFIX_LENGTH: usize = 9;

/// The names that an object may get, the best one first: what it is called, as far as a name can say that, then the same with
/// suffixes.
///
/// They follow from `called` and `identity` alone, so that two writers who create the same thing at the same time choose the
/// same name and the store tells them of each other.
pub fn candidates<'a>(kind: Kind, called: &str, identity: &'a str) -> impl Iterator<Item = ObjectRef> + 'a {
    let base = slug(called);
    let base = if base.is_empty() { kind.as_str().to_ascii_lowercase() } else { base };
    (0_u32..).map(move |attempt| {
        let name = if attempt == 0 { base.clone() } else { with_suffix(&base, identity, attempt) };
        ObjectRef { kind, name: name.into() }
    })
}

/// The identity of an object like which there may be any number: nothing tells it from the others.
#[must_use]
pub fn any_identity() -> String {
    Uuid::from_u128(rand::random()).to_string()
}

fn with_suffix(base: &str, identity: &str, attempt: u32) -> String {
    let hash = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{attempt}/{identity}").as_bytes()).simple().to_string();
    let base = base[..base.len().min(MAX_LENGTH - SUFFIX_LENGTH)].trim_end_matches('-');
    let mut name = base.to_owned();
    // INVARIANT: writing to a String does not fail.
    let _ = write!(name, "-{}", &hash[..SUFFIX_LENGTH - 1]);
    name
}

/// What is left of a text when it is made a part of a name: lower-case letters and digits, with single hyphens between.
#[must_use]
pub fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len().min(MAX_LENGTH));
    for letter in text.chars() {
        if slug.len() >= MAX_LENGTH {
            break;
        }
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

/// The slugs of several texts in one.
#[must_use]
pub fn joined(parts: &[&str]) -> Name {
    parts.iter().map(|part| slug(part)).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-").into()
}
