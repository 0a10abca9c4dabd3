//! The settings of the environment, which the hosted API has in its dashboard: an extension.

use std::sync::Arc;

use axum::{Json, Router, routing::get};
use serde::{Deserialize, Serialize};

use super::{
    Error,
    body::{Body, Findings, present},
    context::{self, Context},
    id::Prefix,
    memberships,
    shapes::SEEDED_ROLE,
};
use crate::{
    graph::facts::{self, ENVIRONMENT_NAME, Fact, Kind, Name, ORGANIZATION, ObjectRef},
    server::Server,
    store::{
        self, Draft, Item, Naming, View,
        spec::{EnvironmentSpec, NameRef, RoleSpec, Undeclared, UndeclaredPolicy},
    },
};

/// How often the settings are tried to be created and then changed, where others do the same.
const ATTEMPTS: usize = 5;

pub fn routes() -> Router<Arc<Server>> {
    Router::new().route("/authorization/environment", get(read).patch(update))
}

/// The settings, as they are told.
#[derive(Debug, Serialize)]
struct Settings {
    object: &'static str,
    multiple_roles: bool,
    default_role_slug: Option<Name>,
    role_priority: Vec<String>,
    undeclared: UndeclaredThings,
}

/// What becomes of what is used but not declared.
#[derive(Debug, Serialize)]
struct UndeclaredThings {
    memberships: Policy,
    resource_types: Policy,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Policy {
    Allow,
    Deny,
}

impl From<facts::Undeclared> for Policy {
    fn from(policy: facts::Undeclared) -> Self {
        match policy {
            facts::Undeclared::Allow => Self::Allow,
            facts::Undeclared::Deny => Self::Deny,
        }
    }
}

impl From<Policy> for UndeclaredPolicy {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::Allow => Self::Allow,
            Policy::Deny => Self::Deny,
        }
    }
}

impl Settings {
    fn of(view: &View<'_>) -> Result<Self, Error> {
        let facts::Environment {
            multiple_roles,
            default_role,
            role_priority,
            undeclared_memberships,
            undeclared_resource_types,
            role_mappings: _,
        } = declared(view)?;
        let default_role = default_role.map(|name| view.get::<facts::Role>(&name).map_or(name, |role| role.fact.slug));
        Ok(Self {
            object: "environment_settings",
            multiple_roles,
            default_role_slug: default_role,
            role_priority: role_priority.iter().map(|name| shown_role(view, name)).collect(),
            undeclared: UndeclaredThings {
                memberships: undeclared_memberships.into(),
                resource_types: undeclared_resource_types.into(),
            },
        })
    }
}

/// What the `Environment` says, or what holds where there is none.
fn declared(view: &View<'_>) -> Result<facts::Environment, Error> {
    let declared = view.graph().object(&environment_object()).filter(|declared| !declared.deleting);
    match declared.map(|declared| declared.fact) {
        Some(Fact::Environment(said)) => Ok(said),
        Some(Fact::Invalid { problem, .. }) => Err(Error::conflict(
            "invalid_environment",
            format!("The settings of this environment cannot be used: its Environment `{ENVIRONMENT_NAME}`: {problem}"),
        )),
        _ => Ok(facts::Environment::default()),
    }
}

/// A role in the order of priority: by its slug where that means it, else by its name, else by its id.
fn shown_role(view: &View<'_>, name: &Name) -> String {
    let Some(role) = view.get::<facts::Role>(name) else { return name.to_string() };
    let means_it = |text: &str| any_role(view, text).is_some_and(|meant| meant.name == role.name);
    let texts = [&role.fact.slug, name].map(Name::as_str);
    texts.into_iter().find(|text| means_it(text)).map_or_else(|| Prefix::Role.id(role.id).to_string(), str::to_owned)
}

/// The environment's role of a slug, or else any role of a name or an id.
fn any_role(view: &View<'_>, text: &str) -> Option<Item<facts::Role>> {
    context::role(view, None, text).or_else(|| context::find(view, Prefix::Role, text))
}

async fn read(context: Context) -> Result<Json<Settings>, Error> {
    Settings::of(&context.snapshot().view()).map(Json)
}

#[derive(Debug, Deserialize)]
struct UpdateSettings {
    multiple_roles: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    default_role_slug: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    role_priority: Option<Option<Vec<String>>>,
    #[serde(default)]
    undeclared: UpdateUndeclared,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct UpdateUndeclared {
    memberships: Option<Policy>,
    resource_types: Option<Policy>,
}

async fn update(context: Context, Body(body): Body<UpdateSettings>) -> Result<Json<Settings>, Error> {
    let mut findings = Findings::default();
    if body.default_role_slug.as_ref().is_some_and(|slug| slug.as_deref() == Some("")) {
        findings.add("default_role_slug", "default_role_slug should not be empty: use null for none");
    }
    findings.done()?;
    edit(&context, |view, spec| {
        let UpdateSettings { multiple_roles, default_role_slug, role_priority, undeclared } = &body;
        if let Some(multiple_roles) = multiple_roles {
            spec.multiple_roles = *multiple_roles;
        }
        if let Some(slug) = default_role_slug {
            spec.default_role_ref = match slug {
                None => None,
                Some(slug) => Some(reference(&memberships::organization_role(view, None, slug)?)),
            };
        }
        if let Some(roles) = role_priority {
            let named = |text: &String| any_role(view, text).ok_or_else(|| Error::invalid_role(text));
            let roles = roles.iter().flatten().map(named).collect::<Result<Vec<_>, _>>()?;
            spec.role_priority = roles.into_iter().map(|role| role.name.to_string()).collect();
        }
        let Undeclared { memberships, resource_types } = &mut spec.undeclared;
        for (said, now) in [(undeclared.memberships, memberships), (undeclared.resource_types, resource_types)] {
            if let Some(policy) = said {
                *now = policy.into();
            }
        }
        Ok(())
    })
    .await?;
    Settings::of(&context.snapshot().view()).map(Json)
}

fn environment_object() -> ObjectRef {
    ObjectRef { kind: Kind::Environment, name: ENVIRONMENT_NAME.into() }
}

fn reference(role: &Item<facts::Role>) -> NameRef {
    NameRef { name: role.name.to_string() }
}

/// Changes the settings, which may not be declared yet.
///
/// # Errors
/// Those of `change`, and those of the store.
pub async fn edit(
    context: &Context,
    change: impl Fn(&View<'_>, &mut EnvironmentSpec) -> Result<(), Error> + Send + Sync,
) -> Result<(), Error> {
    let (store, environment, object) = (context.store(), context.environment(), environment_object());
    let mut attempt = 0;
    loop {
        attempt += 1;
        match context.edit(&object, &change).await {
            Err(Error::Store(store::Error::NotFound { object: missing })) if missing == object => {}
            done => return done,
        }
        let created = store.create(environment, |view| {
            if view.get::<facts::Environment>(ENVIRONMENT_NAME).is_some() {
                return Err(store::Error::AlreadyExists { object: object.clone() }.into());
            }
            let mut spec = EnvironmentSpec::default();
            change(view, &mut spec)?;
            Ok(Draft::new(Naming::Exactly(object.name.clone()), spec))
        });
        match created.await {
            // Somebody else created it meanwhile: it is to be changed then.
            Err(Error::Store(store::Error::AlreadyExists { object: taken }))
                if taken == object && attempt < ATTEMPTS => {}
            done => return done.map(drop),
        }
    }
}

/// Sees to it that memberships without a role have a default role, as they have in the hosted API from the beginning: where
/// none is named, it is the role `member`, which permits nothing until somebody lets it.
///
/// To be done before the first organization or membership is created, so that a request that is cut off in between is completed
/// by repeating it. Where the environment does not take it, what is to be created does without.
///
/// # Errors
/// Where nothing can be written at all just now.
pub async fn seed_default_role(context: &Context) -> Result<(), Error> {
    if context.snapshot().view().graph().default_role_is_set() {
        return Ok(());
    }
    match try_to_seed(context).await {
        Err(Error::Store(error @ (store::Error::ReadOnly { .. } | store::Error::Unavailable { .. }))) => {
            Err(error.into())
        }
        Err(error) => {
            tracing::warn!(environment = context.environment(), %error, "the default role cannot be declared");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

async fn try_to_seed(context: &Context) -> Result<(), Error> {
    let seeded = |view: &View<'_>| view.graph().find_role(SEEDED_ROLE, None);
    if seeded(&context.snapshot().view()).is_none() {
        let role = || RoleSpec {
            slug: Some(SEEDED_ROLE.to_owned()),
            resource_type: ORGANIZATION.to_owned(),
            permissions: Vec::new(),
            organization_ref: None,
            display_name: Some("Member".to_owned()),
            description: Some("The role of memberships that have no other.".to_owned()),
        };
        let naming = Naming::After { called: SEEDED_ROLE.to_owned(), identity: SEEDED_ROLE.to_owned() };
        let created = context.store().create(context.environment(), |view| match seeded(view) {
            None => Ok(Draft::new(naming.clone(), role())),
            Some(name) => Err(store::Error::AlreadyExists { object: ObjectRef { kind: Kind::Role, name } }.into()),
        });
        match created.await {
            Ok(_) | Err(Error::Store(store::Error::AlreadyExists { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    edit(context, |view, spec| {
        if spec.default_role_ref.is_none() {
            spec.default_role_ref = Some(reference(&memberships::organization_role(view, None, SEEDED_ROLE)?));
        }
        Ok(())
    })
    .await
}
