//! The one place where an object's wire format becomes a fact of the graph.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    api::{self, Problem, Validate},
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
pub fn object(kind: Kind, metadata: Metadata, spec: Value, unknown: UnknownFields) -> (Object, Vec<Problem>) {
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

fn fact(kind: Kind, name: &Name, spec: Value, unknown: UnknownFields) -> Result<Fact, Vec<Problem>> {
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

fn read<S: Spec>(name: &Name, spec: Value, unknown: UnknownFields) -> Result<Fact, Vec<Problem>> {
    match &spec {
        Value::Object(_) => {}
        Value::Null => return Err(vec![problem("spec", "is missing; add it")]),
        // A list would be taken for the values of the fields in their order.
        _ => return Err(vec![problem("spec", "must be an object, with the fields of the kind")]),
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
    match parsed.map_err(|error| problem(spec_path(&track.path().to_string()), error.to_string())) {
        Ok(spec) => {
            problems.extend(spec.validate(name).err());
            if problems.is_empty() { Ok(spec.into_fact(name)) } else { Err(problems) }
        }
        Err(error) => {
            problems.push(error);
            Err(problems)
        }
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
trait Spec: DeserializeOwned + Validate {
    /// What the object called `name` says, defaults filled in.
    fn into_fact(self, name: &Name) -> Fact;
}

impl Spec for api::ResourceSpec {
    fn into_fact(self, name: &Name) -> Fact {
        let Self { type_, parent_ref, external_id, display_name: _, description: _ } = self;
        Fact::Resource(facts::Resource {
            resource_type: type_.into(),
            parent: optional_ref(parent_ref),
            external_id: or_name(external_id, name),
        })
    }
}

impl Spec for api::RoleSpec {
    fn into_fact(self, name: &Name) -> Fact {
        let Self { slug, resource_type, permissions, organization_ref, display_name: _, description: _ } = self;
        Fact::Role(facts::Role {
            slug: or_name(slug, name),
            resource_type: resource_type.into(),
            permissions: names(permissions),
            organization: optional_ref(organization_ref),
        })
    }
}

impl Spec for api::GroupSpec {
    fn into_fact(self, _name: &Name) -> Fact {
        let Self { organization_ref, members, subgroups, display_name: _, description: _ } = self;
        Fact::Group(facts::Group {
            organization: organization_ref.name.into(),
            members: names(members),
            subgroups: names(subgroups),
        })
    }
}

impl Spec for api::GroupRoleAssignmentSpec {
    fn into_fact(self, _name: &Name) -> Fact {
        let Self { group_ref, role_ref, resource_ref, expires_at } = self;
        Fact::GroupRoleAssignment(facts::GroupRoleAssignment {
            group: group_ref.name.into(),
            role: role_ref.name.into(),
            resource: optional_ref(resource_ref),
            expires_at: expires_at.map(|time| time.0),
        })
    }
}

impl Spec for api::MembershipRoleAssignmentSpec {
    fn into_fact(self, _name: &Name) -> Fact {
        let Self { membership_ref, role_ref, resource_ref, expires_at } = self;
        Fact::MembershipRoleAssignment(facts::MembershipRoleAssignment {
            membership: membership_ref.name.into(),
            role: role_ref.name.into(),
            resource: optional_ref(resource_ref),
            expires_at: expires_at.map(|time| time.0),
        })
    }
}

impl Spec for api::OrganizationMembershipSpec {
    fn into_fact(self, _name: &Name) -> Fact {
        let Self { organization_ref, user, role_refs, suspended, directory_groups, sso_groups } = self;
        Fact::OrganizationMembership(facts::OrganizationMembership {
            organization: organization_ref.name.into(),
            user: user.id.into(),
            roles: names(role_refs.into_iter().map(|role| role.name)),
            suspended,
            directory_groups: names(directory_groups),
            sso_groups: names(sso_groups),
        })
    }
}

impl Spec for api::ResourceTypeSpec {
    fn into_fact(self, name: &Name) -> Fact {
        Fact::ResourceType(facts::ResourceType {
            parents: self.parents(name).map(Arc::from).collect(),
            permissions: names(self.permissions.into_iter().map(|permission| permission.slug)),
        })
    }
}

impl Spec for api::EnvironmentSpec {
    fn into_fact(self, _name: &Name) -> Fact {
        let Self { multiple_roles, default_role_ref, role_priority, undeclared, identity_provider } = self;
        let mappings = identity_provider.map(|provider| provider.role_mappings).unwrap_or_default();
        Fact::Environment(facts::Environment {
            multiple_roles,
            default_role: optional_ref(default_role_ref),
            role_priority: names(role_priority),
            undeclared_memberships: policy(undeclared.memberships),
            undeclared_resource_types: policy(undeclared.resource_types),
            role_mappings: mappings.into_iter().map(role_mapping).collect(),
        })
    }
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
    value.map_or_else(|| Arc::clone(name), Name::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn convert(kind: Kind, spec: Value, unknown: UnknownFields) -> (Object, Vec<Problem>) {
        object(kind, Metadata { name: "it".into(), created: None, deleting: false }, spec, unknown)
    }

    #[test]
    fn every_kind_becomes_its_fact_with_defaults() {
        let at: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        let cases = [
            (
                json!({ "type": "project", "parentRef": { "name": "up" } }),
                Fact::Resource(facts::Resource {
                    resource_type: "project".into(),
                    parent: Some("up".into()),
                    external_id: "it".into(),
                }),
            ),
            (
                json!({ "type": "organization", "externalId": "org_1", "displayName": "x", "description": "y" }),
                Fact::Resource(facts::Resource {
                    resource_type: "organization".into(),
                    parent: None,
                    external_id: "org_1".into(),
                }),
            ),
            (
                json!({ "permissions": ["project:edit"] }),
                Fact::Role(facts::Role {
                    slug: "it".into(),
                    resource_type: "organization".into(),
                    permissions: vec!["project:edit".into()],
                    organization: None,
                }),
            ),
            (
                json!({ "slug": "boss", "resourceType": "project", "organizationRef": { "name": "acme" } }),
                Fact::Role(facts::Role {
                    slug: "boss".into(),
                    resource_type: "project".into(),
                    permissions: vec![],
                    organization: Some("acme".into()),
                }),
            ),
            (
                json!({ "organizationRef": { "name": "acme" }, "members": ["ann"], "subgroups": ["staff"] }),
                Fact::Group(facts::Group {
                    organization: "acme".into(),
                    members: vec!["ann".into()],
                    subgroups: vec!["staff".into()],
                }),
            ),
            (
                json!({ "groupRef": { "name": "staff" }, "roleRef": { "name": "boss" } }),
                Fact::GroupRoleAssignment(facts::GroupRoleAssignment {
                    group: "staff".into(),
                    role: "boss".into(),
                    resource: None,
                    expires_at: None,
                }),
            ),
            (
                json!({
                    "membershipRef": { "name": "ann" }, "roleRef": { "name": "boss" }, "resourceRef": { "name": "web" },
                    "expiresAt": "2030-01-01T00:00:00Z"
                }),
                Fact::MembershipRoleAssignment(facts::MembershipRoleAssignment {
                    membership: "ann".into(),
                    role: "boss".into(),
                    resource: Some("web".into()),
                    expires_at: Some(at),
                }),
            ),
            (
                json!({
                    "organizationRef": { "name": "acme" }, "user": { "id": "user_1" }, "roleRefs": [{ "name": "boss" }],
                    "suspended": true, "directoryGroups": ["d"], "ssoGroups": ["s"]
                }),
                Fact::OrganizationMembership(facts::OrganizationMembership {
                    organization: "acme".into(),
                    user: "user_1".into(),
                    roles: vec!["boss".into()],
                    suspended: true,
                    directory_groups: vec!["d".into()],
                    sso_groups: vec!["s".into()],
                }),
            ),
            (
                json!({ "permissions": [{ "slug": "it:read" }] }),
                Fact::ResourceType(facts::ResourceType {
                    parents: vec!["organization".into()],
                    permissions: vec!["it:read".into()],
                }),
            ),
            (
                json!({ "parents": ["workspace"] }),
                Fact::ResourceType(facts::ResourceType { parents: vec!["workspace".into()], permissions: vec![] }),
            ),
        ];
        for (spec, fact) in cases {
            let (object, problems) = convert(fact.kind(), spec, UnknownFields::Refuse);
            assert_eq!(problems, []);
            assert_eq!(object, Object { name: "it".into(), created: None, deleting: false, fact });
        }
    }

    #[test]
    fn the_environment_is_converted() {
        let metadata = Metadata { name: "default".into(), created: None, deleting: true };
        let spec = json!({
            "multipleRoles": true, "defaultRoleRef": { "name": "viewer" }, "rolePriority": ["boss", "viewer"],
            "undeclared": { "memberships": "Deny" },
            "identityProvider": { "roleMappings": [
                { "source": "SSO", "group": "g", "roleRef": { "name": "viewer" }, "organizationRef": { "name": "acme" } },
                { "source": "Directory", "group": "h", "roleRef": { "name": "boss" } },
            ] },
        });
        let mapping = |source, group: &str, role: &str, organization: Option<&str>| facts::RoleMapping {
            source,
            group: group.into(),
            role: role.into(),
            organization: organization.map(Name::from),
        };
        let expected = Fact::Environment(facts::Environment {
            multiple_roles: true,
            default_role: Some("viewer".into()),
            role_priority: vec!["boss".into(), "viewer".into()],
            undeclared_memberships: facts::Undeclared::Deny,
            undeclared_resource_types: facts::Undeclared::Allow,
            role_mappings: vec![
                mapping(facts::IdentitySource::Sso, "g", "viewer", Some("acme")),
                mapping(facts::IdentitySource::Directory, "h", "boss", None),
            ],
        });
        let (environment, problems) = object(Kind::Environment, metadata.clone(), spec, UnknownFields::Refuse);
        assert_eq!(problems, []);
        assert_eq!((environment.fact, environment.deleting), (expected, true));

        let (empty, problems) = object(Kind::Environment, metadata, json!({}), UnknownFields::Refuse);
        assert_eq!((empty.fact, problems), (Fact::Environment(facts::Environment::default()), vec![]));
    }

    #[test]
    fn a_spec_that_cannot_be_used_is_invalid_and_says_where() {
        let role = json!({ "name": "boss" });
        let cases = [
            (Kind::Role, Value::Null, "spec: is missing; add it"),
            (Kind::Role, json!([]), "spec: must be an object, with the fields of the kind"),
            (
                Kind::Role,
                json!({ "permissions": "all" }),
                "spec.permissions: invalid type: string \"all\", expected a sequence",
            ),
            (
                Kind::Role,
                json!({ "permissions": ["a", 1] }),
                "spec.permissions[1]: invalid type: integer `1`, expected a string",
            ),
            (Kind::Group, json!({ "organizationRef": {} }), "spec.organizationRef: missing field `name`"),
            (Kind::GroupRoleAssignment, json!({ "roleRef": role }), "spec: missing field `groupRef`"),
            (
                Kind::Environment,
                json!({ "undeclared": { "memberships": "Maybe" } }),
                "spec.undeclared.memberships: unknown variant `Maybe`, expected `Allow` or `Deny`",
            ),
        ];
        for (kind, spec, problem) in cases {
            let (object, problems) = convert(kind, spec, UnknownFields::Ignore);
            assert_eq!(object.fact, Fact::Invalid { kind, problem: problem.into() });
            assert_eq!(summary(&problems), problem);
        }
    }

    #[test]
    fn unknown_fields_are_refused_or_ignored() {
        let spec = || {
            json!({
                "organizationRef": { "name": "acme", "kind": "x" },
                "member": ["ann"],
            })
        };
        let (ignoring, problems) = convert(Kind::Group, spec(), UnknownFields::Ignore);
        assert!(matches!(ignoring.fact, Fact::Group(_)));
        assert_eq!(problems, []);

        let (refusing, problems) = convert(Kind::Group, spec(), UnknownFields::Refuse);
        assert!(matches!(refusing.fact, Fact::Invalid { .. }));
        let mut fields: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["spec.member", "spec.organizationRef.kind"]);
    }

    #[test]
    fn what_the_rules_of_a_kind_forbid_is_invalid() {
        let (object, problems) = convert(Kind::Resource, json!({ "type": "project" }), UnknownFields::Ignore);
        assert!(matches!(object.fact, Fact::Invalid { kind: Kind::Resource, .. }), "{object:?}");
        assert_eq!(problems.len(), 1);
    }
}
