"""Role assignments of memberships: rules 27 to 39."""

from workos._errors import NotFoundError, UnprocessableEntityError

from support import an_id, equal, expect, ids, pages, refused, same_members, times
from world import by_external_id, by_id

UNPROCESSABLE = ("invalid_request_parameters", "unprocessable_entity", "invalid_role", None)


def life(world):
    organization = world.organization()
    see = world.permission("workspace:see", "workspace")
    role = world.role("seer", "workspace", see)
    hq = world.resource(organization, "workspace", "hq")
    alice, bob = world.member(organization, "alice"), world.member(organization, "bob")
    made = world.assign(alice, role, hq)
    an_id(made.id, "role_assignment")
    times(made)
    equal(
        (made.object, made.organization_membership_id, made.role.slug),
        ("role_assignment", alice.id, role),
        "section 3.8: an assignment that was created",
    )
    equal(
        (made.resource.id, made.resource.external_id, made.resource.resource_type_slug),
        (hq.id, "hq", "workspace"),
        "section 3.8: the resource of an assignment",
    )
    equal(
        (made.source.type, made.source.group_role_assignment_id, made.source.group),
        ("direct", None, None),
        "section 3.8: the source of an assignment",
    )
    expect(world.may(alice, see, hq), "rule 30: it is effective at once")

    again = world.authorization.assign_role(alice.id, role_slug=role, resource_target=by_external_id(hq))
    equal(again, made, "rule 31: assigning again answers with what is there")
    listed = world.authorization.list_role_assignments_for_resource(hq.id)
    equal(listed.data, [made], "rule 31: there is no second one")

    refused(
        "rule 33: by the id of an assignment of another membership",
        NotFoundError,
        "entity_not_found",
        world.authorization.remove_role_assignment,
        bob.id,
        made.id,
    )
    world.authorization.remove_role_assignment(alice.id, made.id)
    expect(not world.may(alice, see, hq), "rule 34: what was removed has no effect")
    refused(
        "rule 33: removing again by id",
        NotFoundError,
        "entity_not_found",
        world.authorization.remove_role_assignment,
        alice.id,
        made.id,
    )
    for target in (by_id(hq), by_external_id(hq)):
        world.assign(alice, role, hq)
        world.authorization.remove_role(alice.id, role_slug=role, resource_target=target)
        expect(not world.may(alice, see, hq), "rule 33: removed by criteria, with a body on DELETE")
        refused(
            "rule 33: removing again by criteria",
            NotFoundError,
            "entity_not_found",
            world.authorization.remove_role,
            alice.id,
            role_slug=role,
            resource_target=target,
        )


def refusals(world):
    organization, elsewhere = world.organization("Acme"), world.organization("Globex")
    role, project_role = world.role("seer", "workspace"), world.role("author", "project")
    foreign_role = world.authorization.create_organization_role(
        elsewhere.id, name="Foreign", slug=world.unique("org-foreign"), resource_type_slug="workspace"
    ).slug
    hq, foreign = world.resource(organization, "workspace", "hq"), world.resource(elsewhere, "workspace", "foreign")
    alice = world.member(organization)

    refused(
        "rule 27: a role of another type",
        UnprocessableEntityError,
        UNPROCESSABLE,
        world.assign,
        alice,
        project_role,
        hq,
    )
    for what, role_slug, target in (
        ("rule 28: a role of another organization", foreign_role, by_id(hq)),
        ("rule 29: an unknown role", "no-such-role", by_id(hq)),
        ("rule 29: a resource of another organization", role, by_id(foreign)),
        ("rule 29: an external id of another organization", role, by_external_id(foreign)),
    ):
        refused(
            what,
            NotFoundError,
            "entity_not_found",
            world.authorization.assign_role,
            alice.id,
            role_slug=role_slug,
            resource_target=target,
        )
    refused(
        "rule 29: an unknown membership",
        NotFoundError,
        "entity_not_found",
        world.authorization.assign_role,
        "om_01JZZZZZZZZZZZZZZZZZZZZZZZ",
        role_slug=role,
        resource_target=by_id(hq),
    )
    refused(
        "rule 7: no resource",
        UnprocessableEntityError,
        "invalid_request_parameters",
        world.authorization.assign_role,
        alice.id,
        role_slug=role,
        resource_target=None,
    )
    equal(world.authorization.list_role_assignments_for_resource(hq.id).data, [], "what is refused assigns nothing")


def several_roles_and_levels(world):
    organization = world.organization()
    see, edit = world.permission("project:see", "project"), world.permission("project:edit", "project")
    viewer, editor = world.role("viewer", "project", see), world.role("editor", "project", edit)
    admin = world.role("admin", "workspace", see, edit)
    hq = world.resource(organization, "workspace", "hq")
    website = world.resource(organization, "project", "website", hq)
    alice = world.member(organization)

    def may():
        return world.may(alice, see, website), world.may(alice, edit, website)

    world.assign(alice, viewer, website)
    world.assign(alice, editor, website)
    equal(may(), (True, True), "rule 32: several roles on one resource add up")
    world.authorization.remove_role(alice.id, role_slug=editor, resource_target=by_id(website))
    equal(may(), (True, False), "rule 32: each goes by itself")
    above = world.assign(alice, admin, hq)
    equal(may(), (True, True), "rule 3: a role above adds to it")
    world.authorization.remove_role_assignment(alice.id, above.id)
    equal(may(), (True, False), "rule 34: what it gave below goes, a direct grant on the child stays")


def lists_of_a_membership(world):
    organization = world.organization()
    see = world.permission("project:see", "project")
    role, viewer = world.role("seer", "workspace", see), world.role("viewer", "project", see)
    organization_role = world.role("manager", "organization")
    hq, lab = world.resource(organization, "workspace", "hq"), world.resource(organization, "workspace", "lab")
    projects = [world.resource(organization, "project", f"project-{number}", hq) for number in range(3)]
    alice = world.member(organization, "alice", organization_role)
    group = world.group(organization, "Staff", alice)
    direct = [world.assign(alice, role, hq)] + [world.assign(alice, viewer, project) for project in projects]
    grouped = world.authorization.create_group_role_assignment(group.id, role_slug=role, resource_id=lab.id)

    def listing(**filters):
        return lambda **page: world.authorization.list_role_assignments(alice.id, **filters, **page)

    everything = listing()(limit=100).data
    pages("rule 35: assignments of a membership", listing(), ids(everything))
    for one in everything:
        an_id(one.id, "role_assignment")
        equal(one.organization_membership_id, alice.id, "rule 35: of this membership")
    expect(set(ids(direct)) <= set(ids(everything)), "rule 35: the direct ones are listed")
    equal(len(everything), len(direct) + 2, "rule 35: with the one of the group and the organization's")

    root = world.root(organization)
    own = [one for one in everything if one.resource.resource_type_slug == "organization"]
    equal(
        [(one.role.slug, one.resource.id, one.resource.external_id, one.source.type) for one in own],
        [(organization_role, root.id, organization.id, "direct")],
        "rule 36: the role in the organization is an assignment on its root",
    )
    derived = [one for one in everything if one.source.type == "group"]
    equal(
        [(one.role.slug, one.resource.id, one.source.group_role_assignment_id) for one in derived],
        [(role, lab.id, grouped.id)],
        "section 3.8: an assignment that a group gives",
    )
    equal(
        [(one.source.group.id, one.source.group.name) for one in derived],
        [(group.id, "Staff")],
        "section 3.8: it names the group",
    )
    refused(
        "rule 38: deleting what a group gives",
        UnprocessableEntityError,
        UNPROCESSABLE,
        world.authorization.remove_role_assignment,
        alice.id,
        derived[0].id,
    )

    for what, filters, expected in (
        ("resource_id", {"resource_id": hq.id}, [direct[0].id]),
        ("resource_type_slug", {"resource_type_slug": "project"}, ids(direct[1:])),
        ("resource_external_id", {"resource_external_id": "lab"}, ids(derived)),
        ("both", {"resource_external_id": "project-1", "resource_type_slug": "project"}, [direct[2].id]),
        ("a mismatch of both", {"resource_external_id": "project-1", "resource_type_slug": "workspace"}, []),
    ):
        same_members(ids(listing(**filters)(limit=100).data), expected, f"rule 35: filtered by {what}")
    refused(
        "the assignments of an unknown membership",
        NotFoundError,
        "entity_not_found",
        world.authorization.list_role_assignments,
        "om_01JZZZZZZZZZZZZZZZZZZZZZZZ",
    )


def lists_of_a_resource(world):
    organization = world.organization()
    see = world.permission("project:see", "project")
    viewer, editor = world.role("viewer", "project", see), world.role("editor", "project", see)
    admin = world.role("admin", "workspace", see)
    hq = world.resource(organization, "workspace", "hq")
    website = world.resource(organization, "project", "website", hq)
    members = [world.member(organization, f"user-{number}") for number in range(3)]
    group = world.group(organization, "Staff", members[0])
    direct = [world.assign(member, viewer, website) for member in members]
    direct.append(world.assign(members[0], editor, website))
    world.assign(members[0], admin, hq)
    world.authorization.create_group_role_assignment(group.id, role_slug=editor, resource_id=website.id)

    def by_id_listing(**filters):
        return lambda **page: world.authorization.list_role_assignments_for_resource(website.id, **filters, **page)

    def by_external_id_listing(**filters):
        return lambda **page: world.authorization.list_role_assignments_for_resource_by_external_id(
            organization.id, "project", "website", **filters, **page
        )

    for how, listing in (("by id", by_id_listing), ("by external id", by_external_id_listing)):
        everything = listing()(limit=100).data
        pages(f"rule 37: assignments on a resource, {how}", listing(), ids(everything))
        same_members(
            ids(one for one in everything if one.source.type == "direct"), ids(direct), f"rule 37: none from above, {how}"
        )
        same_members(
            [(one.organization_membership_id, one.role.slug) for one in everything if one.source.type == "group"],
            [(members[0].id, editor)],
            f"rule 37: with those that groups give, {how}",
        )
        pages(f"rule 37: filtered by role, {how}", listing(role_slug=viewer), ids(direct[:3]))
        equal(listing(role_slug=admin)().data, [], f"rule 37: a role that nobody has on it, {how}")
    refused(
        "the assignments on an unknown resource",
        NotFoundError,
        "entity_not_found",
        world.authorization.list_role_assignments_for_resource,
        "authz_resource_01JZZZZZZZZZZZZZZZZZZZZZZZ",
    )
    refused(
        "the assignments on an unknown external id",
        NotFoundError,
        "entity_not_found",
        world.authorization.list_role_assignments_for_resource_by_external_id,
        organization.id,
        "project",
        "no-such",
    )


def the_role_in_the_organization(world):
    organization = world.organization()
    see, edit = world.permission("workspace:see", "workspace"), world.permission("workspace:edit", "workspace")
    viewer, editor = world.role("viewer", "organization", see), world.role("editor", "organization", edit)
    root = world.root(organization)
    alice = world.member(organization, "alice", viewer)
    workspace = world.resource(organization, "workspace", "hq")

    def state():
        membership = world.memberships.get_organization_membership(alice.id)
        listed = world.authorization.list_role_assignments(alice.id, resource_id=root.id)
        may = world.may(alice, see, workspace), world.may(alice, edit, workspace)
        return membership.role.slug, [role.slug for role in membership.roles], [one.role.slug for one in listed.data], may

    equal(state(), (viewer, [viewer], [viewer], (True, False)), "rule 36: the role at the beginning")
    made = world.assign(alice, editor, root)
    equal(
        (made.role.slug, made.resource.id, made.resource.resource_type_slug),
        (editor, root.id, "organization"),
        "rule 36: an assignment of a role in the organization",
    )
    equal(state(), (editor, [editor], [editor], (False, True)), "rule 36: it replaces the role, where there is one only")
    world.authorization.remove_role_assignment(alice.id, made.id)
    equal(state(), ("member", ["member"], ["member"], (False, False)), "rule 36: without it, the default role it is")


CASES = [
    life,
    refusals,
    several_roles_and_levels,
    lists_of_a_membership,
    lists_of_a_resource,
    the_role_in_the_organization,
]
