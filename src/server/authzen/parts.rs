//! What questions and searches consist of: a subject, an action and a resource.

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    graph::query::{Action, Properties, Subject, SubjectKind, Target},
    server::{
        Error,
        extract::{Object, Text, optional, properties, required},
    },
};

/// Who asks.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct EvaluationSubject<'a> {
    /// `user` or `membership`.
    #[serde(borrow, rename = "type")]
    #[schema(value_type = String, example = "user")]
    subject_type: Option<Text<'a>>,
    /// The user's id, or the membership's name.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 1024, example = "alice")]
    id: Option<Text<'a>>,
    /// What conditions know as `subject.properties`.
    #[serde(default, borrow, deserialize_with = "properties")]
    #[schema(value_type = Option<Object>)]
    pub(super) properties: Option<Properties<'a>>,
}

/// To do what.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct EvaluationAction<'a> {
    /// A permission's slug, or what follows the resource type and a colon in one: `edit` on a `project` is allowed by
    /// `edit` and by `project:edit`.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 1024, example = "edit")]
    name: Option<Text<'a>>,
    /// What conditions know as `action.properties`.
    #[serde(default, borrow, deserialize_with = "properties")]
    #[schema(value_type = Option<Object>)]
    pub(super) properties: Option<Properties<'a>>,
}

/// On what.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct EvaluationResource<'a> {
    /// The resource's type.
    #[serde(borrow, rename = "type")]
    #[schema(value_type = String, max_length = 1024, example = "project")]
    resource_type: Option<Text<'a>>,
    /// Its external id, or its object's name.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 1024, example = "website")]
    id: Option<Text<'a>>,
    /// What else is known of it.
    #[serde(borrow)]
    #[schema(value_type = Option<EvaluationResourceProperties>)]
    pub(super) properties: Option<ResourceProperties<'a>>,
}

/// What else is known of a resource: as a whole what conditions know as `resource.properties`.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct EvaluationResourceProperties<'a> {
    /// The organization (its external id or its object's name), needed where several have such a resource.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 1024, example = "acme")]
    organization: Option<Text<'a>>,
}

/// What else is known of a resource, read as far as it says which resource is meant.
#[derive(Debug)]
pub(super) struct ResourceProperties<'a> {
    /// Where it cannot be used: why.
    identifying: Result<EvaluationResourceProperties<'a>, serde_json::Error>,
    pub(super) all: Properties<'a>,
}

impl<'de: 'a, 'a> Deserialize<'de> for ResourceProperties<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&'a RawValue>::deserialize(deserializer)?.get();
        if !text.starts_with('{') {
            return Err(de::Error::custom("invalid type: expected an object"));
        }
        Ok(Self { identifying: serde_json::from_str(text), all: Properties::new(text) })
    }
}

/// A part of a question that must be there.
pub(super) fn present<'a, T>(field: &'static str, part: Option<&'a Object<T>>) -> Result<&'a T, Error> {
    part.map(|Object(part)| part).ok_or_else(|| Error::field(field, "is missing"))
}

/// A subject as the graph is asked for it.
#[derive(Debug)]
pub(super) enum AskedSubject<'a> {
    Known(Subject<'a>),
    /// There are no subjects of this type.
    OfType(&'a str),
}

impl EvaluationSubject<'_> {
    pub(super) fn asked(&self) -> Result<AskedSubject<'_>, Error> {
        let subject_type = required("subject.type", self.subject_type.as_deref())?;
        let id = required("subject.id", self.id.as_deref())?;
        Ok(subject_kind(subject_type)
            .map_or(AskedSubject::OfType(subject_type), |kind| AskedSubject::Known(kind.subject(id))))
    }
}

/// What the subjects of a type are; none: there are none.
pub(super) fn subject_kind(subject_type: &str) -> Option<SubjectKind> {
    match subject_type {
        "user" => Some(SubjectKind::User),
        "membership" => Some(SubjectKind::Membership),
        _ => None,
    }
}

impl EvaluationAction<'_> {
    pub(super) fn asked(&self) -> Result<Action<'_>, Error> {
        required("action.name", self.name.as_deref()).map(Action::Name)
    }
}

impl EvaluationResource<'_> {
    pub(super) fn asked(&self) -> Result<Target<'_>, Error> {
        Ok(Target::Id {
            resource_type: required("resource.type", self.resource_type.as_deref())?,
            id: required("resource.id", self.id.as_deref())?,
            organization: organization(self.properties.as_ref())?,
        })
    }
}

pub(super) fn organization<'a>(properties: Option<&'a ResourceProperties<'_>>) -> Result<Option<&'a str>, Error> {
    const FIELD: &str = "resource.properties.organization";
    let Some(properties) = properties else { return Ok(None) };
    match &properties.identifying {
        Ok(identifying) => optional(FIELD, identifying.organization.as_deref()),
        Err(_) => Err(Error::field(FIELD, "cannot be used: expected a string")),
    }
}
