//! What requests say of a role on a resource, whoever is to have it.

use serde::Deserialize;

use super::{
    Error,
    body::{Findings, present},
    context::{self, AttachedResource},
    target::{ResourceTarget, Target},
};
use crate::{
    graph::facts::{self, Timestamp},
    store::{Item, View, spec::Time},
};

/// The fields that name a role, a resource, and the end of the assignment.
#[derive(Debug, Deserialize)]
pub struct Terms {
    role_slug: Option<String>,
    #[serde(flatten)]
    target: ResourceTarget,
    /// An extension. Null: it does not end.
    #[serde(default, deserialize_with = "present")]
    expires_at: Option<Option<String>>,
}

/// The same, understood.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    role: &'a str,
    /// None: the organization.
    target: Option<Target<'a>>,
    /// When it is to end. None: that is not said; `Some(None)`: never.
    pub expiry: Option<Option<Timestamp>>,
}

/// A role and a resource that there are.
#[derive(Clone, Debug)]
pub struct Found {
    /// The role.
    pub role: Item<facts::Role>,
    /// The resource.
    pub resource: AttachedResource,
}

impl Terms {
    /// What is said, where a resource must be named. Says to `findings` what is wrong with it.
    pub fn with_resource<'a>(&'a self, findings: &mut Findings) -> Wanted<'a> {
        let target = self.target.required(findings);
        self.on(target, findings)
    }

    /// What is said, where no resource means the organization. Says to `findings` what is wrong with it.
    pub fn wanted<'a>(&'a self, findings: &mut Findings) -> Wanted<'a> {
        let target = self.target.optional(findings);
        self.on(target, findings)
    }

    fn on<'a>(&'a self, target: Option<Target<'a>>, findings: &mut Findings) -> Wanted<'a> {
        // What is too long names no role.
        let role = findings.required("role_slug", self.role_slug.as_deref(), usize::MAX);
        let expiry = self.expires_at.as_ref().map(|end| {
            let end = end.as_deref()?;
            // An object keeps whole seconds: rather too early than too late.
            let whole_seconds = |instant: Timestamp| Timestamp::from_second(instant.as_second()).ok();
            let instant = end.parse().ok().and_then(whole_seconds).filter(|instant| *instant > Timestamp::now());
            if instant.is_none() {
                findings.add(
                    "expires_at",
                    "expires_at must be an instant in the future, such as 2030-01-31T18:00:00Z, or null",
                );
            }
            instant
        });
        Wanted { role, target, expiry }
    }
}

impl Wanted<'_> {
    /// The role and the resource in an organization (rules 28, 29).
    ///
    /// # Errors
    /// 404 where there is no such role or resource.
    pub fn find(&self, view: &View<'_>, organization: &str) -> Result<Found, Error> {
        let role = context::role(view, Some(organization), self.role);
        let role = role.ok_or_else(|| Error::not_found("Role", self.role))?;
        let resource = if let Some(target) = self.target {
            target.find(view, organization)?
        } else {
            let resource = context::attached(view, organization);
            resource.ok_or_else(|| Error::not_found("Organization", organization))?
        };
        Ok(Found { role, resource })
    }

    /// The same, where the role is to be assigned.
    ///
    /// # Errors
    /// 404 where there is no such role or resource; 422 where the role is for resources of another type (rule 27).
    pub fn find_fitting(&self, view: &View<'_>, organization: &str) -> Result<Found, Error> {
        let found = self.find(view, organization)?;
        let (role, resource) = (&found.role.fact, &found.resource.item.fact);
        if role.resource_type != resource.resource_type {
            let sentence = format!(
                "role_slug must be a role for resources of type '{}', but '{}' is for those of type '{}'",
                resource.resource_type, role.slug, role.resource_type
            );
            return Err(Error::field("role_slug", sentence));
        }
        Ok(found)
    }
}

impl Found {
    /// Whether that is meant.
    pub fn is(&self, role: &str, resource: &str) -> bool {
        self.role.name == role && self.resource.item.name == resource
    }
}

/// Whether an assignment that ends then has ended.
pub fn is_over(expires_at: Option<Timestamp>) -> bool {
    expires_at.is_some_and(|end| end <= Timestamp::now())
}

/// The end of an assignment, as its spec has it.
pub fn end(expires_at: Option<Timestamp>) -> Option<Time> {
    expires_at.map(Time)
}
