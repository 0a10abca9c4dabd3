//! The resource that a request names: by its id, or by its external id and type (rule 7).

use serde::Deserialize;

use super::{
    Error,
    body::Findings,
    context::{self, AttachedResource},
};
use crate::store::View;

/// The fields of a body, or the parameters of a query, that name a resource. Flatten it.
#[derive(Clone, Debug, Default, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names of the API's fields")]
pub struct ResourceTarget {
    resource_id: Option<String>,
    resource_external_id: Option<String>,
    resource_type_slug: Option<String>,
}

/// The same, understood.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Target<'a> {
    /// By its id.
    Id(&'a str),
    /// By its external id within an organization.
    ExternalId {
        /// Its type.
        resource_type: &'a str,
        /// Its external id.
        external_id: &'a str,
    },
}

impl ResourceTarget {
    /// The resource that is meant; none: no field is given. Half a pair, or both ways, is wrong.
    pub fn optional<'a>(&'a self, findings: &mut Findings) -> Option<Target<'a>> {
        let Self { resource_id, resource_external_id, resource_type_slug } = self;
        let fields = ["resource_id", "resource_external_id", "resource_type_slug"];
        Target::of(
            fields,
            [resource_id.as_deref(), resource_external_id.as_deref(), resource_type_slug.as_deref()],
            findings,
        )
    }

    /// The same, where one must be given. Says so to `findings` otherwise.
    pub fn required<'a>(&'a self, findings: &mut Findings) -> Option<Target<'a>> {
        let Self { resource_id, resource_external_id, resource_type_slug } = self;
        if resource_id.is_none() && resource_external_id.is_none() && resource_type_slug.is_none() {
            findings
                .add("resource_id", "resource_id, or resource_external_id and resource_type_slug, should not be empty");
            return None;
        }
        self.optional(findings)
    }
}

impl<'a> Target<'a> {
    /// What the fields `[id, external id, type]` with these values name.
    pub fn of(fields: [&'static str; 3], values: [Option<&'a str>; 3], findings: &mut Findings) -> Option<Self> {
        let [id_field, external_id_field, type_field] = fields;
        for (field, value) in fields.into_iter().zip(values) {
            if value == Some("") {
                findings.add(field, format!("{field} should not be empty"));
                return None;
            }
        }
        match values {
            [None, None, None] => None,
            [Some(id), None, None] => Some(Self::Id(id)),
            [None, Some(external_id), Some(resource_type)] => Some(Self::ExternalId { resource_type, external_id }),
            [Some(_), ..] => {
                findings.add(
                    id_field,
                    format!("{id_field} should not be given beside {external_id_field} and {type_field}"),
                );
                None
            }
            [None, None, Some(_)] => {
                findings.add(external_id_field, format!("{external_id_field} should not be empty beside {type_field}"));
                None
            }
            [None, Some(_), None] => {
                findings.add(type_field, format!("{type_field} should not be empty beside {external_id_field}"));
                None
            }
        }
    }

    /// The resource, which is in the organization of that name (rules 8, 9).
    ///
    /// # Errors
    /// 404 where there is none there.
    pub fn find(self, view: &View<'_>, organization: &str) -> Result<AttachedResource, Error> {
        match self {
            Self::Id(id) => context::resource(view, id)
                .ok()
                .filter(|resource| resource.organization == organization)
                .ok_or_else(|| Error::not_found("Resource", id)),
            Self::ExternalId { resource_type, external_id } => {
                context::resource_by_external_id(view, organization, resource_type, external_id)
            }
        }
    }
}
