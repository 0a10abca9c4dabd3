//! What a call changes in which file, prepared in memory.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    slice,
};

use serde_json::{Map, Value, json};
use smol_str::ToSmolStr as _;
use uuid::Uuid;

use super::{
    edit::to_yaml,
    files::{self, Action, Original, Step},
    text::{Edits, Text},
};
use crate::{
    api::{self, CREATED_AT_ANNOTATION},
    graph::{
        Proposal, Removal,
        facts::{Name, ObjectRef, Timestamp},
    },
    source::directory::{
        Care, Declaration, Held, Place,
        document::Node,
        manifest::{self, UPDATED_AT_ANNOTATION},
    },
    store::{Error, NewObject, Spec, StoredObject, Write},
};

/// Longer names of files are shortened: file systems take no more than 255 bytes.
const MAX_FILE_STEM: usize = 200;

/// So many files may lie there already under the name that an object's file would have.
const MAX_SAME_NAMES: usize = 100;

/// An object as its file says it now.
///
/// # Errors
/// Where that cannot be told.
pub fn read(held: &mut Held<'_>, environment: &Name, object: &ObjectRef) -> Result<Option<StoredObject>, Error> {
    if let Some(stored) = read_where_known(held, environment, object)? {
        return Ok(Some(stored));
    }
    held.read_again(Care::Quick);
    read_where_known(held, environment, object)
}

fn read_where_known(held: &Held<'_>, environment: &Name, object: &ObjectRef) -> Result<Option<StoredObject>, Error> {
    let Some(known) = held.declaration(environment, object) else { return Ok(None) };
    let file = file_of(known)?;
    let Ok(text) = fs::read_to_string(file) else { return Ok(None) };
    let text = Text::parse(file, &text, held.recent(), held.default_environment())?;
    let found = text.find(environment, object)?.filter(|(declaration, _)| !declaration.object.deleting);
    found.map(|(declaration, node)| stored(declaration, node)).transpose()
}

fn stored(declaration: &Declaration, node: &Node) -> Result<StoredObject, Error> {
    let object = declaration.object_ref();
    let spec = node.get("spec").map_or(Value::Null, Node::to_value);
    let spec = Spec::read(object.kind, &spec).map_err(|error| {
        let problem = format!("what {} says of it cannot be used: {error}", declaration.place);
        Error::Invalid { object: object.clone(), problem }
    })?;
    let record = &declaration.record;
    Ok(StoredObject {
        name: object.name,
        uid: record.uid.to_smolstr(),
        resource_version: record.resource_version.to_smolstr(),
        annotations: manifest::annotations(node),
        spec,
    })
}

/// The one file that declares an object.
fn file_of(declaration: &Declaration) -> Result<&Path, Error> {
    let Declaration { place, again, .. } = declaration;
    if again.is_empty() {
        return Ok(&place.file);
    }
    let places: Vec<_> = [place].into_iter().chain(again).map(Place::to_string).collect();
    let problem = format!("{} is declared at {}; keep one of them", declaration.object_ref(), places.join(" and at "));
    Err(Error::ReadOnly { problem })
}

/// What a call changes, prepared.
#[derive(Debug)]
pub struct Changes {
    /// With the object that each is made for.
    steps: Vec<(ObjectRef, Step)>,
    /// What the files that are changed held before.
    originals: BTreeMap<PathBuf, Original>,
}

impl Changes {
    /// Prepares writes. Nothing is written yet.
    ///
    /// # Errors
    /// Those of the writes.
    pub fn prepare(held: &Held<'_>, environment: &Name, writes: &[Write]) -> Result<Self, Error> {
        let mut preparing = Preparing { held, environment, now: to_millisecond(Timestamp::now()), tasks: Vec::new() };
        for write in writes {
            match write {
                Write::Create(new) => preparing.create(new)?,
                Write::Replace(stored) => {
                    let edit = Edit::Replace(Box::new(stored.clone()));
                    preparing.change(stored.object_ref(), edit)?;
                }
                Write::Delete { object, uid } => preparing.delete(object, uid)?,
            }
        }
        preparing.changes()
    }

    /// Writes what was prepared. Where that fails, what was written before stays.
    ///
    /// # Errors
    /// Where the folder cannot be written, or somebody else was faster.
    pub fn carry_out(self) -> Result<(), Error> {
        let Self { steps, mut originals } = self;
        for (object, step) in steps {
            // What this call itself changed in an earlier step has no original any more.
            let is_touched =
                originals.remove(&step.file).is_some_and(|original| !files::is_untouched(&step.file, &original));
            if is_touched || !files::carry_out(&step)? {
                return Err(Error::Conflict { object });
            }
        }
        Ok(())
    }
}

/// What is to be done, in order.
enum Task {
    Create { object: ObjectRef, file: PathBuf, text: String },
    Change { object: ObjectRef, file: PathBuf, created: Option<Timestamp>, edit: Edit },
}

enum Edit {
    Replace(Box<StoredObject>),
    Remove,
    /// Takes a name out of a list of the spec.
    Unlist {
        field: &'static str,
        name: Name,
    },
}

struct Preparing<'a> {
    held: &'a Held<'a>,
    environment: &'a Name,
    now: String,
    tasks: Vec<Task>,
}

impl Preparing<'_> {
    fn declaration(&self, object: &ObjectRef) -> Result<&Declaration, Error> {
        let declaration = self.held.declaration(self.environment, object);
        declaration.ok_or_else(|| Error::NotFound { object: object.clone() })
    }

    fn change(&mut self, object: ObjectRef, edit: Edit) -> Result<(), Error> {
        let declaration = self.declaration(&object)?;
        let file = file_of(declaration)?.to_owned();
        // The time of the file stood in for it, and that changes now.
        let created = (!declaration.says_created).then(|| declaration.record.created.into());
        self.tasks.push(Task::Change { object, file, created, edit });
        Ok(())
    }

    fn create(&mut self, new: &NewObject) -> Result<(), Error> {
        let NewObject { name, annotations, spec } = new;
        let object = ObjectRef { kind: spec.kind(), name: name.clone() };
        let is_same = |task: &Task| matches!(task, Task::Create { object: other, .. } if *other == object);
        if self.declaration(&object).is_ok() || self.tasks.iter().any(is_same) {
            return Err(Error::AlreadyExists { object });
        }
        let mut annotations = annotations.clone();
        annotations.insert(UPDATED_AT_ANNOTATION.to_owned(), self.now.clone());
        let mut metadata = Map::from_iter([
            ("name".to_owned(), json!(name)),
            ("creationTimestamp".to_owned(), json!(self.now)),
            ("annotations".to_owned(), json!(annotations)),
        ]);
        let mut folder = self.held.root().to_owned();
        if self.environment != self.held.default_environment() {
            metadata.insert("namespace".to_owned(), json!(self.environment));
            folder.push(self.environment.as_str());
        }
        let file = self.free_file(&folder, &object)?;
        let text = to_yaml(&json!({
            "apiVersion": api::API_VERSION,
            "kind": object.kind.as_str(),
            "metadata": metadata,
            "spec": spec.to_value(),
        }));
        files::check_size(&file, &text)?;
        self.tasks.push(Task::Create { object, file, text });
        Ok(())
    }

    /// A file for an object: `KIND-NAME.yaml`, or with a number where that is taken.
    fn free_file(&self, folder: &Path, object: &ObjectRef) -> Result<PathBuf, Error> {
        let ObjectRef { kind, name } = object;
        if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte)) {
            let problem = "metadata.name: cannot be the name of a file; use lower-case letters, digits, `-` and `.`";
            return Err(Error::Invalid { object: object.clone(), problem: problem.to_owned() });
        }
        let mut stem = format!("{}-{name}", kind.as_str().to_ascii_lowercase());
        if stem.len() > MAX_FILE_STEM {
            let digest = Uuid::new_v5(&Uuid::NAMESPACE_OID, stem.as_bytes()).simple().to_string();
            stem.truncate(MAX_FILE_STEM - digest.len() - 1);
            stem = format!("{stem}-{digest}");
        }
        let is_taken = |file: &PathBuf| {
            let is_planned = |task: &Task| matches!(task, Task::Create { file: other, .. } if other == file);
            file.symlink_metadata().is_ok() || self.tasks.iter().any(is_planned)
        };
        [format!("{stem}.yaml")]
            .into_iter()
            .chain((2..MAX_SAME_NAMES).map(|number| format!("{stem}-{number}.yaml")))
            .map(|name| folder.join(name))
            .find(|file| !is_taken(file))
            .ok_or_else(|| {
                let file = folder.join(format!("{stem}.yaml"));
                let problem =
                    format!("`{}` and many files of like names are there already; remove them", file.display());
                Error::ReadOnly { problem }
            })
    }

    fn delete(&mut self, object: &ObjectRef, uid: &Name) -> Result<(), Error> {
        let record = &self.declaration(object)?.record;
        let graph = self.held.environments().get(self.environment).filter(|_| record.uid == **uid);
        let graph = graph.ok_or_else(|| Error::NotFound { object: object.clone() })?;
        let proposal = Proposal::Delete { object: object.clone(), restricted: record.restricted };
        let reasons = graph.review(&proposal, Timestamp::now()).refusals;
        if !reasons.is_empty() {
            return Err(Error::Refused { object: object.clone(), reasons });
        }
        for removal in graph.cascade_of(slice::from_ref(object)) {
            let target = removal.target();
            let edit = match removal {
                Removal::Object(_) => Edit::Remove,
                Removal::Member { member, .. } => Edit::Unlist { field: "members", name: member },
                Removal::Subgroup { subgroup, .. } => Edit::Unlist { field: "subgroups", name: subgroup },
            };
            self.change(target, edit)?;
        }
        Ok(())
    }

    /// The steps that carry out the tasks in their order. What is done to one file without another in between is one step.
    fn changes(self) -> Result<Changes, Error> {
        let Self { held, environment, now, tasks } = self;
        let mut steps = Vec::new();
        let mut originals = BTreeMap::new();
        // What the files hold after the steps so far; none: they are gone.
        let mut texts: BTreeMap<PathBuf, Option<String>> = BTreeMap::new();
        let mut tasks = tasks.into_iter().peekable();
        while let Some(task) = tasks.next() {
            let (first, file) = match task {
                Task::Create { object, file, text } => {
                    steps.push((object, Step { file, action: Action::Create(text) }));
                    continue;
                }
                Task::Change { ref object, ref file, .. } => (object.clone(), file.clone()),
            };
            if !originals.contains_key(&file) {
                let original = files::open(held.root(), &file)?;
                texts.insert(file.clone(), Some(original.text.clone()));
                originals.insert(file.clone(), original);
            }
            let Some(Some(before)) = texts.get(&file) else { continue };
            let text = Text::parse(&file, before, held.recent(), held.default_environment())?;
            let mut editing = Editing { text: &text, environment, now: &now, edits: Edits::new() };
            let is_same = |task: &Task| matches!(task, Task::Change { file: other, .. } if *other == file);
            let mut next = Some(task);
            while let Some(Task::Change { object, created, edit, .. }) = next {
                editing.edit(object, created, edit)?;
                next = tasks.next_if(is_same);
            }
            let after = text.edited(&editing.edits)?;
            if let Some(after) = &after {
                files::check_size(&file, after)?;
            }
            if after.as_ref() != Some(before) {
                let action = after.clone().map_or(Action::Remove, Action::Replace);
                steps.push((first, Step { file: file.clone(), action }));
            }
            texts.insert(file, after);
        }
        Ok(Changes { steps, originals })
    }
}

/// What is changed in one text.
struct Editing<'a> {
    text: &'a Text<'a>,
    environment: &'a Name,
    now: &'a str,
    edits: Edits,
}

impl Editing<'_> {
    fn edit(&mut self, object: ObjectRef, created: Option<Timestamp>, edit: Edit) -> Result<(), Error> {
        let Some((declaration, node)) = self.text.find(self.environment, &object)? else {
            return match edit {
                Edit::Replace(_) => Err(Error::NotFound { object }),
                // It is gone already.
                Edit::Remove | Edit::Unlist { .. } => Ok(()),
            };
        };
        let edited = self.edits.get(&declaration.path).cloned();
        let Some(mut document) = edited.unwrap_or_else(|| Some(node.to_value())) else { return Ok(()) };
        let document = match edit {
            Edit::Remove => None,
            Edit::Unlist { field, name } => {
                if let Some(Value::Array(names)) = document.pointer_mut(&format!("/spec/{field}")) {
                    names.retain(|other| *other != *name);
                }
                self.note_times(&mut document, created);
                Some(document)
            }
            Edit::Replace(after) => {
                let before = stored(declaration, node)?;
                if (&before.uid, &before.resource_version) != (&after.uid, &after.resource_version) {
                    return Err(Error::Conflict { object });
                }
                let (spec_before, spec) = (before.spec.to_value(), after.spec.to_value());
                carry_over(&mut document["spec"], &spec_before, &spec);
                carry_over(
                    &mut document["metadata"]["annotations"],
                    &json!(before.annotations),
                    &json!(after.annotations),
                );
                self.note_times(&mut document, created);
                Some(document)
            }
        };
        self.edits.insert(declaration.path.clone(), document);
        Ok(())
    }

    /// Writes down when an object was changed, and when it was created if nothing but the time of its file told that.
    fn note_times(&self, document: &mut Value, created: Option<Timestamp>) {
        let annotations = &mut document["metadata"]["annotations"];
        annotations[UPDATED_AT_ANNOTATION] = json!(self.now);
        if let Some(created) = created {
            annotations[CREATED_AT_ANNOTATION] = json!(to_millisecond(created));
        }
    }
}

/// Makes what a document says mean `after` where it meant `before`. What means the same in both stays as it is written.
fn carry_over(document: &mut Value, before: &Value, after: &Value) {
    if before == after {
        return;
    }
    let (Value::Object(fields), Value::Object(before), Value::Object(after)) = (&mut *document, before, after) else {
        *document = after.clone();
        return;
    };
    fields.retain(|key, _| after.contains_key(key) || !before.contains_key(key));
    for (key, after) in after {
        match (fields.get_mut(key), before.get(key)) {
            (_, Some(before)) if before == after => {}
            (Some(field), Some(before)) => carry_over(field, before, after),
            _ => drop(fields.insert(key.clone(), after.clone())),
        }
    }
}

/// A time, to the millisecond.
fn to_millisecond(time: Timestamp) -> String {
    format!("{time:.3}")
}
