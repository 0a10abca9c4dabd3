//! Organizations: the resources at the roots of the trees.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{Json, Router, http::StatusCode, routing::get};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Error,
    annotations::{annotate, noted},
    body::{Body, Findings, Path, Query, present},
    context::{self, Context},
    environment,
    id::Prefix,
    list::{Page, PageParameters},
    shapes::{self, Organization},
};
use crate::{
    graph::facts::{self, Kind, Name, ORGANIZATION, ObjectRef},
    server::Server,
    store::{
        Draft, Item, Naming, View, names,
        spec::{DOMAINS_ANNOTATION, METADATA_ANNOTATION, ResourceSpec},
        view::Domain,
    },
};

const MAX_NAME: usize = 256;
const MAX_EXTERNAL_ID: usize = 128;
const MAX_DOMAINS: usize = 100;
/// The longest name that the domain name system knows.
const MAX_DOMAIN: usize = 253;
const MAX_METADATA: usize = 50;
const MAX_METADATA_KEY: usize = 40;
const MAX_METADATA_VALUE: usize = 600;

pub fn routes() -> Router<Arc<Server>> {
    Router::new()
        .route("/organizations", get(list).post(create))
        .route("/organizations/{organization}", get(read).put(update).delete(delete))
        .route("/organizations/external_id/{external_id}", get(read_by_external_id))
}

#[derive(Debug, Deserialize)]
struct OfOrganization {
    organization: String,
}

#[derive(Debug, Deserialize)]
struct OfExternalId {
    external_id: String,
}

#[derive(Debug, Deserialize)]
struct ListOrganizations {
    domains: Option<String>,
    search: Option<String>,
    #[serde(flatten)]
    page: PageParameters,
}

async fn list(context: Context, Query(query): Query<ListOrganizations>) -> Result<Json<Page<Organization>>, Error> {
    let domains: Option<BTreeSet<String>> =
        query.domains.map(|domains| domains.split(',').map(|domain| domain.trim().to_lowercase()).collect());
    let search = query.search.map(|search| search.to_lowercase());
    let is_wanted = |item: &Item<facts::Resource>| {
        let has = |domains: &BTreeSet<String>| {
            item.presentation.domains.iter().any(|has| domains.contains(&has.domain.to_lowercase()))
        };
        let is_called = |search: &String| shapes::display_name(item).to_lowercase().contains(search);
        domains.as_ref().is_none_or(has) && search.as_ref().is_none_or(is_called)
    };
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let names = view.graph().organizations();
    let get = |name: &Name| view.get(name).filter(is_wanted);
    query.page.page_of(&view, Prefix::Organization, &names, get, |item| Some(Organization::of(item))).map(Json)
}

async fn read(context: Context, Path(path): Path<OfOrganization>) -> Result<Json<Organization>, Error> {
    let snapshot = context.snapshot();
    let organization = context::organization(&snapshot.view(), &path.organization)?;
    Ok(Json(Organization::of(&organization.item)))
}

async fn read_by_external_id(context: Context, Path(path): Path<OfExternalId>) -> Result<Json<Organization>, Error> {
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let by_id =
        || Prefix::Organization.parse(&path.external_id).and(context::organization(&view, &path.external_id).ok());
    let organization = context::organization_by_external_id(&view, &path.external_id)
        .or_else(by_id)
        .ok_or_else(|| Error::not_found("Organization", &path.external_id))?;
    Ok(Json(Organization::of(&organization.item)))
}

#[derive(Debug, Deserialize)]
struct CreateOrganization {
    name: Option<String>,
    external_id: Option<String>,
    metadata: Option<Value>,
    domain_data: Option<Vec<DomainData>>,
    domains: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct DomainData {
    domain: String,
    #[serde(default)]
    state: DomainState,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum DomainState {
    #[default]
    Pending,
    Verified,
    Failed,
}

async fn create(
    context: Context,
    Body(body): Body<CreateOrganization>,
) -> Result<(StatusCode, Json<Organization>), Error> {
    let mut findings = Findings::default();
    let name = findings.required("name", body.name.as_deref(), MAX_NAME);
    let external_id = body.external_id.as_deref();
    check_external_id(&mut findings, external_id);
    let domains = read_domains(&mut findings, body.domain_data, body.domains);
    findings.done()?;
    let mut metadata = BTreeMap::new();
    merge_metadata(&mut metadata, body.metadata.as_ref())?;
    let mut annotations = BTreeMap::new();
    annotate(&mut annotations, METADATA_ANNOTATION, &metadata, metadata.is_empty());
    let domains = domains.unwrap_or_default();
    annotate(&mut annotations, DOMAINS_ANNOTATION, &domains, domains.is_empty());

    environment::seed_default_role(&context).await?;
    let created = context.store().create(context.environment(), |view| {
        if let Some(external_id) = external_id {
            check_unused(view, external_id, None)?;
        }
        let spec = ResourceSpec {
            type_: ORGANIZATION.to_owned(),
            parent_ref: None,
            external_id: external_id.map(str::to_owned),
            display_name: Some(name.to_owned()),
            description: None,
        };
        // Organizations may have one name, also when they are made at the same time: another suffix at each try.
        let (called, identity) = external_id
            .map_or_else(|| (name, names::any_identity()), |external_id| (external_id, external_id.to_owned()));
        let naming = Naming::After { called: called.to_owned(), identity };
        Ok::<_, Error>(Draft { annotations: annotations.clone(), ..Draft::new(naming, spec) })
    });
    let created = created.await?;
    Ok((StatusCode::CREATED, show(&context, &created)?))
}

#[derive(Debug, Deserialize)]
struct UpdateOrganization {
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    external_id: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    metadata: Option<Option<Value>>,
    domain_data: Option<Vec<DomainData>>,
    domains: Option<Vec<String>>,
}

async fn update(
    context: Context,
    Path(path): Path<OfOrganization>,
    Body(body): Body<UpdateOrganization>,
) -> Result<Json<Organization>, Error> {
    let mut findings = Findings::default();
    let name = body.name.as_deref().map(|name| findings.required("name", Some(name), MAX_NAME));
    let external_id = body.external_id.as_ref().map(Option::as_deref);
    check_external_id(&mut findings, external_id.flatten());
    let domains = read_domains(&mut findings, body.domain_data, body.domains);
    findings.done()?;
    let organization = context::organization(&context.snapshot().view(), &path.organization)?.item;
    let object = ObjectRef { kind: Kind::Resource, name: organization.name.clone() };
    context
        .store()
        .edit(context.environment(), &object, |view, stored| {
            if let Some(metadata) = &body.metadata {
                let mut merged: BTreeMap<String, String> = noted(&stored.annotations, METADATA_ANNOTATION);
                match metadata {
                    None => merged.clear(),
                    Some(metadata) => merge_metadata(&mut merged, Some(metadata))?,
                }
                annotate(&mut stored.annotations, METADATA_ANNOTATION, &merged, merged.is_empty());
            }
            if let Some(domains) = &domains {
                annotate(&mut stored.annotations, DOMAINS_ANNOTATION, domains, domains.is_empty());
            }
            let spec: &mut ResourceSpec = stored.spec_mut()?;
            if let Some(name) = name {
                spec.display_name = Some(name.to_owned());
            }
            if let Some(external_id) = external_id {
                change_external_id(view, spec, &object.name, external_id)?;
            }
            Ok::<_, Error>(())
        })
        .await?;
    show(&context, &object.name)
}

async fn delete(context: Context, Path(path): Path<OfOrganization>) -> Result<StatusCode, Error> {
    let organization = context::organization(&context.snapshot().view(), &path.organization)?.item;
    let object = ObjectRef { kind: Kind::Resource, name: organization.name };
    context.store().delete(context.environment(), &object).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Shows the organization of that name.
fn show(context: &Context, name: &str) -> Result<Json<Organization>, Error> {
    let snapshot = context.snapshot();
    let organization =
        context::attached(&snapshot.view(), name).ok_or_else(|| Error::not_found("Organization", name))?;
    Ok(Json(Organization::of(&organization.item)))
}

fn check_external_id(findings: &mut Findings, external_id: Option<&str>) {
    let fits =
        |id: &str| (1..=MAX_EXTERNAL_ID).contains(&id.len()) && id.chars().all(|letter| matches!(letter, ' '..='~'));
    if external_id.is_some_and(|id| !fits(id)) {
        findings.add("external_id", format!("external_id must be 1 to {MAX_EXTERNAL_ID} printable ASCII characters"));
    }
}

/// Whether no organization but `itself` goes by that external id.
fn check_unused(view: &View<'_>, external_id: &str, itself: Option<&str>) -> Result<(), Error> {
    let users = view.graph().resources_with_external_id(ORGANIZATION, external_id);
    let Some(user) = users.iter().find(|user| Some(user.as_str()) != itself) else { return Ok(()) };
    let user = view
        .get::<facts::Resource>(user)
        .map_or_else(String::new, |user| format!(" by organization '{}'", Prefix::Organization.id(user.id)));
    Err(Error::coded(
        StatusCode::BAD_REQUEST,
        "external_id_already_used",
        format!("The external ID '{external_id}' is already used{user}."),
    ))
}

/// Resources keep the external id that they were created with: applications know them by it, and one that went over to
/// another resource would carry access with it.
fn change_external_id(
    view: &View<'_>,
    spec: &mut ResourceSpec,
    name: &str,
    external_id: Option<&str>,
) -> Result<(), Error> {
    if spec.external_id.as_deref() == external_id {
        return Ok(());
    }
    if let Some(external_id) = external_id {
        check_unused(view, external_id, Some(name))?;
    }
    // Without an external id the name is one, and may be said to be.
    if spec.external_id.as_deref().unwrap_or(name) == external_id.unwrap_or(name) {
        spec.external_id = external_id.map(str::to_owned);
        return Ok(());
    }
    Err(Error::field(
        "external_id",
        "external_id cannot be changed or removed once the organization exists: leave it out, or create another organization \
         with that external_id",
    ))
}

fn read_domains(
    findings: &mut Findings,
    domain_data: Option<Vec<DomainData>>,
    domains: Option<Vec<String>>,
) -> Option<Vec<Domain>> {
    let (field, data) = match (domain_data, domains) {
        (None, None) => return None,
        (Some(data), None) => ("domain_data", data),
        (None, Some(domains)) => {
            let pending = |domain| DomainData { domain, state: DomainState::default() };
            ("domains", domains.into_iter().map(pending).collect())
        }
        (Some(_), Some(_)) => {
            findings.add("domains", "domains should not be given beside domain_data");
            return None;
        }
    };
    if data.len() > MAX_DOMAINS {
        findings.add(field, format!("{field} must have {MAX_DOMAINS} items at the most"));
    }
    let mut known = BTreeSet::new();
    let mut read = Vec::with_capacity(data.len());
    for DomainData { domain, state } in data {
        let domain = domain.to_lowercase();
        if !is_domain(&domain) {
            findings.add(field, format!("{field} must hold domains, such as example.com"));
        } else if !known.insert(domain.clone()) {
            findings.add(field, format!("{field} must not repeat '{domain}'"));
        }
        let state = match state {
            DomainState::Pending => "pending",
            DomainState::Verified => "verified",
            DomainState::Failed => "failed",
        };
        read.push(Domain { domain: domain.into(), state: state.into() });
    }
    Some(read)
}

/// Whether it could be a domain: labels of letters, also of other scripts, digits and hyphens, with dots between.
fn is_domain(text: &str) -> bool {
    let is_label =
        |label: &str| !label.is_empty() && label.chars().all(|letter| letter.is_alphanumeric() || letter == '-');
    text.len() <= MAX_DOMAIN && text.split('.').all(is_label)
}

/// Takes over the entries that are given; those that are null go.
fn merge_metadata(metadata: &mut BTreeMap<String, String>, given: Option<&Value>) -> Result<(), Error> {
    let invalid = |problem: String| Err(Error::coded(StatusCode::BAD_REQUEST, "invalid_metadata", problem));
    let entries = match given {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(entries)) => entries,
        Some(_) => return invalid("metadata must be an object of strings.".to_owned()),
    };
    for (key, value) in entries {
        if key.is_empty() || key.chars().count() > MAX_METADATA_KEY {
            return invalid(format!("metadata: every key must have 1 to {MAX_METADATA_KEY} characters."));
        }
        match value {
            Value::Null => {
                metadata.remove(key);
            }
            Value::String(value) if value.chars().count() <= MAX_METADATA_VALUE => {
                metadata.insert(key.clone(), value.clone());
            }
            _ => {
                return invalid(format!(
                    "metadata: the value of '{key}' must be a string of {MAX_METADATA_VALUE} characters at the most, or null."
                ));
            }
        }
    }
    if metadata.len() > MAX_METADATA {
        return invalid(format!("metadata must have {MAX_METADATA} keys at the most."));
    }
    Ok(())
}
