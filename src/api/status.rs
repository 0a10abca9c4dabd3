//! What the operator reports about an object.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// What the operator found out about an object. Nothing is ever decided by it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Generation of the object that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,
    /// State of the object, one condition a type. `Ready` sums it up: whether the object has effect, and if not, why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "conditions")]
    pub conditions: Vec<Condition>,
}

/// The types of the conditions that the operator writes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ConditionType {
    /// Nothing in the object contradicts itself, the rules of its environment, or another object.
    Accepted,
    /// Everything that it refers to exists and has effect.
    ResolvedRefs,
    /// It is in the graph, and all that it says has effect.
    Ready,
    /// Something is wrong that only a person can mend. Absent unless true.
    Stalled,
}

impl ConditionType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Accepted, Self::ResolvedRefs, Self::Ready, Self::Stalled];

    /// As it is spelled in a status.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::ResolvedRefs => "ResolvedRefs",
            Self::Ready => "Ready",
            Self::Stalled => "Stalled",
        }
    }

    /// The one that is spelled so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|condition| condition.as_str() == name)
    }
}

/// The reason of `Ready` while the object is being deleted and something depends on it still.
pub const DEPENDENTS_REMAINING: &str = "DependentsRemaining";

/// The bounds that Kubernetes itself sets to conditions, which the schema of [`Condition`] lacks.
pub(super) fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 16,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "description": "One aspect of the state of the object.",
            "type": "object",
            "required": ["lastTransitionTime", "message", "reason", "status", "type"],
            "properties": {
                "type": {
                    "description": "What the condition is about, such as `Ready`.",
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 316,
                    "pattern": "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
                },
                "status": {
                    "description": "Whether it holds.",
                    "type": "string",
                    "enum": ["True", "False", "Unknown"]
                },
                "observedGeneration": {
                    "description": "Generation of the object that the condition describes.",
                    "type": "integer",
                    "format": "int64",
                    "minimum": 0
                },
                "lastTransitionTime": {
                    "description": "When `status` last changed.",
                    "type": "string",
                    "format": "date-time"
                },
                "reason": {
                    "description": "Why, in one word for programs.",
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 1024,
                    "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"
                },
                "message": {
                    "description": "Why, in a sentence for people.",
                    "type": "string",
                    "maxLength": 32768
                }
            }
        }
    })
}
