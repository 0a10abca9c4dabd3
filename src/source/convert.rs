//! The one place where an object's wire format becomes a fact of the graph.

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    api::{self, Problem, Validate},
    condition::Condition,
    graph::facts::{self, Fact, Kind, Name, Object, Timestamp},
};

/// What is to be known of an object but for its kind and its spec.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// Its name.
    pub name: Name,
    /// When it was created, if that is known.
    pub created: Option<Timestamp>,
    /// Whether it is being deleted.
    pub deleting: bool,
}

/// What to do about fields that the kind does not have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UnknownFields {
    /// Leave them be, for the API server has judged them already.
    Ignore,
    /// Each is a problem.
    Refuse,
}

/// The object as the graph knows it, and what is wrong with its spec.
///
/// # Guarantees
/// An object with problems is [`Fact::Invalid`]: it grants nothing.
pub fn object(kind: Kind, metadata: Metadata, spec: &Value, unknown: UnknownFields) -> (Object, Vec<Problem>) {
    match fact(kind, &metadata.name, spec, unknown) {
        Ok(fact) => (with_fact(metadata, fact), Vec::new()),
        Err(problems) => (invalid(kind, metadata, &summary(&problems)), problems),
    }
}

/// An object that grants nothing, because of a problem.
pub fn invalid(kind: Kind, metadata: Metadata, problem: &str) -> Object {
    with_fact(metadata, Fact::Invalid { kind, problem: problem.into() })
}

/// All the problems of an object in one line.
pub fn summary(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn with_fact(Metadata { name, created, deleting }: Metadata, fact: Fact) -> Object {
    Object { name, created, deleting, fact }
}

fn fact(kind: Kind, name: &Name, spec: &Value, unknown: UnknownFields) -> Result<Fact, Vec<Problem>> {
    let read = match kind {
        Kind::Resource => read::<api::ResourceSpec>,
        Kind::Role => read::<api::RoleSpec>,
        Kind::Group => read::<api::GroupSpec>,
        Kind::GroupRoleAssignment => read::<api::GroupRoleAssignmentSpec>,
        Kind::MembershipRoleAssignment => read::<api::MembershipRoleAssignmentSpec>,
        Kind::OrganizationMembership => read::<api::OrganizationMembershipSpec>,
        Kind::ResourceType => read::<api::ResourceTypeSpec>,
        Kind::Environment => read::<api::EnvironmentSpec>,
    };
    read(name, spec, unknown)
}

fn read<S: Spec>(name: &Name, spec: &Value, unknown: UnknownFields) -> Result<Fact, Vec<Problem>> {
    if spec.is_null() {
        return Err(vec![problem("spec", "is missing; add it")]);
    }
    let mut problems = Vec::new();
    let mut track = serde_path_to_error::Track::new();
    let deserializer = serde_path_to_error::Deserializer::new(spec, &mut track);
    let parsed = match unknown {
        UnknownFields::Ignore => S::deserialize(deserializer),
        UnknownFields::Refuse => serde_ignored::deserialize(deserializer, |path| {
            problems.push(problem(ignored_path(&path), "is no field of this kind; correct its spelling or remove it"));
        }),
    };
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            problems.push(problem(spec_path(&track.path().to_string()), in_plain_words(&error.to_string())));
            return Err(problems);
        }
    };
    problems.extend(list_for_object(spec, &parsed).or_else(|| parsed.validate(name).err()));
    if problems.is_empty() { parsed.into_fact(name).map_err(|problem| vec![problem]) } else { Err(problems) }
}

/// A message of serde in the terms of YAML instead of Rust's.
fn in_plain_words(message: &str) -> String {
    match message.split_once("expected struct ") {
        Some((found, _)) => format!("{found}expected an object"),
        None => message.replace("expected a sequence", "expected a list").replace("type: sequence", "type: list"),
    }
}

/// A list where an object belongs: serde takes it for the values of the fields in their order, but the API server
/// would refuse it.
fn list_for_object(given: &Value, read: &impl Serialize) -> Option<Problem> {
    fn has_list(value: &Value) -> bool {
        match value {
            Value::Array(_) => true,
            Value::Object(fields) => fields.values().any(has_list),
            _ => false,
        }
    }
    fn find(path: String, given: &Value, read: &Value) -> Option<String> {
        match (given, read) {
            (Value::Array(_), Value::Object(_)) => Some(path),
            (Value::Array(given), Value::Array(read)) => {
                let mut items = given.iter().zip(read).enumerate().filter(|(_, (_, read))| !read.is_string());
                items.find_map(|(index, (given, read))| find(format!("{path}[{index}]"), given, read))
            }
            (Value::Object(given), Value::Object(read)) => {
                given.iter().find_map(|(key, given)| find(format!("{path}.{key}"), given, read.get(key)?))
            }
            _ => None,
        }
    }
    // Most objects are assignments and resources, which have none.
    if !has_list(given) {
        return None;
    }
    match serde_json::to_value(read) {
        Ok(read) => find("spec".to_owned(), given, &read).map(|path| problem(path, "is a list, but must be an object")),
        Err(error) => Some(problem("spec", error.to_string())),
    }
}

fn problem(field: impl Into<String>, message: impl Into<String>) -> Problem {
    Problem { field: field.into(), message: message.into() }
}

/// The path from the top of the object to a place in its spec.
fn spec_path(path: &str) -> String {
    match path {
        "." => "spec".to_owned(),
        path => format!("spec.{path}"),
    }
}

fn ignored_path(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => "spec".to_owned(),
        Path::Seq { parent, index } => format!("{}[{index}]", ignored_path(parent)),
        Path::Map { parent, key } => format!("{}.{key}", ignored_path(parent)),
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            ignored_path(parent)
        }
    }
}

/// A spec that says something to the graph.
trait Spec: DeserializeOwned + Serialize + Validate {
    /// What the object called `name` says, defaults filled in.
    ///
    /// # Errors
    /// What of it cannot be compiled.
    fn into_fact(self, name: &Name) -> Result<Fact, Problem>;
}

impl Spec for api::ResourceSpec {
    fn into_fact(self, name: &Name) -> Result<Fact, Problem> {
        let Self { type_, parent_ref, external_id, display_name: _, description: _ } = self;
        Ok(Fact::Resource(facts::Resource {
            resource_type: type_.into(),
            parent: optional_ref(parent_ref),
            external_id: or_name(external_id, name),
        }))
    }
}

impl Spec for api::RoleSpec {
    fn into_fact(self, name: &Name) -> Result<Fact, Problem> {
        let Self { slug, resource_type, permissions, organization_ref, display_name: _, description: _ } = self;
        Ok(Fact::Role(facts::Role {
            slug: or_name(slug, name),
            resource_type: resource_type.into(),
            permissions: names(permissions),
            organization: optional_ref(organization_ref),
        }))
    }
}

impl Spec for api::GroupSpec {
    fn into_fact(self, _name: &Name) -> Result<Fact, Problem> {
        let Self { organization_ref, members, subgroups, display_name: _, description: _ } = self;
        Ok(Fact::Group(facts::Group {
            organization: organization_ref.name.into(),
            members: names(members),
            subgroups: names(subgroups),
        }))
    }
}

impl Spec for api::GroupRoleAssignmentSpec {
    fn into_fact(self, _name: &Name) -> Result<Fact, Problem> {
        let Self { group_ref, role_ref, resource_ref, expires_at, condition } = self;
        let condition = condition.as_deref().map(compiled).transpose()?;
        Ok(Fact::GroupRoleAssignment(facts::GroupRoleAssignment {
            group: group_ref.name.into(),
            role: role_ref.name.into(),
            resource: optional_ref(resource_ref),
            expires_at: expires_at.map(|time| time.0),
            condition,
        }))
    }
}

impl Spec for api::MembershipRoleAssignmentSpec {
    fn into_fact(self, _name: &Name) -> Result<Fact, Problem> {
        let Self { membership_ref, role_ref, resource_ref, expires_at, condition } = self;
        let condition = condition.as_deref().map(compiled).transpose()?;
        Ok(Fact::MembershipRoleAssignment(facts::MembershipRoleAssignment {
            membership: membership_ref.name.into(),
            role: role_ref.name.into(),
            resource: optional_ref(resource_ref),
            expires_at: expires_at.map(|time| time.0),
            condition,
        }))
    }
}

impl Spec for api::OrganizationMembershipSpec {
    fn into_fact(self, _name: &Name) -> Result<Fact, Problem> {
        let Self { organization_ref, user, role_refs, suspended, directory_groups, sso_groups } = self;
        Ok(Fact::OrganizationMembership(facts::OrganizationMembership {
            organization: organization_ref.name.into(),
            user: user.id.into(),
            roles: names(role_refs.into_iter().map(|role| role.name)),
            suspended,
            directory_groups: names(directory_groups),
            sso_groups: names(sso_groups),
        }))
    }
}

impl Spec for api::ResourceTypeSpec {
    fn into_fact(self, name: &Name) -> Result<Fact, Problem> {
        Ok(Fact::ResourceType(facts::ResourceType {
            parents: self.parents(name).map(Name::from).collect(),
            permissions: names(self.permissions.into_iter().map(|permission| permission.slug)),
        }))
    }
}

impl Spec for api::EnvironmentSpec {
    fn into_fact(self, _name: &Name) -> Result<Fact, Problem> {
        let Self { multiple_roles, default_role_ref, role_priority, undeclared, identity_provider } = self;
        let mappings = identity_provider.map(|provider| provider.role_mappings).unwrap_or_default();
        Ok(Fact::Environment(facts::Environment {
            multiple_roles,
            default_role: optional_ref(default_role_ref),
            role_priority: names(role_priority),
            undeclared_memberships: policy(undeclared.memberships),
            undeclared_resource_types: policy(undeclared.resource_types),
            role_mappings: mappings.into_iter().map(role_mapping).collect(),
        }))
    }
}

fn compiled(condition: &str) -> Result<Arc<Condition>, Problem> {
    Condition::shared(condition).map_err(|invalid| problem("spec.condition", invalid.to_string()))
}

fn role_mapping(mapping: api::RoleMapping) -> facts::RoleMapping {
    let api::RoleMapping { source, group, role_ref, organization_ref } = mapping;
    facts::RoleMapping {
        source: match source {
            api::IdentitySource::Directory => facts::IdentitySource::Directory,
            api::IdentitySource::Sso => facts::IdentitySource::Sso,
        },
        group: group.into(),
        role: role_ref.name.into(),
        organization: optional_ref(organization_ref),
    }
}

const fn policy(policy: api::UndeclaredPolicy) -> facts::Undeclared {
    match policy {
        api::UndeclaredPolicy::Allow => facts::Undeclared::Allow,
        api::UndeclaredPolicy::Deny => facts::Undeclared::Deny,
    }
}

fn names(names: impl IntoIterator<Item = String>) -> Vec<Name> {
    names.into_iter().map(Name::from).collect()
}

fn optional_ref(reference: Option<api::NameRef>) -> Option<Name> {
    reference.map(|reference| reference.name.into())
}

fn or_name(value: Option<String>, name: &Name) -> Name {
    value.map_or_else(|| name.clone(), Name::from)
}

#[cfg(test)]
mod tests;
