//! The text of a manifest in which documents are changed and nothing else.

use std::{collections::BTreeMap, ops::Range, path::Path, sync::Arc};

use serde_json::Value;

use crate::{
    graph::facts::{Name, ObjectRef, Timestamp},
    source::directory::{
        Declaration, Position,
        document::Node,
        manifest::{self, Manifest},
    },
    store::Error,
};

/// The text of a manifest, read.
#[derive(Debug)]
pub struct Text<'a> {
    file: &'a Path,
    text: &'a str,
    documents: Vec<Node>,
    manifest: Manifest,
}

/// What becomes of documents, by their place in the file; none: they go.
pub type Edits = BTreeMap<Vec<usize>, Option<Value>>;

impl<'a> Text<'a> {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// Where that cannot be done.
    pub fn parse(file: &'a Path, text: &'a str, default_environment: &Name) -> Result<Self, Error> {
        let documents = manifest::parse(file, text).map_err(|error| {
            let Position { line, column } = error.position.unwrap_or(Position { line: 1, column: 1 });
            let problem = format!("`{}:{line}:{column}`: {}; mend the file first", file.display(), error.message);
            Error::ReadOnly { problem }
        })?;
        let manifest = Manifest::of(&Arc::from(file), &documents, default_environment, Timestamp::UNIX_EPOCH);
        Ok(Self { file, text, documents, manifest })
    }

    /// Where an object is declared, and the document that does so.
    ///
    /// # Errors
    /// Where it is declared more than once.
    pub fn find(&self, environment: &Name, object: &ObjectRef) -> Result<Option<(&Declaration, &Node)>, Error> {
        let is_it = |it: &&Declaration| it.environment == *environment && it.object_ref() == *object;
        let mut found = self.manifest.declarations.iter().filter(is_it);
        let Some(first) = found.next() else { return Ok(None) };
        if let Some(second) = found.next() {
            let problem =
                format!("{object} is declared at {} and again at {}; remove one of the two", first.place, second.place);
            return Err(Error::ReadOnly { problem });
        }
        let mut node = self.documents.get(first.path[0]);
        for &index in &first.path[1..] {
            node = node.and_then(|list| list.get("items")?.items()?.get(index));
        }
        Ok(node.map(|node| (first, node)))
    }

    /// The text after edits. None: nothing but comments would be left.
    ///
    /// # Errors
    /// Where nobody but a person can make them without touching anything else.
    pub fn edited(&self, edits: &Edits) -> Result<Option<String>, Error> {
        let mut text = self.text.to_owned();
        for (path, edit) in edits.iter().rev() {
            let (&[index], false) = (path.as_slice(), manifest::is_json(self.file)) else {
                return Err(self.for_people());
            };
            let range = self.range(index).ok_or_else(|| self.for_people())?;
            let new = edit.as_ref().map(to_yaml).unwrap_or_default();
            text.replace_range(range, &new);
        }
        let documents = manifest::parse(self.file, &text).map_err(|_| self.for_people())?;
        let wanted: Vec<Value> = self
            .documents
            .iter()
            .enumerate()
            .filter_map(|(index, node)| edits.get([index].as_slice()).cloned().unwrap_or_else(|| Some(node.to_value())))
            .collect();
        if documents.iter().map(Node::to_value).ne(wanted.iter().cloned()) {
            return Err(self.for_people());
        }
        Ok((!wanted.is_empty()).then_some(text))
    }

    /// The bytes of a document.
    fn range(&self, index: usize) -> Option<Range<usize>> {
        let begin = self.documents[index].offset?;
        let mut end = begin;
        for line in self.text.get(begin..)?.split_inclusive('\n') {
            if line.starts_with("---") || line.starts_with("...") {
                break;
            }
            end += line.len();
        }
        Some(begin..end)
    }

    fn for_people(&self) -> Error {
        let problem = format!(
            "`{}` is written in a way that only a person can change without harm to the rest of it; change it yourself, or put \
             each object into a YAML document of its own",
            self.file.display()
        );
        Error::ReadOnly { problem }
    }
}

/// A value as YAML, in lines of their own.
pub fn to_yaml(value: &Value) -> String {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    // INVARIANT: whatever is JSON is YAML.
    #[expect(clippy::expect_used, reason = "unreachable, see the invariant")]
    serde_saphyr::to_string_with_options(value, options).expect("JSON as YAML")
}
