//! What a JSON value says, as a number.

use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

/// Of values that say the same it is the same: white space, escapes and the order of an object's members make no
/// difference. Nothing of the value is kept meanwhile, however large it is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq)]
#[serde(transparent)]
pub struct Digest(#[serde(deserialize_with = "digest")] u64);

fn digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    deserializer.deserialize_any(DigestVisitor)
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

struct DigestVisitor;

impl<'de> Visitor<'de> for DigestVisitor {
    type Value = u64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<u64, E> {
        Ok(hash(()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<u64, E> {
        Ok(hash(("boolean", value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<u64, E> {
        Ok(hash(("integer", i128::from(value))))
    }

    fn visit_i64<E>(self, value: i64) -> Result<u64, E> {
        Ok(hash(("integer", i128::from(value))))
    }

    fn visit_f64<E>(self, value: f64) -> Result<u64, E> {
        Ok(hash(("number", value.to_bits())))
    }

    fn visit_str<E>(self, value: &str) -> Result<u64, E> {
        Ok(hash(("string", value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<u64, A::Error> {
        let mut all = hash("array");
        while let Some(element) = elements.next_element::<Digest>()? {
            all = hash((all, element));
        }
        Ok(all)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<u64, A::Error> {
        // A sum, for members come in any order.
        let mut all = hash("object");
        while let Some(member) = members.next_entry::<Digest, Digest>()? {
            all = all.wrapping_add(hash(member));
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(json: &str) -> Digest {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_says_the_same_has_the_same_digest() {
        for (one, other) in
            [(r#"{"a": 1, "b": [true, null]}"#, r#"{"b":[true,null],"a":1}"#), (r#""\u0061""#, r#""a""#), ("{ }", "{}")]
        {
            assert_eq!(digest(one), digest(other), "{one} {other}");
        }
    }

    #[test]
    fn what_says_something_else_has_another() {
        let all = [
            "null",
            "true",
            "false",
            "0",
            "1",
            "-1",
            "1.5",
            r#""1""#,
            r#""""#,
            "[]",
            "{}",
            "[1, 2]",
            "[2, 1]",
            "[[1], 2]",
            r#"{"a": 1}"#,
            r#"{"a": 2}"#,
            r#"{"b": 1}"#,
            r#"{"a": "b"}"#,
            r#"{"b": "a"}"#,
            r#"{"a": {"b": 1}}"#,
        ];
        for (i, one) in all.iter().enumerate() {
            for other in &all[i + 1..] {
                assert_ne!(digest(one), digest(other), "{one} {other}");
            }
        }
    }
}
