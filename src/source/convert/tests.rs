//! Specs and what becomes of them.

use serde_json::json;

use super::*;

fn convert(kind: Kind, spec: &Value, unknown: UnknownFields) -> (Object, Vec<Problem>) {
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
                condition: None,
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
                condition: None,
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
        let (object, problems) = convert(fact.kind(), &spec, UnknownFields::Refuse);
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
    let (environment, problems) = object(Kind::Environment, metadata.clone(), &spec, UnknownFields::Refuse);
    assert_eq!(problems, []);
    assert_eq!((environment.fact, environment.deleting), (expected, true));

    let (empty, problems) = object(Kind::Environment, metadata, &json!({}), UnknownFields::Refuse);
    assert_eq!((empty.fact, problems), (Fact::Environment(facts::Environment::default()), vec![]));
}

#[test]
fn a_spec_that_cannot_be_used_is_invalid_and_says_where() {
    let role = json!({ "name": "boss" });
    let cases = [
        (Kind::Role, Value::Null, "spec: is missing; add it"),
        (Kind::Role, json!(7), "spec: invalid type: integer `7`, expected an object"),
        (Kind::Environment, json!([true]), "spec: is a list, but must be an object"),
        (
            Kind::GroupRoleAssignment,
            json!({ "groupRef": ["staff"], "roleRef": role }),
            "spec.groupRef: is a list, but must be an object",
        ),
        (
            Kind::OrganizationMembership,
            json!({ "organizationRef": role, "user": { "id": "u" }, "roleRefs": [role, ["boss"]] }),
            "spec.roleRefs[1]: is a list, but must be an object",
        ),
        (
            Kind::Role,
            json!({ "permissions": "all" }),
            "spec.permissions: invalid type: string \"all\", expected a list",
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
        let metadata = Metadata { name: "default".into(), created: None, deleting: false };
        let (object, problems) = object(kind, metadata, &spec, UnknownFields::Ignore);
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
    let (ignoring, problems) = convert(Kind::Group, &spec(), UnknownFields::Ignore);
    assert!(matches!(ignoring.fact, Fact::Group(_)));
    assert_eq!(problems, []);

    let (refusing, problems) = convert(Kind::Group, &spec(), UnknownFields::Refuse);
    assert!(matches!(refusing.fact, Fact::Invalid { .. }));
    let mut fields: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["spec.member", "spec.organizationRef.kind"]);
}

#[test]
fn what_the_rules_of_a_kind_forbid_is_invalid() {
    let (object, problems) = convert(Kind::Resource, &json!({ "type": "project" }), UnknownFields::Ignore);
    assert!(matches!(object.fact, Fact::Invalid { kind: Kind::Resource, .. }), "{object:?}");
    assert_eq!(problems.len(), 1);
}
