//! The objects of an environment, and what is wrong with them.

use axum::{http::Uri, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    graph::{
        facts::{Kind, Timestamp},
        query::{self, ObjectFilter},
    },
    server::{
        Error,
        answer::Reason,
        environment::Environment,
        extract::Parameters,
        openapi::{Failures, InEnvironment},
        paging::{List, Paging},
    },
};

/// The objects of the environment, by kind and name, each with what is wrong with it.
#[utoipa::path(
    get,
    path = "/environments/{namespace}/v1/objects",
    tag = "Lists",
    params(InEnvironment, ObjectsParameters),
    responses((status = 200, description = "A page of objects.", body = List<DeclaredObject>), Failures)
)]
pub async fn objects(
    environment: Environment,
    uri: Uri,
    Parameters(parameters): Parameters<ObjectsParameters>,
) -> Result<Response, Error> {
    let paging = Paging::new(&uri, parameters.limit, parameters.cursor.as_deref())?;
    let filter = ObjectFilter {
        kind: parameters.kind.as_deref().map(kind).transpose()?,
        only_problems: parameters.problems.unwrap_or_default(),
    };
    let page = environment.read().objects(filter, paging.request(), Timestamp::now());
    Ok(paging.respond(&page, DeclaredObject::from))
}

fn kind(name: &str) -> Result<Kind, Error> {
    Kind::named(name).ok_or_else(|| {
        let kinds = Kind::ALL.map(Kind::as_str).join(", ");
        Error::field("kind", format!("must be one of {kinds}"))
    })
}

/// Which objects.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ObjectsParameters {
    /// Only those of this kind.
    #[param(example = "Resource")]
    kind: Option<String>,
    /// Only those that have no effect, or a part that has none.
    problems: Option<bool>,
    /// How many items a page has at the most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

/// An object and whether it has effect.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "kind": "Resource",
    "name": "website",
    "effective": false,
    "reasons": [{
        "code": "ResourceNotFound",
        "message": "Resource `engineering` does not exist; create it or correct the reference"
    }],
    "warnings": []
}))]
pub struct DeclaredObject<'a> {
    /// Its kind.
    kind: &'a str,
    /// Its name.
    name: &'a str,
    /// Whether it has effect.
    effective: bool,
    /// Why it has none.
    reasons: Vec<Reason>,
    /// Parts of it that have none.
    warnings: Vec<Reason>,
}

impl<'a> From<&'a query::ObjectItem> for DeclaredObject<'a> {
    fn from(item: &'a query::ObjectItem) -> Self {
        let query::ObjectItem { object, diagnosis } = item;
        Self {
            kind: object.kind.as_str(),
            name: &object.name,
            effective: diagnosis.is_effective(),
            reasons: diagnosis.inert.iter().map(Reason::from).collect(),
            warnings: diagnosis.warnings.iter().map(Reason::from).collect(),
        }
    }
}
