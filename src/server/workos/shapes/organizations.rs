//! Organizations, with their domains.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Times, display_name};
use crate::{
    graph::facts::{self, Name},
    server::workos::id::{Id, Prefix},
    store::{Item, view::Domain},
};

/// An organization.
#[derive(Debug, Serialize)]
pub struct Organization {
    object: &'static str,
    id: Id,
    name: Name,
    domains: Vec<OrganizationDomain>,
    metadata: BTreeMap<Name, Name>,
    external_id: Option<Name>,
    stripe_customer_id: Option<Name>,
    allow_profiles_outside_organization: bool,
    #[serde(flatten)]
    times: Times,
}

#[derive(Debug, Serialize)]
struct OrganizationDomain {
    object: &'static str,
    id: Id,
    organization_id: Id,
    domain: Name,
    state: Name,
    verification_strategy: &'static str,
    verification_token: Option<Name>,
    verification_prefix: Option<Name>,
    #[serde(flatten)]
    times: Times,
}

impl Organization {
    /// What is told of an organization.
    pub fn of(item: &Item<facts::Resource>) -> Self {
        let id = Prefix::Organization.id(item.id);
        let domain = |Domain { domain, state }: &Domain| OrganizationDomain {
            object: "organization_domain",
            id: Prefix::OrganizationDomain.derived(&[&id, domain]),
            organization_id: id,
            domain: domain.clone(),
            state: state.clone(),
            verification_strategy: "manual",
            verification_token: None,
            verification_prefix: None,
            times: item.into(),
        };
        Self {
            object: "organization",
            id,
            name: display_name(item),
            domains: item.presentation.domains.iter().map(domain).collect(),
            metadata: item.presentation.metadata.clone(),
            external_id: item.presentation.external_id.clone(),
            stripe_customer_id: None,
            allow_profiles_outside_organization: false,
            times: item.into(),
        }
    }
}
