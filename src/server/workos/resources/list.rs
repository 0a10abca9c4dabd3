//! Lists of resources, by what they are filtered (rule 61).

use axum::{Json, http::StatusCode};
use serde::Deserialize;

use crate::{
    graph::facts::{self, Name, ORGANIZATION},
    server::workos::{
        Error,
        body::{Findings, Query},
        context::{self, AttachedResource, Context},
        id::Prefix,
        list::{Bounds, Page, PageParameters, place_in},
        shapes,
        target::Target,
    },
    store::{Item, View},
};

/// An organization with more resources is not walked through to list them: the resources of the environment are passed
/// through in their order instead, until the page is full.
const WALKED: usize = 1_000;

/// The parameters: those that are given must all fit.
#[derive(Debug, Deserialize)]
pub struct Filter {
    organization_id: Option<String>,
    resource_type_slug: Option<String>,
    resource_external_id: Option<String>,
    parent_resource_id: Option<String>,
    parent_resource_type_slug: Option<String>,
    #[serde(alias = "parent_resource_external_id")]
    parent_external_id: Option<String>,
    #[serde(flatten)]
    page: PageParameters,
}

pub async fn list(context: Context, Query(filter): Query<Filter>) -> Result<Json<Page<shapes::Resource>>, Error> {
    let parent = filter.parent()?;
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let place = place_in(&view, Prefix::Resource);
    let show = |resource| shapes::Resource::of(&view, &resource);
    let organization = filter.organization_id.as_deref().map(|text| context::organization(&view, text));
    let Ok(organization) = organization.transpose() else {
        // What does not exist has nothing in it.
        return Ok(Json(filter.page.page(Vec::new(), place, show)?.flatten()));
    };
    let organization = organization.map(|organization| organization.item.name);
    let is_meant = |resource: &AttachedResource| {
        organization.as_ref().is_none_or(|name| *name == resource.organization) && filter.takes(resource)
    };
    let page = if let Some(candidates) = filter.candidates(&view, organization.as_ref(), parent) {
        let row = |name: &Name| context::attached(&view, name).filter(is_meant).map(AttachedResource::row);
        filter.page.page_of_rows::<facts::Resource, _, _>(&view, Prefix::Resource, &candidates, row, show)?
    } else {
        let attached = |item: Item<facts::Resource>| {
            let organization = view.graph().organization_of(&item.name)?;
            Some(AttachedResource { item, organization })
        };
        let between =
            |bounds: Bounds| view.between(bounds).filter_map(attached).filter(is_meant).map(AttachedResource::row);
        filter.page.page_in_order(between, place, show)?
    };
    Ok(Json(page.flatten()))
}

impl Filter {
    /// The parent whose children are wanted, if any is named.
    fn parent(&self) -> Result<Option<Target<'_>>, Error> {
        let mut findings = Findings::default();
        for (field, value) in [
            ("organization_id", &self.organization_id),
            ("resource_type_slug", &self.resource_type_slug),
            ("resource_external_id", &self.resource_external_id),
        ] {
            if value.as_deref() == Some("") {
                findings.add(field, format!("{field} should not be empty"));
            }
        }
        let parent = Target::of(
            ["parent_resource_id", "parent_external_id", "parent_resource_type_slug"],
            [
                self.parent_resource_id.as_deref(),
                self.parent_external_id.as_deref(),
                self.parent_resource_type_slug.as_deref(),
            ],
            &mut findings,
        );
        findings.done()?;
        let is_by_external_id = self.resource_external_id.is_some() || self.parent_external_id.is_some();
        if is_by_external_id && self.organization_id.is_none() && self.resource_type_slug.is_none() {
            return Err(Error::coded(
                StatusCode::BAD_REQUEST,
                "missing_organization_id_or_resource_type_slug",
                "An external id needs an organization_id or a resource_type_slug beside it.",
            ));
        }
        Ok(parent)
    }

    /// Resources among which are all that are meant; none: they are not that few.
    fn candidates(
        &self,
        view: &View<'_>,
        organization: Option<&Name>,
        parent: Option<Target<'_>>,
    ) -> Option<Vec<Name>> {
        let graph = view.graph();
        match (parent, &self.resource_type_slug, &self.resource_external_id, organization) {
            (Some(Target::Id(id)), ..) => {
                let parent = context::resource(view, id).ok();
                Some(parent.map_or_else(Vec::new, |parent| graph.children_of(&parent.item.name)))
            }
            (Some(Target::ExternalId { resource_type, external_id }), ..) => {
                let parents = with_external_id(view, resource_type, external_id);
                Some(parents.iter().flat_map(|parent| graph.children_of(parent)).collect())
            }
            (None, Some(resource_type), Some(external_id), _) => {
                Some(with_external_id(view, resource_type, external_id))
            }
            (None, _, _, Some(organization)) => subtree(view, organization, WALKED),
            (None, _, _, None) => None,
        }
    }

    fn takes(&self, resource: &AttachedResource) -> bool {
        let item = &resource.item;
        self.resource_type_slug.as_ref().is_none_or(|wanted| item.fact.resource_type == *wanted)
            && self.resource_external_id.as_ref().is_none_or(|wanted| has_external_id(resource, wanted))
    }
}

/// Whether a resource goes by an external id: an organization does by its id also.
fn has_external_id(resource: &AttachedResource, external_id: &str) -> bool {
    let item = &resource.item;
    item.fact.external_id == external_id
        || (resource.is_organization() && Prefix::Organization.parse(external_id) == Some(item.id))
}

/// The resources of a type that go by an external id, in whatever organization.
fn with_external_id(view: &View<'_>, resource_type: &str, external_id: &str) -> Vec<Name> {
    let mut names = view.graph().resources_with_external_id(resource_type, external_id);
    let by_id = Prefix::Organization.parse(external_id).filter(|_| resource_type == ORGANIZATION);
    names.extend(by_id.and_then(|id| view.with_id::<facts::Resource>(id)).map(|item| item.name));
    names.sort_unstable();
    names.dedup();
    names
}

/// A resource and all below it; none: they are more than `limit`.
fn subtree(view: &View<'_>, root: &Name, limit: usize) -> Option<Vec<Name>> {
    let mut names = vec![root.clone()];
    let mut next = 0;
    while let Some(name) = names.get(next) {
        names.extend(view.graph().children_of(name));
        if names.len() > limit {
            return None;
        }
        next += 1;
    }
    Some(names)
}
