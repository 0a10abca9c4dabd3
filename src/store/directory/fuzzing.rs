//! What the fuzzers of `fuzz/` reach that nobody else does. The program has no such module.

use std::path::Path;

use super::text::{Edits, Text};
use crate::{graph::facts::Name, source::directory::recent::Recent};

/// Reads the text of a manifest, and makes every edit that removes an object or gives it the content of the one after it.
///
/// # Panics
/// Where what was edited cannot be read.
pub fn read_and_edit(file: &str, text: &str) {
    let (file, environment) = (Path::new(file), Name::new_static("default"));
    let recent = Recent::default();
    let Ok(read) = Text::parse(file, text, &recent, &environment) else { return };
    for (one, next) in read.neighbours() {
        for content in [None, Some(next)] {
            let edits: Edits = [(one.clone(), content)].into();
            if let Ok(Some(edited)) = read.edited(&edits) {
                Text::parse(file, &edited, &Recent::default(), &environment).expect("what was edited can be read");
            }
        }
    }
}
