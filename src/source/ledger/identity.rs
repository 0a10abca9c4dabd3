//! What tells objects, and their states, from each other; in little room, for there may be a million of them.

use std::fmt;

use uuid::Uuid;

/// Tells an object from others that have, or had, its name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Uid(UidForm);

#[derive(Clone, Debug, Eq, PartialEq)]
enum UidForm {
    /// What every API server gives, where it is spelled as they all do.
    Uuid(Uuid),
    Other(Box<str>),
}

impl From<&str> for Uid {
    fn from(text: &str) -> Self {
        let uuid = Uuid::parse_str(text).ok().filter(|uuid| is_spelled(*uuid, text));
        Self(uuid.map_or_else(|| UidForm::Other(text.into()), UidForm::Uuid))
    }
}

impl PartialEq<str> for Uid {
    fn eq(&self, text: &str) -> bool {
        match &self.0 {
            UidForm::Uuid(uuid) => is_spelled(*uuid, text),
            UidForm::Other(other) => **other == *text,
        }
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            UidForm::Uuid(uuid) => uuid.fmt(f),
            UidForm::Other(other) => f.write_str(other),
        }
    }
}

/// Whether a text is the one spelling that [`Uuid`] is told in.
fn is_spelled(uuid: Uuid, text: &str) -> bool {
    *uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == *text
}

/// Names an object for ever: the 128 bits of its uid.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ObjectId(pub u128);

impl ObjectId {
    /// The id of the object with a uid. A uid that is no UUID, which no API server gives, is one by its hash.
    #[must_use]
    pub fn of_uid(uid: &str) -> Self {
        Self(Uuid::parse_str(uid).unwrap_or_else(|_| Uuid::new_v5(&Uuid::NAMESPACE_OID, uid.as_bytes())).as_u128())
    }
}

impl From<&Uid> for ObjectId {
    fn from(Uid(form): &Uid) -> Self {
        match form {
            UidForm::Uuid(uuid) => Self(uuid.as_u128()),
            UidForm::Other(other) => Self::of_uid(other),
        }
    }
}

/// Tells a state of an object from every other.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResourceVersion(VersionForm);

#[derive(Clone, Debug, Eq, PartialEq)]
enum VersionForm {
    /// What every API server gives, where it is spelled as they all do.
    Number(u64),
    Other(Box<str>),
}

impl ResourceVersion {
    /// As the number that it is; 0 where it is none.
    #[must_use]
    pub fn revision(&self) -> u64 {
        match &self.0 {
            VersionForm::Number(number) => *number,
            VersionForm::Other(text) => revision(text),
        }
    }
}

impl From<&str> for ResourceVersion {
    fn from(text: &str) -> Self {
        // A sign or leading zeros would be lost, and the API server compares texts.
        let is_canonical = text == "0" || text.starts_with(|first: char| matches!(first, '1'..='9'));
        let number = text.parse().ok().filter(|_| is_canonical);
        Self(number.map_or_else(|| VersionForm::Other(text.into()), VersionForm::Number))
    }
}

impl fmt::Display for ResourceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            VersionForm::Number(number) => number.fmt(f),
            VersionForm::Other(text) => f.write_str(text),
        }
    }
}

/// A resource version as the number that it is; 0 where it is none.
#[must_use]
pub fn revision(resource_version: &str) -> u64 {
    resource_version.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "1db5f5f8-a587-5958-897d-f27ac302d33e";

    #[test]
    fn every_uid_is_told_as_it_was_spelled_and_is_no_other() {
        let spellings = [UUID, &UUID.to_uppercase(), &UUID.replace('-', ""), "uid of a", ""];
        for (index, spelling) in spellings.iter().enumerate() {
            let uid = Uid::from(*spelling);
            assert_eq!(uid.to_string(), *spelling);
            assert_eq!(ObjectId::from(&uid), ObjectId::of_uid(spelling));
            for (other_index, other) in spellings.iter().enumerate() {
                assert_eq!(uid == **other, index == other_index, "{spelling} {other}");
            }
        }
    }

    #[test]
    fn every_resource_version_is_told_as_it_was_spelled_and_is_no_other() {
        let spellings = ["0", "7", "07", "+7", "18446744073709551615", "18446744073709551616", "9a", ""];
        for (index, spelling) in spellings.iter().enumerate() {
            let version = ResourceVersion::from(*spelling);
            assert_eq!(version.to_string(), *spelling);
            for (other_index, other) in spellings.iter().enumerate() {
                assert_eq!(version == ResourceVersion::from(*other), index == other_index, "{spelling} {other}");
            }
        }
        assert_eq!(ResourceVersion::from("18446744073709551615").revision(), u64::MAX);
        assert_eq!(ResourceVersion::from("9a").revision(), 0);
    }
}
