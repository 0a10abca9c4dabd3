//! `Resource`: one thing that access is granted on.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{
    NameRef, ORGANIZATION, Problem, Status, Validate, limits,
    rules::{immutable, immutable_or_name, rule},
};

/// The annotation of a Resource that says what its deletion does with what depends on it.
pub const DELETION_ANNOTATION: &str = "authz.bailiwick.dev/deletion";

/// The value of [`DELETION_ANNOTATION`] with which nothing is cascaded: whatever depends on the Resource has to be deleted first.
pub const RESTRICT: &str = "Restrict";

const ORGANIZATION_WITH_PARENT: &str = "an organization is the root of its tree: remove parentRef";
const WITHOUT_PARENT: &str = "every resource but an organization has a parent: name the resource above this one";
const OWN_PARENT: &str = "a resource cannot be its own parent: name the resource above it";

/// One thing that access is granted on. Resources form a forest: each tree has an organization as its root, and a
/// role granted on a resource counts on everything below it.
#[derive(Clone, CustomResource, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "authz.bailiwick.dev",
    version = "v1alpha1",
    kind = "Resource",
    namespaced,
    status = "Status",
    shortname = "azres",
    category = "authz",
    doc = "A Resource is one thing that access is granted on: an organization, or something within one.",
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.type"),
    printcolumn(name = "Parent", type_ = "string", json_path = ".spec.parentRef.name"),
    printcolumn(name = "External ID", type_ = "string", json_path = ".spec.externalId", priority = "1"),
    selectable = ".spec.type",
    selectable = ".spec.parentRef.name",
    selectable = ".spec.externalId",
    validation = immutable_or_name("externalId"),
    validation = rule(
        ".spec.parentRef.name",
        "!has(self.spec.parentRef) || self.spec.parentRef.name != self.metadata.name",
        Reason::FieldValueInvalid,
        OWN_PARENT,
    )
)]
#[x_kube(
    validation = immutable("type"),
    validation = rule(
        ".parentRef",
        format!("self.type != '{ORGANIZATION}' || !has(self.parentRef)"),
        Reason::FieldValueForbidden,
        ORGANIZATION_WITH_PARENT,
    ),
    validation = rule(
        ".parentRef",
        format!("self.type == '{ORGANIZATION}' || has(self.parentRef)"),
        Reason::FieldValueRequired,
        WITHOUT_PARENT,
    )
)]
#[serde(rename_all = "camelCase")]
pub struct ResourceSpec {
    /// Type of the resource, such as `project`. `organization` is built in: the root of a tree. Immutable.
    #[serde(rename = "type")]
    #[schemars(transform = &limits::RESOURCE_TYPE)]
    pub type_: String,
    /// The resource above this one. Required, but for an organization, which has none. Changing it moves the resource
    /// with everything below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_ref: Option<NameRef>,
    /// Id by which the application knows the resource, unique per organization and type. Default: the object's
    /// name. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = &limits::EXTERNAL_ID)]
    pub external_id: Option<String>,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = &limits::DISPLAY_NAME)]
    pub display_name: Option<String>,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = &limits::DESCRIPTION)]
    pub description: Option<String>,
}

impl Validate for ResourceSpec {
    fn validate(&self, name: &str) -> Result<(), Problem> {
        let Self { type_, parent_ref, external_id, display_name, description } = self;
        limits::OBJECT_NAME.check("metadata.name", name)?;
        limits::RESOURCE_TYPE.check("spec.type", type_)?;
        NameRef::check_optional("spec.parentRef", parent_ref.as_ref())?;
        limits::EXTERNAL_ID.check_optional("spec.externalId", external_id.as_deref())?;
        limits::DISPLAY_NAME.check_optional("spec.displayName", display_name.as_deref())?;
        limits::DESCRIPTION.check_optional("spec.description", description.as_deref())?;
        match (type_ == ORGANIZATION, parent_ref) {
            (true, Some(_)) => Err(Problem::new("spec.parentRef", ORGANIZATION_WITH_PARENT)),
            (false, None) => Err(Problem::new("spec.parentRef", WITHOUT_PARENT)),
            (false, Some(parent)) if parent.name == name => Err(Problem::new("spec.parentRef.name", OWN_PARENT)),
            (true, None) | (false, Some(_)) => Ok(()),
        }
    }
}
