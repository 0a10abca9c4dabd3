//! What is to be written, and what it becomes once names are chosen and uids known.

use std::collections::BTreeMap;

use smol_str::ToSmolStr as _;

use super::{Error, NewObject, Spec, View, Write, names};
use crate::graph::facts::{Name, ORGANIZATION, ObjectRef};

/// How an object that is created is to be named.
#[derive(Clone, Debug)]
pub enum Naming {
    /// So and not otherwise.
    Exactly(Name),
    /// After what it is called, with a suffix that follows from its identity where that name is taken or referred to.
    After {
        /// What it is called.
        called: String,
        /// What tells it from all others of its kind.
        identity: String,
    },
}

/// An object that is to be created.
#[derive(Clone, Debug)]
pub struct Draft {
    /// How it is to be named.
    pub naming: Naming,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// What it says.
    pub spec: Spec,
}

impl Draft {
    /// An object without annotations.
    pub fn new(naming: Naming, spec: impl Into<Spec>) -> Self {
        Self { naming, annotations: BTreeMap::new(), spec: spec.into() }
    }
}

/// One of several writes that are to take effect together.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a request plans few of them")]
pub enum Planned {
    /// Create an object.
    Create(Draft),
    /// Delete an object and all that depends on it.
    Delete(ObjectRef),
}

/// Writes of which everything is known.
pub(super) struct Named {
    pub writes: Vec<Write>,
    /// Of the objects that are created.
    pub names: Vec<Name>,
    /// Objects under deletion that have the names which the created ones would get were they gone.
    pub vacated: Vec<ObjectRef>,
}

impl Named {
    /// Gives names to what is to be created, and uids to what is to be deleted.
    pub fn of(plan: Vec<Planned>, view: &View<'_>) -> Result<Self, Error> {
        let mut named = Self { writes: Vec::with_capacity(plan.len()), names: Vec::new(), vacated: Vec::new() };
        for planned in plan {
            let write = match planned {
                Planned::Create(Draft { naming, annotations, spec }) => {
                    let name = match naming {
                        Naming::Exactly(name) => name,
                        Naming::After { called, identity } => named.choose(&spec, &called, &identity, view),
                    };
                    named.names.push(name.clone());
                    Write::Create(NewObject { name, annotations, spec })
                }
                Planned::Delete(object) => {
                    let record = view.record(&object).ok_or_else(|| Error::NotFound { object: object.clone() })?;
                    Write::Delete { uid: record.uid.to_smolstr(), object }
                }
            };
            named.writes.push(write);
        }
        Ok(named)
    }

    fn choose(&mut self, spec: &Spec, called: &str, identity: &str, view: &View<'_>) -> Name {
        let graph = view.graph();
        let is_organization = matches!(spec, Spec::Resource(resource) if resource.type_ == ORGANIZATION);
        // Requests name organizations by either, so that no name may be the external id of another.
        let is_external_id =
            |name: &str| is_organization && !graph.resources_with_external_id(ORGANIZATION, name).is_empty();
        let is_free = |object: &ObjectRef| {
            !graph.is_name_taken(object) && !self.names.contains(&object.name) && !is_external_id(&object.name)
        };
        let mut vacated = Vec::new();
        for object in names::candidates(spec.kind(), called, identity) {
            if is_free(&object) {
                self.vacated.append(&mut vacated);
                return object.name;
            }
            if view.is_under_deletion(&object) {
                vacated.push(object);
            }
        }
        Name::default()
    }
}
