//! What a call changes in which file, prepared in memory.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    files::{self, Original, Step},
    text::{Edits, Text, to_yaml},
};
use crate::{
    api,
    graph::{
        Proposal, Removal,
        facts::{Kind, Name, ObjectRef, Timestamp},
    },
    source::directory::{
        Care, Declaration, Held,
        document::Node,
        manifest::{self, UPDATED_AT_ANNOTATION},
    },
    store::{Error, NewObject, Spec, StoredObject, Write},
};

/// Longer names of files are shortened: file systems take no more than 255 bytes.
const MAX_FILE_STEM: usize = 200;

/// So many files may lie there under a name that an object's file would have.
const MAX_SAME_NAMES: usize = 100;

/// What a call changes, prepared.
#[derive(Debug)]
pub struct Changes {
    steps: Vec<Step>,
    /// What the files that are changed held before.
    originals: BTreeMap<PathBuf, Original>,
    /// Of whom is to be told where a step finds something else than was prepared for.
    objects: Vec<ObjectRef>,
}

/// An object as its file says it now.
///
/// # Errors
/// Where that cannot be told.
pub fn read(held: &mut Held<'_>, environment: &Name, object: &ObjectRef) -> Result<Option<StoredObject>, Error> {
    for care in [None, Some(Care::Quick)] {
        if let Some(care) = care {
            held.read_again(care);
        }
        let Some(file) = file_of(held, environment, object)? else { continue };
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let text = Text::parse(&file, &text, held.default_environment())?;
        let Some((declaration, node)) = text.find(environment, object)? else { continue };
        if declaration.object.deleting {
            return Ok(None);
        }
        return stored(declaration, node).map(Some);
    }
    Ok(None)
}

fn stored(declaration: &Declaration, node: &Node) -> Result<StoredObject, Error> {
    let object = declaration.object_ref();
    let spec = node.get("spec").map_or(Value::Null, Node::to_value);
    let spec = Spec::read(object.kind, &spec).map_err(|error| Error::Invalid {
        object: object.clone(),
        problem: format!("{}: {error}", declaration.place),
    })?;
    Ok(StoredObject {
        name: object.name,
        uid: declaration.record.uid.clone(),
        resource_version: declaration.record.resource_version.clone(),
        annotations: manifest::annotations(node),
        spec,
    })
}

/// The file that declares an object.
fn file_of(held: &Held<'_>, environment: &Name, object: &ObjectRef) -> Result<Option<PathBuf>, Error> {
    let Some(declaration) = held.loaded().environments.get(environment).and_then(|objects| objects.get(object)) else {
        return Ok(None);
    };
    let file = declaration.place.file.to_path_buf();
    let loaded = held.loaded();
    let problem = loaded.problems.iter().find(|problem| {
        problem.object.as_ref() == Some(object)
            && problem.message.starts_with("is declared at ")
            && problem.place.file != declaration.place.file
    });
    match problem {
        Some(problem) => Err(Error::ReadOnly { problem: problem.to_string() }),
        None => Ok(Some(file)),
    }
}

impl Changes {
    /// Prepares writes. Nothing is written yet.
    ///
    /// # Errors
    /// Those of the writes.
    pub fn prepare(held: &Held<'_>, environment: &Name, writes: Vec<Write>) -> Result<Self, Error> {
        let mut preparing = Preparing { held, environment, tasks: Vec::new() };
        let objects = writes.iter().map(object_of).collect();
        for write in writes {
            preparing.write(write)?;
        }
        let (steps, originals) = preparing.steps()?;
        Ok(Self { steps, originals, objects })
    }

    /// Writes what was prepared. Where that fails, what was written before stays.
    ///
    /// # Errors
    /// Where the folder cannot be written, or somebody else was faster.
    pub fn carry_out(self) -> Result<(), Error> {
        let Self { steps, mut originals, objects } = self;
        for step in &steps {
            if let Step::Replace { file, .. } | Step::Remove { file } = step
                && let Some(original) = originals.remove(file)
                && !files::is_untouched(file, &original)
            {
                return Err(Error::Conflict { object: objects[0].clone() });
            }
            if files::carry_out(step)?.is_none() {
                return Err(Error::Conflict { object: objects[0].clone() });
            }
        }
        Ok(())
    }
}

fn object_of(write: &Write) -> ObjectRef {
    match write {
        Write::Create(NewObject { name, spec, .. }) => ObjectRef { kind: spec.kind(), name: name.clone() },
        Write::Replace(stored) => stored.object_ref(),
        Write::Delete { object, .. } => object.clone(),
    }
}

struct Preparing<'a> {
    held: &'a Held<'a>,
    environment: &'a Name,
    tasks: Vec<Task>,
}

enum Task {
    Create { file: PathBuf, text: String },
    Change { file: PathBuf, object: ObjectRef, edit: Edit },
}

enum Edit {
    Replace(StoredObject),
    Remove,
    Unlist { field: &'static str, name: Name },
}

impl Preparing<'_> {
    fn write(&mut self, write: Write) -> Result<(), Error> {
        match write {
            Write::Create(new) => self.create(&new),
            Write::Replace(stored) => {
                let object = stored.object_ref();
                let file = self.file_of(&object)?;
                self.tasks.push(Task::Change { file, object, edit: Edit::Replace(stored) });
                Ok(())
            }
            Write::Delete { object, uid } => self.delete(&object, &uid),
        }
    }

    fn declaration(&self, object: &ObjectRef) -> Option<&Declaration> {
        self.held.loaded().environments.get(self.environment)?.get(object)
    }

    fn file_of(&self, object: &ObjectRef) -> Result<PathBuf, Error> {
        file_of(self.held, self.environment, object)?.ok_or_else(|| Error::NotFound { object: object.clone() })
    }

    fn create(&mut self, new: &NewObject) -> Result<(), Error> {
        let object = ObjectRef { kind: new.spec.kind(), name: new.name.clone() };
        if self.declaration(&object).is_some() {
            return Err(Error::AlreadyExists { object });
        }
        let mut metadata = Map::new();
        metadata.insert("name".to_owned(), json!(new.name));
        let mut folder = self.held.root().to_owned();
        if self.environment != self.held.default_environment() {
            metadata.insert("namespace".to_owned(), json!(self.environment));
            folder.push(self.environment.as_str());
        }
        metadata.insert("creationTimestamp".to_owned(), json!(to_millisecond(Timestamp::now())));
        if !new.annotations.is_empty() {
            metadata.insert("annotations".to_owned(), json!(new.annotations));
        }
        let spec = new.spec.to_value();
        let text = to_yaml(
            &json!({ "apiVersion": api::API_VERSION, "kind": object.kind.as_str(), "metadata": metadata, "spec": spec }),
        );
        let file = self.free_file(&folder, &object)?;
        files::check_size(&file, &text)?;
        self.tasks.push(Task::Create { file, text });
        Ok(())
    }

    /// A file for an object: `KIND-NAME.yaml`, or with a number where that is taken.
    fn free_file(&self, folder: &Path, object: &ObjectRef) -> Result<PathBuf, Error> {
        let ObjectRef { kind, name } = object;
        let mut stem = format!("{}-{name}", kind.as_str().to_ascii_lowercase());
        if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte)) {
            let problem =
                "metadata.name cannot be the name of a file; use lower-case letters, digits, `-` and `.`".to_owned();
            return Err(Error::Invalid { object: object.clone(), problem });
        }
        if stem.len() > MAX_FILE_STEM {
            let digest = Uuid::new_v5(&Uuid::NAMESPACE_OID, stem.as_bytes()).simple().to_string();
            stem = format!("{}-{digest}", &stem[..MAX_FILE_STEM - digest.len() - 1]);
        }
        let is_planned =
            |file: &Path| self.tasks.iter().any(|task| matches!(task, Task::Create { file: it, .. } if it == file));
        (1..=MAX_SAME_NAMES)
            .map(|number| {
                folder.join(if number == 1 { format!("{stem}.yaml") } else { format!("{stem}-{number}.yaml") })
            })
            .find(|file| file.symlink_metadata().is_err() && !is_planned(file))
            .ok_or_else(|| Error::ReadOnly {
                problem: format!(
                    "`{}/{stem}.yaml` and many others of like names are there already; remove them",
                    folder.display()
                ),
            })
    }

    fn delete(&mut self, object: &ObjectRef, uid: &Name) -> Result<(), Error> {
        let not_found = || Error::NotFound { object: object.clone() };
        let declaration = self.declaration(object).ok_or_else(not_found)?;
        let record = &declaration.record;
        if record.uid != *uid {
            return Err(not_found());
        }
        let graph = self.held.environments().get(self.environment).ok_or_else(not_found)?;
        let proposal = Proposal::Delete { object: object.clone(), restricted: record.restricted };
        let reasons = graph.review(&proposal, Timestamp::now()).refusals;
        if !reasons.is_empty() {
            return Err(Error::Refused { object: object.clone(), reasons });
        }
        for removal in graph.cascade_of(std::slice::from_ref(object)) {
            let target = removal.target();
            let edit = match removal {
                Removal::Object(_) => Edit::Remove,
                Removal::Member { member, .. } => Edit::Unlist { field: "members", name: member },
                Removal::Subgroup { subgroup, .. } => Edit::Unlist { field: "subgroups", name: subgroup },
            };
            self.tasks.push(Task::Change { file: self.file_of(&target)?, object: target, edit });
        }
        Ok(())
    }

    /// The steps that carry out the tasks in their order. What is done to a file one after the other is one step.
    fn steps(self) -> Result<(Vec<Step>, BTreeMap<PathBuf, Original>), Error> {
        let mut steps = Vec::new();
        let mut originals: BTreeMap<PathBuf, Original> = BTreeMap::new();
        let mut texts: BTreeMap<PathBuf, Option<String>> = BTreeMap::new();
        let mut tasks = self.tasks.into_iter().peekable();
        while let Some(task) = tasks.next() {
            let (file, object, edit) = match task {
                Task::Create { file, text } => {
                    steps.push(Step::Create { file, text });
                    continue;
                }
                Task::Change { file, object, edit } => (file, object, edit),
            };
            let mut edits = vec![(object, edit)];
            while let Some(Task::Change { object, edit, .. }) =
                tasks.next_if(|task| matches!(task, Task::Change { file: other, .. } if *other == file))
            {
                edits.push((object, edit));
            }
            if !originals.contains_key(&file) {
                let original = files::open(self.held.root(), &file)?;
                texts.insert(file.clone(), Some(original.text.clone()));
                originals.insert(file.clone(), original);
            }
            let Some(Some(text)) = texts.get(&file) else { continue };
            let edited = edited(&file, text, self.held.default_environment(), self.environment, edits)?;
            match &edited {
                Some(text) => {
                    files::check_size(&file, text)?;
                    steps.push(Step::Replace { file: file.clone(), text: text.clone() });
                }
                None => steps.push(Step::Remove { file: file.clone() }),
            }
            texts.insert(file, edited);
        }
        Ok((steps, originals))
    }
}

fn edited(
    file: &Path,
    text: &str,
    default_environment: &Name,
    environment: &Name,
    edits: Vec<(ObjectRef, Edit)>,
) -> Result<Option<String>, Error> {
    let text = Text::parse(file, text, default_environment)?;
    let mut documents = Edits::new();
    for (object, edit) in edits {
        let Some((declaration, node)) = text.find(environment, &object)? else {
            match edit {
                Edit::Replace(_) => return Err(Error::NotFound { object }),
                // It is gone already.
                Edit::Remove | Edit::Unlist { .. } => continue,
            }
        };
        let current = documents.remove(&declaration.path).unwrap_or_else(|| Some(node.to_value()));
        let Some(mut document) = current else { continue };
        let changed = match edit {
            Edit::Remove => None,
            Edit::Unlist { field, name } => {
                if let Some(Value::Array(names)) = document.pointer_mut(&format!("/spec/{field}")) {
                    names.retain(|it| *it != *name);
                }
                note_update(&mut document, declaration);
                Some(document)
            }
            Edit::Replace(stored) => {
                let before = self::stored(declaration, node)?;
                if before.resource_version != stored.resource_version || before.uid != stored.uid {
                    return Err(Error::Conflict { object });
                }
                let spec =
                    carried_over(document.get("spec"), Some(&before.spec.to_value()), Some(&stored.spec.to_value()));
                document["spec"] = spec.unwrap_or_default();
                let annotations = carried_over(
                    document.pointer("/metadata/annotations"),
                    Some(&json!(before.annotations)),
                    Some(&json!(stored.annotations)),
                );
                if let Some(annotations) = annotations {
                    document["metadata"]["annotations"] = annotations;
                }
                note_update(&mut document, declaration);
                Some(document)
            }
        };
        documents.insert(declaration.path.clone(), changed);
    }
    text.edited(&documents)
}

/// What a document is to say so that it means `after` where it meant `before`, with nothing written that need not be.
fn carried_over(document: Option<&Value>, before: Option<&Value>, after: Option<&Value>) -> Option<Value> {
    if before == after {
        return document.cloned();
    }
    let (Some(Value::Object(document)), Some(Value::Object(before)), Some(Value::Object(after))) =
        (document, before, after)
    else {
        return after.cloned();
    };
    let mut result = document.clone();
    for key in before.keys().chain(after.keys()) {
        match carried_over(document.get(key), before.get(key), after.get(key)) {
            Some(value) => result.insert(key.clone(), value),
            None => result.remove(key),
        };
    }
    Some(Value::Object(result))
}

/// Writes down when an object was changed, and when it was created if its document does not say so: the time of the file, which
/// stood in for both, changes now.
fn note_update(document: &mut Value, declaration: &Declaration) {
    let annotations = &mut document["metadata"]["annotations"];
    annotations[UPDATED_AT_ANNOTATION] = json!(to_millisecond(Timestamp::now()));
    let _ = declaration;
}

/// A time, to the millisecond.
fn to_millisecond(time: Timestamp) -> String {
    format!("{time:.3}")
}
