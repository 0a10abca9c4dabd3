//! `ResourceType`: the declaration of a type of resource.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ORGANIZATION, Problem, Status, Validate, limits,
    rules::{name_rule, rule},
};

const UNFIT_NAME: &str = "the name of a ResourceType is the slug of the type: use at most 63 characters and no dots";
const ORGANIZATION_WITH_PARENTS: &str = "an organization is the root of its tree: remove parents";
const WITHOUT_PARENTS: &str =
    "only an organization has no parent: name a type, or leave parents out for `organization`";

/// Declares a type of resource, whose slug is the object's name. A declared type is enforced: unknown permissions,
/// wrong parents and wrong scopes of roles have no effect.
#[derive(Clone, CustomResource, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "authz.bailiwick.dev",
    version = "v1alpha1",
    kind = "ResourceType",
    namespaced,
    status = "Status",
    shortname = "azrt",
    category = "authz",
    doc = "A ResourceType declares a type of resource, whose slug is the object's name.",
    printcolumn(name = "Parents", type_ = "string", json_path = ".spec.parents"),
    validation = name_rule("self.metadata.name.matches('^[a-z0-9-]{1,63}$')", UNFIT_NAME),
    validation = rule(
        ".spec.parents",
        format!("self.metadata.name != '{ORGANIZATION}' || !has(self.spec.parents) || size(self.spec.parents) == 0"),
        Reason::FieldValueForbidden,
        ORGANIZATION_WITH_PARENTS,
    ),
    validation = rule(
        ".spec.parents",
        format!("self.metadata.name == '{ORGANIZATION}' || !has(self.spec.parents) || size(self.spec.parents) > 0"),
        Reason::FieldValueRequired,
        WITHOUT_PARENTS,
    )
)]
#[serde(rename_all = "camelCase")]
pub struct ResourceTypeSpec {
    /// Types that the parent of such a resource may have. Default: `organization`. The type `organization` has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = &limits::PARENT_TYPES)]
    pub parents: Option<Vec<String>>,
    /// What can be permitted on such a resource.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = &limits::DECLARED_PERMISSIONS)]
    pub permissions: Vec<Permission>,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = &limits::DISPLAY_NAME)]
    pub display_name: Option<String>,
}

/// One thing that can be permitted.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Permission {
    /// Name by which roles and checks know it, by convention `type:action`, such as `project:edit`.
    #[schemars(transform = &limits::PERMISSION)]
    pub slug: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = &limits::DISPLAY_NAME)]
    pub display_name: Option<String>,
    /// What it permits, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = &limits::DESCRIPTION)]
    pub description: Option<String>,
}

impl ResourceTypeSpec {
    /// The types that the parent of a resource of the type called `name` may have.
    pub fn parents<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let default = (self.parents.is_none() && name != ORGANIZATION).then_some(ORGANIZATION);
        self.parents.iter().flatten().map(String::as_str).chain(default)
    }
}

impl Validate for ResourceTypeSpec {
    fn validate(&self, name: &str) -> Result<(), Problem> {
        let Self { parents, permissions, display_name } = self;
        limits::OBJECT_NAME.check("metadata.name", name)?;
        if limits::RESOURCE_TYPE.check("metadata.name", name).is_err() {
            return Err(Problem::new("metadata.name", UNFIT_NAME));
        }
        match (name == ORGANIZATION, parents.as_deref()) {
            (true, Some([_, ..])) => return Err(Problem::new("spec.parents", ORGANIZATION_WITH_PARENTS)),
            (false, Some([])) => return Err(Problem::new("spec.parents", WITHOUT_PARENTS)),
            (true | false, _) => {}
        }
        limits::PARENT_TYPES.check("spec.parents", parents.as_deref().unwrap_or_default(), String::as_str)?;
        limits::DECLARED_PERMISSIONS.check("spec.permissions", permissions, |permission| &permission.slug)?;
        for (index, Permission { slug: _, display_name, description }) in permissions.iter().enumerate() {
            let field = |name| format!("spec.permissions[{index}].{name}");
            limits::DISPLAY_NAME.check_optional(field("displayName"), display_name.as_deref())?;
            limits::DESCRIPTION.check_optional(field("description"), description.as_deref())?;
        }
        limits::DISPLAY_NAME.check_optional("spec.displayName", display_name.as_deref())
    }
}
