//! The native JSON API of an environment, under `/environments/{namespace}/v1`: checks with their reasons,
//! explanations, and the lists of the graph.

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Error, Server,
    extract::{optional, required},
};
use crate::graph::query::{Subject, Target};

mod check;
mod explain;
mod grants;
mod lists;
mod objects;

pub(super) use check::{check, checks};

pub(super) fn routes() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::new()
        .routes(routes!(check::check))
        .routes(routes!(check::checks))
        .routes(routes!(explain::explain))
        .routes(routes!(lists::permissions))
        .routes(routes!(lists::resources))
        .routes(routes!(lists::memberships))
        .routes(routes!(lists::assignments))
        .routes(routes!(objects::objects))
}

/// Who is meant: exactly one of a membership and a user.
fn subject<'a>(membership: Option<&'a str>, user: Option<&'a str>) -> Result<Subject<'a>, Error> {
    match (optional("membership", membership)?, optional("user", user)?) {
        (Some(membership), None) => Ok(Subject::Membership(membership)),
        (None, Some(user)) => Ok(Subject::User(user)),
        (None, None) => Err(Error::field("membership", "or `user` is missing")),
        (Some(_), Some(_)) => Err(Error::field("user", "is given beside `membership`; one of the two is needed")),
    }
}

/// The fields or parameters that name a resource, each with its name and value.
struct TargetFields<'a> {
    name: (&'static str, Option<&'a str>),
    resource_type: (&'static str, Option<&'a str>),
    id: (&'static str, Option<&'a str>),
    organization: (&'static str, Option<&'a str>),
}

impl<'a> TargetFields<'a> {
    /// Which resource is meant: by its object's name, or else by type and id; none where no field is given.
    fn optional(self) -> Result<Option<Target<'a>>, Error> {
        let Self { name, resource_type, id, organization } = self;
        let Some(object) = optional(name.0, name.1)? else {
            if [resource_type, id, organization].iter().all(|(_, value)| value.is_none()) {
                return Ok(None);
            }
            return Ok(Some(Target::Id {
                resource_type: required(resource_type.0, resource_type.1)?,
                id: required(id.0, id.1)?,
                organization: optional(organization.0, organization.1)?,
            }));
        };
        match [resource_type, id, organization].into_iter().find(|(_, value)| value.is_some()) {
            Some((field, _)) => {
                Err(Error::field(field, format!("is given beside `{}`, which alone names the resource", name.0)))
            }
            None => Ok(Some(Target::Name(object))),
        }
    }

    /// The same, where a resource must be named.
    fn required(self) -> Result<Target<'a>, Error> {
        let (name, resource_type, id) = (self.name.0, self.resource_type.0, self.id.0);
        self.optional()?.ok_or_else(|| Error::field(name, format!("is missing, or else `{resource_type}` and `{id}`")))
    }
}
