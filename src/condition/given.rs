//! What a question tells of itself.

use std::cell::OnceCell;

use serde_json::{Map, Value as Json};

use super::{Fault, MAX_PROPERTIES};

/// What a question tells of its subject, its resource, its action and itself: JSON objects, read when a condition first
/// looks into them and not at all if none does.
#[derive(Debug, Default)]
pub struct Given<'a> {
    /// `subject.properties`
    pub subject: Properties<'a>,
    /// `resource.properties`
    pub resource: Properties<'a>,
    /// `action.properties`
    pub action: Properties<'a>,
    /// `context`
    pub context: Properties<'a>,
}

/// One JSON object, or none, which is taken for an empty one.
#[derive(Debug, Default)]
pub struct Properties<'a> {
    text: Option<&'a str>,
    read: OnceCell<Result<Map<String, Json>, Unusable>>,
}

#[derive(Clone, Copy, Debug)]
enum Unusable {
    TooLong,
    Unreadable,
}

impl<'a> Properties<'a> {
    /// The object of this JSON text.
    #[must_use]
    pub const fn new(text: Option<&'a str>) -> Self {
        Self { text, read: OnceCell::new() }
    }

    /// The object. `root` is what conditions call it.
    pub(super) fn read(&self, root: &'static str) -> Result<&Map<String, Json>, Fault> {
        let read = self.read.get_or_init(|| match self.text {
            None => Ok(Map::new()),
            Some(text) if text.len() > MAX_PROPERTIES => Err(Unusable::TooLong),
            Some(text) => serde_json::from_str(text).map_err(|_| Unusable::Unreadable),
        });
        read.as_ref().map_err(|unusable| match unusable {
            Unusable::TooLong => Fault::TooLong { root },
            Unusable::Unreadable => Fault::Unreadable { root },
        })
    }
}
