//! What people read of roles and permissions, and the slugs that programs know them by.

use axum::http::StatusCode;
use serde::Deserialize;

use super::{
    Error,
    body::{Findings, present},
};
use crate::graph::facts::ORGANIZATION;

/// The longest slug of a role or permission, in characters.
pub const MAX_SLUG: usize = 48;

/// The longest name of a role or permission, in characters.
const MAX_NAME: usize = 48;

/// The longest description of a role or permission, in characters.
const MAX_DESCRIPTION: usize = 150;

/// What something that is created is called, and what it applies to.
#[derive(Debug, Deserialize)]
pub struct Described {
    pub slug: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    resource_type_slug: Option<String>,
}

impl Described {
    /// Notes what is wrong with it, but for the slug.
    pub fn check(&self, findings: &mut Findings) {
        findings.required("name", self.name.as_deref(), MAX_NAME);
        findings.optional("description", self.description.as_deref(), MAX_DESCRIPTION);
        if self.resource_type_slug.as_deref() == Some("") {
            findings.add("resource_type_slug", "resource_type_slug should not be empty");
        }
    }

    /// The type that it is for.
    pub fn resource_type(&self) -> &str {
        self.resource_type_slug.as_deref().unwrap_or(ORGANIZATION)
    }
}

/// There is no such type, and what to do about it.
pub fn undeclared_type(resource_type: &str) -> Error {
    Error::coded(
        StatusCode::NOT_FOUND,
        "entity_not_found",
        format!("Resource type not found: '{resource_type}'. Declare it first, as a ResourceType of that name."),
    )
}

/// What may be changed of a role or permission: what people read.
#[derive(Debug, Deserialize)]
pub struct Rewording {
    #[serde(default, deserialize_with = "present")]
    name: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    description: Option<Option<String>>,
}

impl Rewording {
    /// Whether it can be used.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn check(&self) -> Result<(), Error> {
        let mut findings = Findings::default();
        if let Some(name) = &self.name {
            findings.required("name", name.as_deref(), MAX_NAME);
        }
        if let Some(description) = &self.description {
            findings.optional("description", description.as_deref(), MAX_DESCRIPTION);
        }
        findings.done()
    }

    /// Changes these fields as far as it says.
    pub fn apply(&self, name: &mut Option<String>, description: &mut Option<String>) {
        if let Some(given) = &self.name {
            name.clone_from(given);
        }
        if let Some(given) = &self.description {
            description.clone_from(given);
        }
    }
}

/// Notes if a slug has other characters than lower-case letters, digits and those of `also`.
pub fn check_slug(findings: &mut Findings, slug: &str, also: &str) {
    let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || also.contains(letter);
    if !slug.chars().all(fits) {
        let also = also.chars().map(|letter| format!("`{letter}`")).collect::<Vec<_>>().join(", ");
        findings.add("slug", format!("slug must consist of lowercase letters, digits and {also}"));
    }
}
