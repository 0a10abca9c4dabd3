//! What is wrong in a folder of manifests.

use std::{fmt, path::Path, sync::Arc};

use super::document::Position;
use crate::graph::facts::ObjectRef;

/// Where something is declared.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Place {
    /// The file, or a folder that cannot be read.
    pub file: Arc<Path>,
    /// Where in the file, if known.
    pub position: Option<Position>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        match self.position {
            Some(Position { line, column }) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

/// Something wrong in a folder of manifests, with the remedy.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Problem {
    /// Where it is.
    pub place: Place,
    /// The object that is concerned, if it can be told.
    pub object: Option<ObjectRef>,
    /// Path of the field that is concerned, such as `spec.permissions[3]`, if it is one.
    pub field: Option<String>,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if let Some(object) = &self.object {
            write!(f, "{object}: ")?;
        }
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        f.write_str(&self.message)
    }
}
