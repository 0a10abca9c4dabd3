//! What an object says for people, of which the graph has no use.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    api::{DOMAINS_ANNOTATION, METADATA_ANNOTATION, PERMISSION_TIMES_ANNOTATION},
    graph::facts::{Kind, Name, Timestamp},
};

/// What an object says for people.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Presentation {
    /// `spec.displayName`.
    pub display_name: Option<Name>,
    /// `spec.description`.
    pub description: Option<Name>,
    /// The external id that the spec of a resource gives, while the graph has the name where it gives none.
    pub external_id: Option<Name>,
    /// Whom a membership says its user is.
    pub user: Option<UserProfile>,
    /// What a type declares, in the order of the spec.
    pub permissions: Vec<PermissionProfile>,
    /// What the application noted with an organization ([`METADATA_ANNOTATION`]).
    pub metadata: BTreeMap<Name, Name>,
    /// The domains of an organization ([`DOMAINS_ANNOTATION`]).
    pub domains: Vec<Domain>,
}

/// Whom a membership says its user is.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct UserProfile {
    /// Email address.
    pub email: Option<Name>,
    /// First name.
    pub first_name: Option<Name>,
    /// Last name.
    pub last_name: Option<Name>,
}

/// What a type says of a permission.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PermissionProfile {
    /// Its slug.
    pub slug: Name,
    /// Name for people.
    pub display_name: Option<Name>,
    /// What it permits.
    pub description: Option<Name>,
    /// When it was declared, where that is noted ([`PERMISSION_TIMES_ANNOTATION`]).
    #[serde(skip)]
    pub times: Option<PermissionTimes>,
}

/// When a permission was declared, and when it last changed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PermissionTimes {
    /// When it was declared.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A domain of an organization.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Domain {
    /// Its name.
    pub domain: Name,
    /// How far it is verified: `verified`, `pending` or `failed`.
    pub state: Name,
}

impl Presentation {
    /// What an object says for people; none: nothing. What cannot be read is passed over: it has no effect but to be shown.
    #[must_use]
    pub fn of(kind: Kind, spec: &Value, annotations: Option<&BTreeMap<String, String>>) -> Option<Arc<Self>> {
        if kind.is_assignment() || kind == Kind::Environment {
            return None;
        }
        let text = |field: &str| spec.get(field).and_then(Value::as_str).map(Name::from);
        let annotation = |name: &str| annotations.and_then(|annotations| annotations.get(name));
        let mut permissions: Vec<PermissionProfile> = match spec.get("permissions") {
            Some(permissions) if kind == Kind::ResourceType => read(permissions).unwrap_or_default(),
            _ => Vec::new(),
        };
        if let Some(noted) = annotation(PERMISSION_TIMES_ANNOTATION) {
            let times: BTreeMap<Name, PermissionTimes> = serde_json::from_str(noted).unwrap_or_default();
            for permission in &mut permissions {
                permission.times = times.get(&permission.slug).copied();
            }
        }
        let presentation = Self {
            display_name: text("displayName"),
            description: text("description"),
            external_id: text("externalId").filter(|_| kind == Kind::Resource),
            user: spec
                .get("user")
                .filter(|_| kind == Kind::OrganizationMembership)
                .and_then(read)
                .filter(|user| *user != UserProfile::default()),
            permissions,
            metadata: annotation(METADATA_ANNOTATION)
                .and_then(|json| serde_json::from_str(json).ok())
                .unwrap_or_default(),
            domains: annotation(DOMAINS_ANNOTATION)
                .and_then(|json| serde_json::from_str(json).ok())
                .unwrap_or_default(),
        };
        (presentation != Self::default()).then(|| Arc::new(presentation))
    }
}

fn read<'de, T: Deserialize<'de>>(value: &'de Value) -> Option<T> {
    T::deserialize(value).ok()
}
