//! The text of a manifest in which documents are changed and nothing else.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use serde_json::Value;

use super::edit::Patch;
use crate::{
    graph::facts::{Name, ObjectRef, Timestamp},
    source::directory::{
        Declaration, Position,
        document::Node,
        manifest::{self, DocumentPath, Manifest},
        recent::Recent,
    },
    store::Error,
};

/// The text of a manifest, read.
#[derive(Debug)]
pub struct Text<'a> {
    file: &'a Path,
    content: &'a str,
    recent: &'a Recent,
    documents: Arc<[Node]>,
    manifest: Manifest,
}

/// What becomes of documents, by their place in the file; none: they go.
pub type Edits = BTreeMap<DocumentPath, Option<Value>>;

impl<'a> Text<'a> {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// Where that cannot be done.
    pub fn parse(file: &'a Path, text: &'a str, recent: &'a Recent, default_environment: &Name) -> Result<Self, Error> {
        let documents = recent.parse(file, text).map_err(|error| {
            let Position { line, column } = error.position.unwrap_or(Position { line: 1, column: 1 });
            let problem = format!("`{}:{line}:{column}`: {}; mend the file first", file.display(), error.message);
            Error::ReadOnly { problem }
        })?;
        let manifest = Manifest::of(&Arc::from(file), &documents, default_environment, Timestamp::UNIX_EPOCH);
        Ok(Self { file, content: text, recent, documents, manifest })
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

    /// Where the objects are declared, each with the document of the one after it.
    #[cfg(fuzzing)]
    pub fn neighbours(&self) -> Vec<(DocumentPath, Value)> {
        let documents = self.documents.iter().cycle().skip(1).map(Node::to_value);
        self.manifest.declarations.iter().map(|declaration| declaration.path.clone()).zip(documents).collect()
    }

    /// The text after edits. None: nothing but comments would be left.
    ///
    /// # Errors
    /// Where nobody but a person can make them without touching anything else.
    pub fn edited(&self, edits: &Edits) -> Result<Option<String>, Error> {
        let mut wanted: Vec<Option<Value>> = self.documents.iter().map(|node| Some(node.to_value())).collect();
        // From behind, so that the places of what comes before stay what they are.
        for (path, edit) in edits.iter().rev() {
            put(&mut wanted, path, edit.clone()).ok_or_else(|| self.for_people())?;
        }
        let left: Vec<&Value> = wanted.iter().flatten().collect();
        if left.is_empty() {
            return Ok(None);
        }
        // A list is not written anew for the sake of an object in it.
        let may_rewrite = edits.keys().all(|path| path.len() == 1);
        [false, true]
            .into_iter()
            .filter(|whole| !whole || may_rewrite)
            .map(|whole| self.patched(&wanted, whole))
            // Whatever has gone wrong, the text says that and nothing else, or it is not written.
            .find(|text| {
                let read = self.recent.parse(self.file, text);
                read.is_ok_and(|read| read.iter().map(Node::to_value).eq(left.iter().copied().cloned()))
            })
            .map(Some)
            .ok_or_else(|| self.for_people())
    }

    /// The text with documents changed, or written anew as a whole.
    fn patched(&self, wanted: &[Option<Value>], whole: bool) -> String {
        let mut patch = Patch::new(self.content);
        for (node, wanted) in self.documents.iter().zip(wanted) {
            let end = self.end_of(node);
            match wanted {
                Some(wanted) if node.to_value() == *wanted => {}
                Some(wanted) if whole => patch.rewrite_document(node, wanted, end),
                Some(wanted) => patch.change_document(node, wanted, end),
                None => patch.remove_document(node, end),
            }
        }
        patch.applied()
    }

    /// Where at the latest a document ends.
    fn end_of(&self, node: &Node) -> usize {
        let begin = node.span.begin;
        if manifest::is_json(self.file) {
            let next = self.documents.iter().map(|other| other.span.begin).filter(|other| *other > begin).min();
            return next.unwrap_or(self.content.len());
        }
        let is_marker = |line: &str| {
            let rest = line.strip_prefix("---").or_else(|| line.strip_prefix("..."));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
        };
        let lines = self.content.get(begin..).unwrap_or_default().split_inclusive('\n');
        begin + lines.take_while(|line| !is_marker(line)).map(str::len).sum::<usize>()
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

/// Puts something in the place of a document, or of an item of a list; none: takes that away. None: there is no such place.
fn put(documents: &mut [Option<Value>], path: &[usize], new: Option<Value>) -> Option<()> {
    let (&first, items) = path.split_first()?;
    let root = documents.get_mut(first)?;
    let Some((&index, items)) = items.split_last() else {
        *root = new;
        return Some(());
    };
    let mut list = root.as_mut()?.get_mut("items")?;
    for &item in items {
        list = list.get_mut(item)?.get_mut("items")?;
    }
    let list = list.as_array_mut()?;
    match new {
        Some(new) => *list.get_mut(index)? = new,
        None => drop(list.remove(index)),
    }
    Some(())
}
