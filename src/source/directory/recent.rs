//! The text that was parsed last.

use std::{path::Path, sync::Arc};

use parking_lot::Mutex;

use super::{
    document::{Node, SyntaxError},
    manifest,
};

/// Parses the texts of manifests, and remembers the last one. Whoever changes a file parses what it holds to tell what is in
/// it, and again to change it; then what it is to hold, to be sure of that; and this is what is found there afterwards.
///
/// The text itself tells whether it is the same, so nothing that is done to a file goes unnoticed.
#[derive(Debug, Default)]
pub struct Recent(Mutex<Option<Parsed>>);

#[derive(Debug)]
struct Parsed {
    is_json: bool,
    text: String,
    documents: Arc<[Node]>,
}

impl Recent {
    /// The documents of a file that holds this text.
    ///
    /// # Errors
    /// Those of [`manifest::parse`].
    pub fn read(&self, file: &Path, text: &str) -> Result<Arc<[Node]>, SyntaxError> {
        self.remembered(file, text).map_or_else(|| manifest::parse(file, text).map(Arc::from), Ok)
    }

    /// The documents of a file that holds this text, or is to hold it: they are remembered.
    ///
    /// # Errors
    /// Those of [`manifest::parse`].
    pub fn parse(&self, file: &Path, text: &str) -> Result<Arc<[Node]>, SyntaxError> {
        if let Some(documents) = self.remembered(file, text) {
            return Ok(documents);
        }
        let documents: Arc<[Node]> = manifest::parse(file, text)?.into();
        let (text, is_json) = (text.to_owned(), manifest::is_json(file));
        *self.0.lock() = Some(Parsed { is_json, text, documents: Arc::clone(&documents) });
        Ok(documents)
    }

    fn remembered(&self, file: &Path, text: &str) -> Option<Arc<[Node]>> {
        let last = self.0.lock();
        let is_it = |parsed: &&Parsed| parsed.is_json == manifest::is_json(file) && parsed.text == text;
        last.as_ref().filter(is_it).map(|parsed| Arc::clone(&parsed.documents))
    }

    /// Gives back the memory.
    pub fn forget(&self) {
        *self.0.lock() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_the_last_text_and_what_it_was_read_as() {
        let recent = Recent::default();
        let (yaml, json, other) = (Path::new("a.yaml"), Path::new("a.json"), Path::new("b.yml"));
        let one = r#"{"a": 1}"#;
        let documents = recent.parse(yaml, one).unwrap();
        for file in [yaml, other] {
            assert!(Arc::ptr_eq(&documents, &recent.parse(file, one).unwrap()));
            assert!(Arc::ptr_eq(&documents, &recent.read(file, one).unwrap()));
        }
        assert!(!Arc::ptr_eq(&documents, &recent.read(json, one).unwrap()));

        // What is one thing as JSON is another as YAML, and here none at all.
        let two = r#"{"a": 1} {"a": 2}"#;
        assert_eq!(recent.parse(json, two).unwrap().len(), 2);
        assert!(recent.parse(yaml, two).is_err() && recent.read(yaml, two).is_err());
        assert!(!Arc::ptr_eq(&documents, &recent.read(yaml, one).unwrap()));

        let documents = recent.parse(yaml, one).unwrap();
        recent.forget();
        assert!(!Arc::ptr_eq(&documents, &recent.read(yaml, one).unwrap()));
    }
}
