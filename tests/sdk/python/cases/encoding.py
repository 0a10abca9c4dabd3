"""What stands in paths, queries and bodies as it is: rule 76."""

from workos._errors import NotFoundError
from workos.authorization import ParentByExternalId

from support import equal, ids, refused
from world import by_external_id, by_id, parent_by_external_id

EXTERNAL_IDS = (
    "a/b",
    "/leading/and/trailing/",
    "docs:read*",
    "two words",
    " spaces around ",
    "100%",
    "%2F",
    "a%2Fb",
    "what?",
    "#hash",
    "a+b",
    "a&b=c",
    "semi;colon,comma",
    "..",
    "../../roles",
    "back\\slash",
    "\"quoted\" 'twice'",
    "<tag>{brace}[bracket]|`^~",
    "permissions",
    "role_assignments",
    "organization_memberships",
    "x" * 128,
)


def external_ids(world):
    organization = world.organization()
    see = world.permission("project:see", "project")
    role, project_role = world.role("seer", "workspace", see), world.role("viewer", "project", see)
    alice = world.member(organization)
    authorization = world.authorization
    for external_id in EXTERNAL_IDS:
        rule = f"rule 76: {external_id!r}"
        made = authorization.create_resource(
            organization_id=organization.id, resource_type_slug="workspace", external_id=external_id, name="Odd"
        )
        equal((made.external_id, made.name), (external_id, "Odd"), rule)
        filtered = authorization.list_resources(
            organization_id=organization.id, resource_type_slug="workspace", resource_external_id=external_id
        )
        equal(filtered.data, [made], f"{rule} as a filter")
        child = authorization.create_resource(
            organization_id=organization.id,
            resource_type_slug="project",
            external_id=external_id,
            name="Child",
            parent_resource=parent_by_external_id(made),
        )
        equal(child.parent_resource_id, made.id, f"{rule} as a parent in a body")
        below = authorization.list_resources(
            organization_id=organization.id,
            parent=ParentByExternalId(parent_resource_type_slug="workspace", parent_external_id=external_id),
        )
        equal(ids(below.data), [child.id], f"{rule} as a parent in a query")
        assigned = authorization.assign_role(alice.id, role_slug=role, resource_target=by_external_id(made))
        equal(assigned.resource.external_id, external_id, f"{rule} in an assignment")
        checked = authorization.check(alice.id, permission_slug=see, resource_target=by_external_id(child))
        equal(checked.authorized, True, f"{rule} in a check")
        visible = authorization.list_resources_for_membership(
            alice.id, permission_slug=see, parent_resource=parent_by_external_id(made)
        )
        equal(ids(visible.data), [child.id], f"{rule} as the parent of what a membership may see")

        if external_id == "..":
            continue  # The SDK refuses to put it into a path.
        path = (organization.id, "workspace", external_id)
        equal(authorization.get_resource_by_external_id(*path), made, f"{rule} in a path")
        renamed = authorization.update_resource_by_external_id(*path, name="Renamed")
        equal((renamed.id, renamed.name), (made.id, "Renamed"), f"{rule} in the path of PATCH")
        permissions = authorization.list_effective_permissions_by_external_id(alice.id, "project", external_id)
        equal([item.slug for item in permissions.data], [see], f"{rule} in the path of permissions")
        members = authorization.list_memberships_for_resource_by_external_id(*path, permission_slug=see)
        equal(ids(members.data), [alice.id], f"{rule} in the path of memberships")
        assignments = authorization.list_role_assignments_for_resource_by_external_id(*path)
        equal(assignments.data, [assigned], f"{rule} in the path of assignments")
        authorization.assign_role(alice.id, role_slug=project_role, resource_target=by_id(child))
        authorization.remove_role(alice.id, role_slug=project_role, resource_target=by_external_id(child))
        authorization.delete_resource_by_external_id(*path, cascade_delete=True)
        refused(
            f"{rule} after DELETE", NotFoundError, "entity_not_found", authorization.get_resource_by_external_id, *path
        )


def external_ids_of_organizations(world):
    for text in ("a/b c", "id:1*", "100% #1?", "external_id"):
        external_id = world.unique(text)
        made = world.organizations.create_organization(name="Odd", external_id=external_id)
        equal(world.organizations.get_organization_by_external_id(external_id), made, f"rule 76: {external_id!r}")
        root = world.authorization.get_resource_by_external_id(made.id, "organization", external_id)
        equal((root.organization_id, root.external_id), (made.id, external_id), f"rule 76: the root of {external_id!r}")


def names(world):
    """What people call things is theirs to choose."""
    organization = world.organization("Łódź & Søns / 東京 🏯")
    equal(world.organizations.get_organization(organization.id).name, "Łódź & Søns / 東京 🏯", "the name of an organization")
    group = world.groups.create_organization_group(organization.id, name="#1: 'R&D'", description="ünïcödé\n2 lines")
    equal((group.name, group.description), ("#1: 'R&D'", "ünïcödé\n2 lines"), "the name of a group")
    resource = world.authorization.create_resource(
        organization_id=organization.id, resource_type_slug="workspace", external_id="w", name="東京", description="- a: b"
    )
    equal((resource.name, resource.description), ("東京", "- a: b"), "the name of a resource")
    found = world.groups.list_organization_groups(organization.id, search="#1: 'R&D'")
    equal(ids(found.data), [group.id], "search for a name with signs")


CASES = [external_ids, external_ids_of_organizations, names]
