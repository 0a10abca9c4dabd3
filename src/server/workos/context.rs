//! What every handler has to do with: the environment, and the things in it that requests name.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};

use super::{Error, id::Prefix};
use crate::{
    graph::facts::{self, Name, ORGANIZATION, ObjectRef},
    server::{self, Server},
    store::{Author, Item, OfKind, Snapshot, Spec, Store, StoredObject, View},
};

/// The environment that a request is about, and who asks.
#[derive(Debug)]
pub struct Context {
    server: Arc<Server>,
    store: Arc<Store>,
    author: Option<Arc<Author>>,
    environment: String,
}

impl FromRequestParts<Arc<Server>> for Context {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Error> {
        let parameters = RawPathParams::from_request_parts(parts, server)
            .await
            .map_err(|rejection| server::Error::Malformed { problem: rejection.body_text() })?;
        let named = parameters.iter().find_map(|(name, value)| (name == "namespace").then_some(value));
        let environment = named.unwrap_or(&server.config.default_environment);
        server.environment(environment)?;
        let author = parts.extensions.get::<Arc<Author>>().cloned();
        let store = match &author {
            Some(author) => Arc::new(server.store.written_by(Arc::clone(author))),
            None => Arc::clone(&server.store),
        };
        Ok(Self { environment: environment.to_owned(), server: Arc::clone(server), store, author })
    }
}

impl Context {
    /// The name of the environment.
    pub fn environment(&self) -> &str {
        &self.environment
    }

    /// What the caller is called, where that is known.
    pub fn caller(&self) -> Option<&str> {
        self.author.as_ref().map(|author| author.caller())
    }

    /// Where objects are written, for the caller.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The environment as it is now.
    pub fn snapshot(&self) -> Snapshot {
        self.server.store.snapshot(&self.environment)
    }

    /// Changes what an object says; see [`Store::edit`].
    ///
    /// # Errors
    /// Those of `change`, and those of the store.
    pub async fn edit<S>(
        &self,
        object: &ObjectRef,
        change: impl Fn(&View<'_>, &mut S) -> Result<(), Error> + Send,
    ) -> Result<(), Error>
    where
        for<'a> &'a mut S: TryFrom<&'a mut Spec>,
    {
        let change = move |view: &View<'_>, stored: &mut StoredObject| change(view, stored.spec_mut()?);
        self.store().edit(&self.environment, object, change).await
    }

    /// What the server counts.
    pub fn server(&self) -> &Server {
        &self.server
    }
}

/// A resource that is attached, so that it belongs to an organization; an organization belongs to itself.
#[derive(Clone, Debug)]
pub struct AttachedResource {
    /// The resource.
    pub item: Item<facts::Resource>,
    /// The name of its organization.
    pub organization: Name,
}

impl AttachedResource {
    /// Whether it is an organization.
    pub fn is_organization(&self) -> bool {
        self.item.fact.resource_type == ORGANIZATION
    }
}

/// The object that an id of that sort, or else a name, names.
pub fn find<F: OfKind>(view: &View<'_>, prefix: Prefix, text: &str) -> Option<Item<F>> {
    prefix.parse(text).and_then(|id| view.with_id(id)).or_else(|| view.get(text))
}

/// The resource of that name.
pub fn attached(view: &View<'_>, name: &str) -> Option<AttachedResource> {
    let organization = view.graph().organization_of(name)?;
    Some(AttachedResource { item: view.get(name)?, organization })
}

/// The organization of an id, an external id or, last, a name: external ids are what callers chose, names only follow from them.
pub fn organization(view: &View<'_>, text: &str) -> Result<AttachedResource, Error> {
    let is_one = |item: Item<facts::Resource>| attached(view, &item.name).filter(AttachedResource::is_organization);
    let with_id = Prefix::Organization.parse(text).and_then(|id| view.with_id(id)).and_then(is_one);
    let found = with_id.or_else(|| organization_by_external_id(view, text));
    found.or_else(|| view.get(text).and_then(is_one)).ok_or_else(|| Error::not_found("Organization", text))
}

/// The organization of an external id. One that was given it goes before one of which it is but the name.
pub fn organization_by_external_id(view: &View<'_>, external_id: &str) -> Option<AttachedResource> {
    let names = view.graph().resources_with_external_id(ORGANIZATION, external_id);
    let organizations = names.iter().filter_map(|name| attached(view, name));
    organizations.min_by_key(|organization| organization.item.presentation.external_id.is_none())
}

/// The membership of an id or a name, and the name of its organization, which exists.
pub fn membership(view: &View<'_>, text: &str) -> Result<Item<facts::OrganizationMembership>, Error> {
    find::<facts::OrganizationMembership>(view, Prefix::OrganizationMembership, text)
        .filter(|item| view.graph().organization_of(&item.fact.organization).is_some())
        .ok_or_else(|| Error::not_found("Organization membership", text))
}

/// The group of an id or a name, whose organization exists.
pub fn group(view: &View<'_>, text: &str) -> Result<Item<facts::Group>, Error> {
    find::<facts::Group>(view, Prefix::Group, text)
        .filter(|item| view.graph().organization_of(&item.fact.organization).is_some())
        .ok_or_else(|| Error::not_found("Group", text))
}

/// The resource of an id (that of an organization counts) or a name.
pub fn resource(view: &View<'_>, text: &str) -> Result<AttachedResource, Error> {
    find::<facts::Resource>(view, Prefix::Resource, text)
        .or_else(|| find(view, Prefix::Organization, text))
        .and_then(|item| attached(view, &item.name))
        .ok_or_else(|| Error::not_found("Resource", text))
}

/// The resource of a type and an external id in an organization, which is given by its name. An organization also goes by its
/// id and its name. The name of any other resource is no external id of it: it may be the external id of one that is gone.
pub fn resource_by_external_id(
    view: &View<'_>,
    organization: &str,
    resource_type: &str,
    external_id: &str,
) -> Result<AttachedResource, Error> {
    let found = if resource_type == ORGANIZATION {
        attached(view, organization).filter(|resource| {
            resource.item.fact.external_id == external_id
                || resource.item.name == external_id
                || Prefix::Organization.parse(external_id) == Some(resource.item.id)
        })
    } else {
        let names = view.graph().resources_with_external_id(resource_type, external_id);
        names.iter().filter_map(|name| attached(view, name)).find(|resource| resource.organization == organization)
    };
    found.ok_or_else(|| Error::not_found("Resource", external_id))
}

/// The role that a slug or an id means in an organization, or in the environment (rule 28). Its name is no slug of it: it may be the
/// slug of a role that is gone.
pub fn role(view: &View<'_>, organization: Option<&str>, text: &str) -> Option<Item<facts::Role>> {
    let usable = |item: &Item<facts::Role>| match (&item.fact.organization, organization) {
        (None, _) => true,
        (Some(of), Some(organization)) => of == organization,
        (Some(_), None) => false,
    };
    let by_slug = view.graph().find_role(text, organization).and_then(|name| view.get(&name));
    by_slug.or_else(|| Prefix::Role.parse(text).and_then(|id| view.with_id(id)).filter(usable))
}
