//! What a question tells of itself.

use std::cell::OnceCell;

use serde_json::{Map, Value as Json};

use super::{Fault, MAX_PROPERTIES};

/// What a question tells of its subject, its resource, its action and itself. What it does not tell of is taken for
/// empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given<'a> {
    /// `subject.properties`
    pub subject: Option<&'a Properties<'a>>,
    /// `resource.properties`
    pub resource: Option<&'a Properties<'a>>,
    /// `action.properties`
    pub action: Option<&'a Properties<'a>>,
    /// `context`
    pub context: Option<&'a Properties<'a>>,
}

/// A JSON object, read when a condition first looks into it, and not at all if none does.
#[derive(Debug)]
pub struct Properties<'a> {
    text: &'a str,
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
    pub const fn new(text: &'a str) -> Self {
        Self { text, read: OnceCell::new() }
    }

    /// The object. `root` is what conditions call it.
    pub(super) fn read(&self, root: &'static str) -> Result<&Map<String, Json>, Fault> {
        let read = self.read.get_or_init(|| {
            if self.text.len() > MAX_PROPERTIES {
                return Err(Unusable::TooLong);
            }
            serde_json::from_str(self.text).map_err(|_| Unusable::Unreadable)
        });
        read.as_ref().map_err(|unusable| match unusable {
            Unusable::TooLong => Fault::TooLong { root },
            Unusable::Unreadable => Fault::Unreadable { root },
        })
    }
}
