//! What one rule of the mapping is about, and what it asks.

use std::fmt;

use serde::Deserialize;

use super::{
    mapping::MappingError,
    review::Attributes,
    template::{OF_PATH, OF_RESOURCE, Placeholder, Template},
};
use crate::{
    graph::query::{Action, Target},
    server::check_environment_name,
};

/// What stands for all there are.
const ALL: &str = "*";

/// A rule as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WrittenRule {
    api_groups: Option<Vec<String>>,
    resources: Option<Vec<String>>,
    #[serde(rename = "nonResourceURLs")]
    non_resource_urls: Option<Vec<String>>,
    verbs: Vec<String>,
    environment: Option<String>,
    permission: String,
    resource: WrittenResource,
}

/// The resource that a rule asks about, as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenResource {
    #[serde(rename = "type")]
    resource_type: String,
    id: String,
    organization: Option<String>,
}

/// What is about some requests to the Kubernetes API, and asks one question about each.
#[derive(Clone, Debug)]
pub struct Rule {
    about: About,
    verbs: Vec<String>,
    /// None: the default environment.
    environment: Option<Template>,
    permission: Template,
    resource_type: Template,
    id: Template,
    organization: Option<Template>,
}

/// Which requests a rule is about, in the words of RBAC.
#[derive(Clone, Debug)]
enum About {
    Resources { groups: Vec<String>, resources: Vec<String> },
    Paths(Vec<String>),
}

/// A question to the graph, but for who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// None: the default environment.
    pub environment: Option<String>,
    permission: String,
    resource_type: String,
    id: String,
    organization: Option<String>,
}

impl WrittenRule {
    /// What about every request in a namespace asks for a permission on the resource that stands for the namespace.
    pub fn for_namespaces() -> Self {
        let all = || vec![ALL.to_owned()];
        Self {
            api_groups: Some(all()),
            resources: Some(all()),
            non_resource_urls: None,
            verbs: all(),
            environment: None,
            permission: "{apiGroup}/{resource}:{verb}".to_owned(),
            resource: WrittenResource {
                resource_type: "namespace".to_owned(),
                id: "{namespace}".to_owned(),
                organization: None,
            },
        }
    }

    /// The rule, if it makes sense.
    ///
    /// # Errors
    /// Which of its fields does not.
    pub fn into_rule(self) -> Result<Rule, MappingError> {
        let Self { api_groups, resources, non_resource_urls, verbs, environment, permission, resource } = self;
        let (about, known) = match (api_groups, resources, non_resource_urls) {
            (Some(groups), Some(resources), None) => {
                not_empty("apiGroups", &groups)?;
                not_empty("resources", &resources)?;
                (About::Resources { groups, resources }, OF_RESOURCE)
            }
            (None, None, Some(paths)) => {
                not_empty("nonResourceURLs", &paths)?;
                (About::Paths(paths), OF_PATH)
            }
            (_, _, Some(_)) => {
                return Err(MappingError::new("nonResourceURLs", "cannot be combined with `apiGroups` or `resources`"));
            }
            (None, _, None) => return Err(MappingError::new("apiGroups", "is missing")),
            (_, None, None) => return Err(MappingError::new("resources", "is missing")),
        };
        not_empty("verbs", &verbs)?;
        let template =
            |field, text: &str| Template::parse(text, known).map_err(|problem| MappingError::new(field, problem));
        let optional = |field, text: Option<String>| text.map(|text| template(field, &text)).transpose();
        let environment = optional("environment", environment)?;
        if let Some(environment) = &environment {
            check_environment(environment).map_err(|problem| MappingError::new("environment", problem))?;
        }
        Ok(Rule {
            about,
            verbs,
            environment,
            permission: template("permission", &permission)?,
            resource_type: template("resource.type", &resource.resource_type)?,
            id: template("resource.id", &resource.id)?,
            organization: optional("resource.organization", resource.organization)?,
        })
    }
}

fn not_empty(field: &'static str, list: &[String]) -> Result<(), MappingError> {
    if list.is_empty() {
        return Err(MappingError::new(field, "is empty: the rule would be about nothing; `*` stands for everything"));
    }
    Ok(())
}

fn check_environment(environment: &Template) -> Result<(), &'static str> {
    match environment.fixed() {
        Some(name) => check_environment_name(name),
        None if environment.is(Placeholder::Namespace) => Ok(()),
        None => Err("is neither the name of a namespace nor `{namespace}`"),
    }
}

impl Rule {
    /// What it asks about a request. None: it is not about it, or lacks something that it needs to ask.
    pub fn question(&self, attributes: &Attributes) -> Option<Question> {
        if !self.is_about(attributes) {
            return None;
        }
        let optional = |template: &Option<Template>| match template {
            None => Some(None),
            Some(template) => template.fill(attributes).map(Some),
        };
        Some(Question {
            environment: optional(&self.environment)?,
            permission: self.permission.fill(attributes)?,
            resource_type: self.resource_type.fill(attributes)?,
            id: self.id.fill(attributes)?,
            organization: optional(&self.organization)?,
        })
    }

    fn is_about(&self, attributes: &Attributes) -> bool {
        match (&self.about, attributes) {
            (About::Resources { groups, resources }, Attributes::Resource(of)) => {
                has(&self.verbs, &of.verb)
                    && has(groups, &of.group)
                    && resources.iter().any(|listed| is_of(listed, &of.resource, &of.subresource))
            }
            (About::Paths(paths), Attributes::Path(of)) => {
                has(&self.verbs, &of.verb) && paths.iter().any(|listed| is_at(listed, &of.path))
            }
            _ => false,
        }
    }
}

fn has(list: &[String], value: &str) -> bool {
    list.iter().any(|listed| listed == ALL || listed == value)
}

/// `*` is every resource and subresource, `pods/log` one subresource, `*/scale` one of every resource.
fn is_of(listed: &str, resource: &str, subresource: &str) -> bool {
    match listed.split_once('/') {
        None => listed == ALL || (listed == resource && subresource.is_empty()),
        Some((of, listed)) => (of == ALL || of == resource) && listed == subresource,
    }
}

/// `/healthz/*` is every path that begins with `/healthz/`.
fn is_at(listed: &str, path: &str) -> bool {
    listed == path || listed.strip_suffix(ALL).is_some_and(|beginning| path.starts_with(beginning))
}

impl Question {
    /// To do what.
    pub fn action(&self) -> Action<'_> {
        Action::Permission(&self.permission)
    }

    /// On what.
    pub fn target(&self) -> Target<'_> {
        Target::Id { resource_type: &self.resource_type, id: &self.id, organization: self.organization.as_deref() }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {} {}", self.permission, self.resource_type, self.id)
    }
}
