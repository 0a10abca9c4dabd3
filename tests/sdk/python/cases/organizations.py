"""Organizations, and the resources that they are."""

from workos._errors import BadRequestError, NotFoundError
from workos.organizations.models import OrganizationDomainData

from support import an_id, equal, expect, forward, ids, refused, times


def life(world):
    external_id = world.unique("acme")
    made = world.organizations.create_organization(
        name="Acme Corporation", external_id=external_id, metadata={"plan": "gold", "region": "eu"}
    )
    an_id(made.id, "org")
    times(made)
    equal(
        (made.object, made.name, made.external_id, made.metadata, made.domains),
        ("organization", "Acme Corporation", external_id, {"plan": "gold", "region": "eu"}, []),
        "section 1.1: an organization that was created",
    )
    equal(world.organizations.get_organization(made.id), made, "an organization by id")
    equal(world.organizations.get_organization_by_external_id(external_id), made, "an organization by external id")

    plain = world.organizations.create_organization(name="Acme Corporation")
    equal((plain.external_id, plain.metadata), (None, {}), "section 1.1: an organization of which little is said")
    expect(plain.id != made.id, "section 1.1: the name of an organization is not unique")

    changed = world.organizations.update_organization(made.id, name="Acme & Sons")
    equal(
        (changed.id, changed.name, changed.external_id, changed.metadata, changed.created_at),
        (made.id, "Acme & Sons", external_id, made.metadata, made.created_at),
        "an organization after its name changed",
    )
    expect(changed.updated_at >= made.updated_at, "a change does not take updated_at back")
    equal(world.organizations.get_organization(made.id), changed, "the changed organization, read again")
    changed = world.organizations.update_organization(made.id, metadata={"plan": "silver", "region": "eu"})
    equal((changed.name, changed.metadata), ("Acme & Sons", {"plan": "silver", "region": "eu"}), "its metadata changed")

    world.organizations.delete_organization(made.id)
    refused("a deleted organization", NotFoundError, "entity_not_found", world.organizations.get_organization, made.id)
    refused(
        "a deleted organization by external id",
        NotFoundError,
        "entity_not_found",
        world.organizations.get_organization_by_external_id,
        external_id,
    )
    refused("deleting it again", NotFoundError, "entity_not_found", world.organizations.delete_organization, made.id)
    refused(
        "changing it", NotFoundError, "entity_not_found", world.organizations.update_organization, made.id, name="Ghost"
    )


def external_ids_are_unique(world):
    external_id = world.unique("taken")
    world.organizations.create_organization(name="First", external_id=external_id)
    refused(
        "section 1.1: an external id of another organization",
        BadRequestError,
        "external_id_already_used",
        world.organizations.create_organization,
        name="Second",
        external_id=external_id,
    )


def domains(world):
    domain = f"{world.unique('acme')}.example"
    made = world.organizations.create_organization(
        name="Acme", domain_data=[OrganizationDomainData(domain=domain, state="verified")]
    )
    equal([entry.domain for entry in made.domains], [domain], "the domains of an organization")
    equal(made.domains[0].organization_id, made.id, "a domain knows its organization")
    equal(ids(world.organizations.list_organizations(domains=[domain]).data), [made.id], "organizations by domain")


def lists(world):
    made = [world.organization(f"Listed {number}") for number in range(7)]
    wanted = set(ids(made))

    def listing(**page):
        return world.organizations.list_organizations(limit=5, **page)

    descending = ids(listing().auto_paging_iter())
    equal([one for one in descending if one in wanted], ids(made)[::-1], "rule 68: organizations, the newest first")
    forward("organizations", listing, descending)
    found = world.organizations.list_organizations(search="Listed 3", limit=100)
    expect(made[3].id in ids(found.data) and made[4].id not in ids(found.data), "organizations by a part of the name")


def the_root_is_a_resource(world):
    external_id = world.unique("rooted")
    organization = world.organizations.create_organization(name="Rooted", external_id=external_id)
    by_organization_id = world.root(organization)
    an_id(by_organization_id.id, "authz_resource")
    equal(
        (
            by_organization_id.object,
            by_organization_id.external_id,
            by_organization_id.name,
            by_organization_id.resource_type_slug,
            by_organization_id.organization_id,
            by_organization_id.parent_resource_id,
        ),
        ("authorization_resource", external_id, "Rooted", "organization", organization.id, None),
        "section 1.3: the resource that an organization is",
    )
    equal(
        world.authorization.get_resource_by_external_id(organization.id, "organization", external_id),
        by_organization_id,
        "section 1.3: the root by the organization's external id",
    )
    equal(world.authorization.get_resource(by_organization_id.id), by_organization_id, "section 1.3: the root by id")

    plain = world.organization("Plain")
    equal(world.root(plain).external_id, plain.id, "section 1.3: without an external id, the root has the organization's")

    world.organizations.update_organization(organization.id, name="Renamed")
    equal(world.root(organization).name, "Renamed", "section 1.3: the root's name follows the organization's")
    for what, call in (
        ("creating", lambda: world.resource(organization, "organization", "second")),
        ("changing", lambda: world.authorization.update_resource(by_organization_id.id, name="Mine")),
        ("deleting", lambda: world.authorization.delete_resource(by_organization_id.id, cascade_delete=True)),
    ):
        refused(f"section 1.3, rule 56: {what} a root", BadRequestError, ("bad_request", None), call)
    equal(world.root(organization).name, "Renamed", "the root is as it was")


def deletion_takes_everything(world):
    organization = world.organization("Doomed")
    permission = world.permission("workspace:see", "workspace")
    role = world.role("seer", "workspace", permission)
    workspace = world.resource(organization, "workspace", "hq")
    alice = world.member(organization)
    group = world.group(organization, "Staff", alice)
    world.assign(alice, role, workspace)
    own = world.authorization.create_organization_role(organization.id, name="Own", slug=world.unique("org-own"))
    expect(world.may(alice, permission, workspace), "alice sees the workspace")

    world.organizations.delete_organization(organization.id)
    for what, call in (
        ("membership", lambda: world.memberships.get_organization_membership(alice.id)),
        ("check", lambda: world.may(alice, permission, workspace)),
        ("resource", lambda: world.authorization.get_resource(workspace.id)),
        ("group", lambda: world.groups.get_organization_group(organization.id, group.id)),
        ("role", lambda: world.authorization.get_organization_role(organization.id, own.slug)),
        ("assignments", lambda: world.authorization.list_role_assignments(alice.id)),
        ("assignments of a resource", lambda: world.authorization.list_role_assignments_for_resource(workspace.id)),
    ):
        refused(f"rule 39: {what} of a deleted organization", NotFoundError, "entity_not_found", call)
    equal(world.authorization.get_environment_role(role).slug, role, "rule 39: roles of the environment stay")


CASES = [
    life,
    external_ids_are_unique,
    domains,
    lists,
    the_root_is_a_resource,
    deletion_takes_everything,
]
