//! What one file declares.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use serde_json::Value;
use smallvec::SmallVec;
use uuid::Uuid;

use super::{
    document::{self, Node, Position, SyntaxError},
    problem::{Place, Problem},
    recent::Recent,
};
use crate::{
    api,
    graph::{
        Environments,
        facts::{Kind, Name, Object, ObjectRef, Timestamp},
    },
    source::{
        convert::{self, Metadata, UnknownFields},
        ledger::{Presentation, Record, ResourceVersion, Uid},
    },
};

/// The annotation with the instant at which the API last wrote an object.
pub const UPDATED_AT_ANNOTATION: &str = "authz.bailiwick.dev/updated-at";

/// What one file declares.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    /// The objects, in the order of the file. Those with problems are invalid.
    pub declarations: Vec<Declaration>,
    /// What is wrong in the file.
    pub problems: Vec<Problem>,
    /// Whether the file holds something of which cannot be told what object it declares.
    pub unclear: bool,
    /// How many objects of other API groups it holds.
    pub foreign: usize,
}

/// Where in a file a document is: which one of the file, and within that, item by item, where in lists.
pub type DocumentPath = SmallVec<[usize; 2]>;

/// One object that a file declares.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// The environment that it belongs to.
    pub environment: Name,
    /// The object.
    pub object: Arc<Object>,
    /// Where it is declared.
    pub place: Place,
    /// Where else, which makes it invalid.
    pub again: Vec<Place>,
    /// The document that declares it.
    pub path: DocumentPath,
    /// What is known of it beyond that.
    pub record: Arc<Record>,
    /// When the file was modified last, as far as is known.
    pub modified: Timestamp,
    /// The document says when the object was created.
    pub says_created: bool,
}

impl Declaration {
    /// Names the object within its environment.
    #[must_use]
    pub fn object_ref(&self) -> ObjectRef {
        ObjectRef { kind: self.object.fact.kind(), name: self.object.name.clone() }
    }
}

impl Manifest {
    /// Reads the text of a file. A text with a syntax error declares nothing at all.
    ///
    /// `modified` stands in for the times that the objects do not tell.
    pub fn parse(
        file: &Arc<Path>,
        text: &str,
        recent: &Recent,
        default_environment: &Name,
        modified: Timestamp,
    ) -> Self {
        match recent.read(file, text) {
            Ok(documents) => Self::of(file, &documents, default_environment, modified),
            Err(SyntaxError { position, message }) => {
                let message = format!("{message}; until this is mended the file declares nothing");
                Self::unreadable(Place { file: Arc::clone(file), position }, message)
            }
        }
    }

    /// Reads the documents of a file.
    pub fn of(file: &Arc<Path>, documents: &[Node], default_environment: &Name, modified: Timestamp) -> Self {
        let mut reader =
            Reader { file, default_environment, modified, path: DocumentPath::new(), manifest: Self::default() };
        reader.documents(documents);
        reader.manifest
    }

    /// Stands for something that cannot be read.
    pub fn unreadable(place: Place, message: String) -> Self {
        let problem = Problem { place, object: None, field: None, message };
        Self { problems: vec![problem], unclear: true, ..Self::default() }
    }
}

/// The documents of a file.
///
/// # Errors
/// Where the text is neither JSON nor YAML, whichever it should be.
pub fn parse(file: &Path, text: &str) -> Result<Vec<Node>, SyntaxError> {
    if is_json(file) { document::parse_json(text) } else { document::parse_yaml(text) }
}

/// Whether a file is to hold JSON.
pub fn is_json(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "json")
}

struct Reader<'a> {
    file: &'a Arc<Path>,
    default_environment: &'a Name,
    modified: Timestamp,
    /// Of what is being read.
    path: DocumentPath,
    manifest: Manifest,
}

impl Reader<'_> {
    fn documents(&mut self, documents: &[Node]) {
        for (index, document) in documents.iter().enumerate() {
            self.path.push(index);
            self.document(document);
            self.path.pop();
        }
    }

    fn document(&mut self, node: &Node) {
        let (Some(api_version), Some(kind)) = (self.identifier(node, "apiVersion"), self.identifier(node, "kind"))
        else {
            return;
        };
        if (api_version, kind) == ("v1", "List") {
            match node.get("items").and_then(Node::items) {
                Some(items) => self.documents(items),
                None => self.unclear(node, "items", "must be the list of the objects"),
            }
            return;
        }
        // Without a slash it is a version of the core group, or a group whose version was forgotten.
        let group = api_version.split_once('/').map_or(api_version, |(group, _version)| group);
        if group != api::GROUP {
            self.manifest.foreign += 1;
            return;
        }
        let Some(kind) = Kind::named(kind) else {
            let kinds = Kind::ALL.map(|kind| format!("`{kind}`")).join(", ");
            return self.unclear(
                node,
                "kind",
                format!("there is no kind `{kind}` in {}; use one of {kinds}", api::GROUP),
            );
        };
        self.object(node, kind, api_version);
    }

    fn object(&mut self, node: &Node, kind: Kind, api_version: &str) {
        let metadata = node.get("metadata");
        let Some(name) = self.identifying_text(node, "metadata.name", metadata.and_then(|m| m.get("name"))) else {
            return;
        };
        let environment = match metadata.and_then(|m| m.get("namespace")).filter(|namespace| !namespace.is_null()) {
            None => self.default_environment.clone(),
            namespace => match self.identifying_text(node, "metadata.namespace", namespace) {
                Some(namespace) => namespace.into(),
                None => return,
            },
        };

        let mut problems = self.problems_around_spec(node, api_version, &environment);
        let mut time = |field: &str| {
            time(metadata, field).unwrap_or_else(|problem| {
                problems.push(problem);
                None
            })
        };
        let (created, deleted) = (time("creationTimestamp"), time("deletionTimestamp"));
        let metadata = Metadata { name: name.into(), created, deleting: deleted.is_some() };
        let spec = node.get("spec").map_or(Value::Null, Node::to_value);
        let (mut object, wrong) = convert::object(kind, metadata.clone(), &spec, UnknownFields::Refuse);
        problems.extend(wrong);
        if !problems.is_empty() {
            object = convert::invalid(kind, metadata, &convert::summary(&problems));
        }
        let object_ref = ObjectRef { kind, name: object.name.clone() };
        for api::Problem { field, message } in problems {
            let place = self.place(node.locate(&field));
            let (object, field) = (Some(object_ref.clone()), Some(field));
            self.manifest.problems.push(Problem { place, object, field, message });
        }
        let place = self.place(node.position);
        let annotations = annotations(node);
        let created = said_created(&object, &annotations);
        self.manifest.declarations.push(Declaration {
            record: Arc::new(record(
                node,
                &environment,
                &object,
                &annotations,
                created.unwrap_or(self.modified),
                self.modified,
            )),
            says_created: created.is_some(),
            environment,
            object: Arc::new(object),
            place,
            again: Vec::new(),
            path: self.path.clone(),
            modified: self.modified,
        });
    }

    fn problems_around_spec(&self, node: &Node, api_version: &str, environment: &Name) -> Vec<api::Problem> {
        let mut problems = Vec::new();
        if api_version != api::API_VERSION {
            let message = format!("must be `{}`, not `{api_version}`", api::API_VERSION);
            problems.push(problem("apiVersion", message));
        }
        if environment != self.default_environment && !Environments::may_be_named(environment) {
            problems.push(problem(
                "metadata.namespace",
                "must be a DNS label: at most 63 lowercase letters, digits and `-`, with a letter or digit at both ends",
            ));
        }
        let unknown = node
            .entries()
            .iter()
            .filter(|entry| !matches!(entry.key.as_str(), "apiVersion" | "kind" | "metadata" | "spec" | "status"));
        problems.extend(unknown.map(|entry| {
            problem(&entry.key, "is no field of an object; correct its spelling, move it into `spec` or remove it")
        }));
        problems
    }

    /// The text of a field without which cannot be told what object this is.
    fn identifier<'n>(&mut self, document: &'n Node, field: &str) -> Option<&'n str> {
        self.identifying_text(document, field, document.get(field))
    }

    fn identifying_text<'n>(&mut self, document: &Node, field: &str, value: Option<&'n Node>) -> Option<&'n str> {
        let text = value.and_then(Node::as_str).filter(|text| !text.is_empty());
        if text.is_none() {
            let message = if value.is_some_and(|value| !value.is_null()) {
                "must be text; quote it"
            } else {
                "is missing; add it"
            };
            self.unclear(document, field, message);
        }
        text
    }

    fn unclear(&mut self, document: &Node, field: &str, message: impl Into<String>) {
        let place = self.place(document.locate(field));
        let problem = Problem { place, object: None, field: Some(field.to_owned()), message: message.into() };
        self.manifest.problems.push(problem);
        self.manifest.unclear = true;
    }

    fn place(&self, position: Position) -> Place {
        Place { file: Arc::clone(self.file), position: Some(position) }
    }
}

/// What is known of an object beyond what the graph keeps. Its uid follows from kind, namespace and name for ever.
fn record(
    node: &Node,
    environment: &Name,
    object: &Object,
    annotations: &BTreeMap<String, String>,
    created: Timestamp,
    modified: Timestamp,
) -> Record {
    let kind = object.fact.kind();
    let updated = annotated_time(annotations, UPDATED_AT_ANNOTATION).unwrap_or(modified);
    let spec = node.get("spec").map_or(Value::Null, Node::to_value);
    Record {
        uid: uid(kind, environment, &object.name),
        resource_version: version(node),
        generation: 1,
        deleting: object.deleting,
        has_finalizers: false,
        cascade_finalizer: None,
        restricted: annotations.get(api::DELETION_ANNOTATION).is_some_and(|policy| policy == api::RESTRICT),
        status: None,
        created: created.into(),
        updated: updated.max(created).into(),
        presentation: Presentation::of(kind, &spec, Some(annotations)),
    }
}

/// When a document says that its object was created: within the second that it tells, its annotation is believed.
fn said_created(object: &Object, annotations: &BTreeMap<String, String>) -> Option<Timestamp> {
    let annotated = annotated_time(annotations, api::CREATED_AT_ANNOTATION);
    match object.created {
        Some(second) => annotated.filter(|precise| precise.as_second() == second.as_second()).or(Some(second)),
        None => annotated,
    }
}

fn annotated_time(annotations: &BTreeMap<String, String>, name: &str) -> Option<Timestamp> {
    annotations.get(name)?.parse().ok()
}

/// The uid of an object: the UUID of version 5 of `authz.bailiwick.dev/KIND/NAMESPACE/NAME` in the namespace of OIDs.
fn uid(kind: Kind, environment: &str, name: &str) -> Uid {
    let text = format!("{}/{kind}/{environment}/{name}", api::GROUP);
    Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).to_string().as_str().into()
}

/// A digest of what a document says, but for comments and layout.
pub fn version(node: &Node) -> ResourceVersion {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, node.to_value().to_string().as_bytes()).simple().to_string().as_str().into()
}

/// The annotations of an object. Those that are no text are left out.
pub fn annotations(node: &Node) -> BTreeMap<String, String> {
    let annotations = node.get("metadata").and_then(|metadata| metadata.get("annotations"));
    let entries = annotations.map(Node::entries).unwrap_or_default();
    entries.iter().filter_map(|entry| Some((entry.key.clone(), entry.value.as_str()?.to_owned()))).collect()
}

fn problem(field: &str, message: impl Into<String>) -> api::Problem {
    api::Problem { field: field.to_owned(), message: message.into() }
}

/// A time in the metadata.
fn time(metadata: Option<&Node>, field: &str) -> Result<Option<Timestamp>, api::Problem> {
    let Some(value) = metadata.and_then(|metadata| metadata.get(field)).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let time = value.as_str().and_then(|text| text.parse().ok());
    time.map(Some).ok_or_else(|| problem(&format!("metadata.{field}"), "must be a time such as `2026-01-31T12:00:00Z`"))
}
