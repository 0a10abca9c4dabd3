"""Roles of the environment and of an organization."""

import re

from workos._errors import BadRequestError, ConflictError, NotFoundError, UnprocessableEntityError

from support import an_id, equal, expect, refused, same_members, slugs, times


def environment_roles(world):
    slug = world.unique("workspace-admin")
    made = world.authorization.create_environment_role(
        slug=slug, name="Workspace Admin", description="Runs it", resource_type_slug="workspace"
    )
    an_id(made.id, "role")
    times(made)
    equal(
        (made.object, made.slug, made.name, made.description, made.type, made.resource_type_slug, made.permissions),
        ("role", slug, "Workspace Admin", "Runs it", "EnvironmentRole", "workspace", []),
        "section 3.8: a role that was created",
    )
    equal(world.authorization.get_environment_role(slug), made, "a role by its slug")
    plain = world.authorization.create_environment_role(slug=world.unique("plain_role"), name="Plain")
    equal(
        (plain.resource_type_slug, plain.description), ("organization", None), "section 1.1: a role of which little is said"
    )

    listed = world.authorization.list_environment_roles()
    equal(listed.object, "list", "rule 66: roles are a list")
    places = slugs(listed.data)
    expect(places.index(slug) < places.index(plain.slug), "section 1.4: new roles go to the bottom of the list")
    expect("member" in places, "section 1.4: every environment is seeded with the role `member`")
    equal([role for role in listed.data if role.slug == slug], [made], "rule 66: the role in the list")

    changed = world.authorization.update_environment_role(slug, name="Boss")
    equal((changed.id, changed.name, changed.description), (made.id, "Boss", "Runs it"), "PATCH changes what it names")
    changed = world.authorization.update_environment_role(slug, description=None)
    equal((changed.name, changed.description), ("Boss", None), "null clears the description")
    equal(world.authorization.get_environment_role(slug), changed, "the changed role, read again")

    refused(
        "rule 63: a slug that is taken",
        ConflictError,
        "role_slug_conflict",
        world.authorization.create_environment_role,
        slug=slug,
        name="Again",
    )
    for what, call in (
        ("reading", lambda: world.authorization.get_environment_role("no-such-role")),
        ("changing", lambda: world.authorization.update_environment_role("no-such-role", name="Ghost")),
        ("setting", lambda: world.authorization.set_environment_role_permissions("no-such-role", permissions=[])),
        ("adding to", lambda: world.authorization.add_environment_role_permission("no-such-role", body_slug="x")),
        (
            "the type of",
            lambda: world.authorization.create_environment_role(
                slug=world.unique("ghost"), name="Ghost", resource_type_slug="no-such-type"
            ),
        ),
    ):
        refused(f"section 3.5: {what} what is not there", NotFoundError, "entity_not_found", call)
    for bad in ("Boss", "a b", "a:b", "x" * 49, ""):
        refused(
            f"section 1.1: the slug {bad!r}",
            UnprocessableEntityError,
            "invalid_request_parameters",
            world.authorization.create_environment_role,
            slug=bad,
            name="Bad",
        )


def environment_role_permissions(world):
    see, edit = world.permission("workspace:see", "workspace"), world.permission("project:edit", "project")
    role = world.role("editor", "workspace")
    changed = world.authorization.set_environment_role_permissions(role, permissions=[see, edit])
    equal(changed.slug, role, "rule 64: PUT answers with the role")
    same_members(changed.permissions, [see, edit], "rule 64: PUT sets the permissions, of descendant types too")
    refused(
        "rule 64: an unknown permission",
        NotFoundError,
        "entity_not_found",
        world.authorization.set_environment_role_permissions,
        role,
        permissions=[see, "no:such"],
    )
    same_members(
        world.authorization.get_environment_role(role).permissions, [see, edit], "rule 64: and nothing is changed then"
    )
    same_members(
        world.authorization.add_environment_role_permission(role, body_slug=see).permissions,
        [see, edit],
        "rule 64: POST of a permission that is there has no effect",
    )
    equal(world.authorization.set_environment_role_permissions(role, permissions=[edit]).permissions, [edit], "rule 64: all")
    same_members(
        world.authorization.add_environment_role_permission(role, body_slug=see).permissions, [see, edit], "rule 64: one more"
    )
    refused(
        "rule 64: adding an unknown permission",
        NotFoundError,
        "entity_not_found",
        world.authorization.add_environment_role_permission,
        role,
        body_slug="no:such",
    )
    above = world.permission("organization:see", "organization")
    refused(
        "section 1.4: a permission of a type above the role's",
        UnprocessableEntityError,
        ("invalid_request_parameters", "unprocessable_entity", None),
        world.authorization.add_environment_role_permission,
        role,
        body_slug=above,
    )
    equal(world.authorization.set_environment_role_permissions(role, permissions=[]).permissions, [], "rule 64: [] empties")
    equal(world.authorization.get_environment_role(role).permissions, [], "the empty role, read again")


def changes_are_effective_at_once(world):
    permission = world.permission("workspace:see", "workspace")
    role = world.role("seer", "workspace")
    organization = world.organization()
    workspace = world.resource(organization, "workspace", "hq")
    members = [world.member(organization, user) for user in ("alice", "bob")]
    for member in members:
        world.assign(member, role, workspace)
        expect(not world.may(member, permission, workspace), "the role has no permission yet")
    world.authorization.add_environment_role_permission(role, body_slug=permission)
    equal([world.may(member, permission, workspace) for member in members], [True, True], "rule 65: everyone has it at once")
    world.authorization.set_environment_role_permissions(role, permissions=[])
    equal([world.may(member, permission, workspace) for member in members], [False, False], "rule 65: nobody has it at once")


def organization_roles(world):
    organization, elsewhere = world.organization("Acme"), world.organization("Globex")
    environment_role = world.role("auditor", "organization")
    slug = world.unique("org-editor")
    made = world.authorization.create_organization_role(
        organization.id, name="Editor", slug=slug, description="Edits", resource_type_slug="project"
    )
    an_id(made.id, "role")
    times(made)
    equal(
        (made.object, made.slug, made.name, made.description, made.type, made.resource_type_slug, made.permissions),
        ("role", slug, "Editor", "Edits", "OrganizationRole", "project", []),
        "section 3.8: a custom role that was created",
    )
    equal(world.authorization.get_organization_role(organization.id, slug), made, "a custom role by its slug")

    generated = world.authorization.create_organization_role(organization.id, name="Night  Watch (EU)")
    expect(
        re.fullmatch("night-watch-eu-[a-z0-9]{6}", generated.slug),
        f"section 1.4: a generated slug: {generated.slug}",
    )
    equal(
        (generated.type, generated.resource_type_slug),
        ("OrganizationRole", "organization"),
        "section 1.4: a custom role of which little is said",
    )

    listed = world.authorization.list_organization_roles(organization.id)
    places = slugs(listed.data)
    expect(environment_role in places and "member" in places, "rule 66: the list has the environment's roles")
    expect(places.index(slug) < places.index(generated.slug), "rule 66: new roles go to the bottom")
    equal([role.type for role in listed.data if role.slug == environment_role], ["EnvironmentRole"], "rule 66: of its type")
    elsewhere_places = slugs(world.authorization.list_organization_roles(elsewhere.id).data)
    expect(slug not in elsewhere_places, "rule 66: the list has no roles of other organizations")
    expect(
        slug not in slugs(world.authorization.list_environment_roles().data),
        "section 1.4: a custom role is none of the environment's",
    )
    got = world.authorization.get_organization_role(organization.id, environment_role)
    equal((got.slug, got.type), (environment_role, "EnvironmentRole"), "rule 66: the environment's roles by their slugs")

    changed = world.authorization.update_organization_role(organization.id, slug, name="Author")
    equal((changed.id, changed.name, changed.description), (made.id, "Author", "Edits"), "PATCH changes what it names")
    changed = world.authorization.update_organization_role(organization.id, slug, description=None)
    equal((changed.name, changed.description), ("Author", None), "null clears the description")

    for what, call in (
        ("reading", world.authorization.get_organization_role),
        ("changing", lambda *path: world.authorization.update_organization_role(*path, name="Ghost")),
        ("deleting", world.authorization.delete_organization_role),
        ("setting", lambda *path: world.authorization.set_organization_role_permissions(*path, permissions=[])),
        ("adding to", lambda *path: world.authorization.add_organization_role_permission(*path, body_slug="x")),
    ):
        refused(f"rule 28: {what} a role of another organization", NotFoundError, "entity_not_found", call, elsewhere.id, slug)
    for what, call in (
        ("changing", lambda: world.authorization.update_organization_role(organization.id, environment_role, name="Mine")),
        ("deleting", lambda: world.authorization.delete_organization_role(organization.id, environment_role)),
    ):
        refused(
            f"rule 67: {what} a role of the environment below an organization",
            (BadRequestError, NotFoundError),
            ("bad_request", "entity_not_found"),
            call,
        )
    refused(
        "rule 63: a slug that is taken",
        ConflictError,
        "organization_role_slug_conflict",
        world.authorization.create_organization_role,
        organization.id,
        name="Again",
        slug=slug,
    )
    twin = world.authorization.create_organization_role(elsewhere.id, name="Editor", slug=slug)
    expect(twin.id != made.id, "section 1.4: another organization may have a role of the same slug")
    for bad in ("editor", "org--editor", "org-editor-", "org-Editor"):
        refused(
            f"section 1.4: the slug {bad!r} of a custom role",
            (UnprocessableEntityError, BadRequestError),
            ("invalid_request_parameters", "bad_request"),
            world.authorization.create_organization_role,
            organization.id,
            name="Bad",
            slug=bad,
        )

    world.authorization.delete_organization_role(organization.id, slug)
    refused(
        "a deleted role", NotFoundError, "entity_not_found", world.authorization.get_organization_role, organization.id, slug
    )
    equal(world.authorization.get_organization_role(elsewhere.id, slug), twin, "the other organization's role is still there")


def organization_role_permissions(world):
    organization = world.organization()
    see, edit = world.permission("workspace:see", "workspace"), world.permission("workspace:edit", "workspace")
    role = world.authorization.create_organization_role(
        organization.id, name="Editor", slug=world.unique("org-editor"), resource_type_slug="workspace"
    ).slug
    changed = world.authorization.set_organization_role_permissions(organization.id, role, permissions=[see])
    equal((changed.slug, changed.permissions), (role, [see]), "rule 64: PUT answers with the role")
    changed = world.authorization.add_organization_role_permission(organization.id, role, body_slug=edit)
    same_members(changed.permissions, [see, edit], "rule 64: POST adds one")
    changed = world.authorization.add_organization_role_permission(organization.id, role, body_slug=edit)
    same_members(changed.permissions, [see, edit], "rule 64: POST again has no effect")
    world.authorization.remove_organization_role_permission(organization.id, role, see)
    equal(world.authorization.get_organization_role(organization.id, role).permissions, [edit], "rule 64: DELETE takes one")
    refused(
        "rule 64: taking what is not attached",
        NotFoundError,
        "entity_not_found",
        world.authorization.remove_organization_role_permission,
        organization.id,
        role,
        see,
    )
    refused(
        "rule 64: an unknown permission",
        NotFoundError,
        "entity_not_found",
        world.authorization.set_organization_role_permissions,
        organization.id,
        role,
        permissions=["no:such"],
    )
    equal(
        world.authorization.get_organization_role(organization.id, role).permissions, [edit], "rule 64: nothing is changed then"
    )


def roles_in_use_stay(world):
    organization = world.organization()
    workspace = world.resource(organization, "workspace", "hq")
    alice = world.member(organization)
    group = world.group(organization, "Staff", alice)

    def role():
        return world.authorization.create_organization_role(
            organization.id, name="Used", slug=world.unique("org-used"), resource_type_slug="workspace"
        ).slug

    direct, through_group = role(), role()
    assignment = world.assign(alice, direct, workspace)
    group_assignment = world.authorization.create_group_role_assignment(
        group.id, role_slug=through_group, resource_id=workspace.id
    )
    for used in (direct, through_group):
        refused(
            "section 1.4: deleting a role that is assigned",
            ConflictError,
            "role_has_assignments",
            world.authorization.delete_organization_role,
            organization.id,
            used,
        )
    world.authorization.remove_role_assignment(alice.id, assignment.id)
    world.authorization.delete_group_role_assignment(group.id, group_assignment.id)
    for used in (direct, through_group):
        world.authorization.delete_organization_role(organization.id, used)
        refused(
            "a deleted role",
            NotFoundError,
            "entity_not_found",
            world.authorization.get_organization_role,
            organization.id,
            used,
        )


def an_organization_role_comes_before_the_environment(world):
    organization, elsewhere = world.organization("Acme"), world.organization("Globex")
    permission = world.permission("workspace:see", "workspace")
    slug = world.unique("org-seer")
    world.authorization.create_environment_role(slug=slug, name="Everywhere", resource_type_slug="workspace")
    own = world.authorization.create_organization_role(
        organization.id, name="Here", slug=slug, resource_type_slug="workspace"
    )
    world.authorization.set_organization_role_permissions(organization.id, slug, permissions=[permission])
    equal(world.authorization.get_organization_role(organization.id, slug).id, own.id, "section 1.4: it shadows the other")
    answers = []
    for place in (organization, elsewhere):
        workspace, member = world.resource(place, "workspace", "hq"), world.member(place)
        world.assign(member, slug, workspace)
        answers.append(world.may(member, permission, workspace))
    equal(answers, [True, False], "rule 28: the organization's role first, then the environment's")


CASES = [
    environment_roles,
    environment_role_permissions,
    changes_are_effective_at_once,
    organization_roles,
    organization_role_permissions,
    roles_in_use_stay,
    an_organization_role_comes_before_the_environment,
]
