"""Groups and their members: rules 40, 41, 44, 51, 52."""

from workos._errors import NotFoundError, UnprocessableEntityError

from support import an_id, equal, expect, ids, pages, refused, times

UNPROCESSABLE = ("invalid_request_parameters", "unprocessable_entity", None)


def life(world):
    organization, elsewhere = world.organization("Acme"), world.organization("Globex")
    made = world.groups.create_organization_group(organization.id, name="Engineering", description="They build")
    an_id(made.id, "group")
    times(made)
    equal(
        (made.object, made.organization_id, made.name, made.description),
        ("group", organization.id, "Engineering", "They build"),
        "section 3.8: a group that was created",
    )
    path = (organization.id, made.id)
    equal(world.groups.get_organization_group(*path), made, "a group by id")
    plain = world.groups.create_organization_group(organization.id, name="Engineering")
    equal(plain.description, None, "section 1.1: a group of which little is said")
    expect(plain.id != made.id, "section 1.1: the name of a group is not unique")

    changed = world.groups.update_organization_group(*path, name="Builders")
    equal((changed.id, changed.name, changed.description), (made.id, "Builders", "They build"), "PATCH changes what it names")
    changed = world.groups.update_organization_group(*path, description=None)
    equal((changed.name, changed.description), ("Builders", None), "null clears the description")
    equal(world.groups.get_organization_group(*path), changed, "the changed group, read again")

    for what, call in (
        ("reading", world.groups.get_organization_group),
        ("changing", lambda *where: world.groups.update_organization_group(*where, name="Ours")),
        ("deleting", world.groups.delete_organization_group),
        ("the members of", world.groups.list_group_organization_memberships),
    ):
        refused(f"rule 52: {what} a group of another organization", NotFoundError, "entity_not_found", call, elsewhere.id, made.id)
    refused(
        "section 1.1: a name of 257 characters",
        UnprocessableEntityError,
        "invalid_request_parameters",
        world.groups.create_organization_group,
        organization.id,
        name="n" * 257,
    )
    long = world.groups.create_organization_group(organization.id, name="n" * 256, description="d" * 150)
    equal((long.name, long.description), ("n" * 256, "d" * 150), "section 1.1: the longest name and description")
    refused(
        "an unknown organization",
        NotFoundError,
        "entity_not_found",
        world.groups.create_organization_group,
        "org_01JZZZZZZZZZZZZZZZZZZZZZZZ",
        name="Nowhere",
    )

    world.groups.delete_organization_group(*path)
    refused("a deleted group", NotFoundError, "entity_not_found", world.groups.get_organization_group, *path)
    refused("deleting it again", NotFoundError, "entity_not_found", world.groups.delete_organization_group, *path)


def lists(world):
    organization, elsewhere = world.organization("Acme"), world.organization("Globex")
    made = [world.group(organization, f"Team {number}") for number in range(7)]
    world.group(elsewhere, "Team 1")

    def listing(**page):
        return world.groups.list_organization_groups(organization.id, **page)

    pages("groups of an organization", listing, ids(made))
    equal(ids(listing(search="Team 3").data), [made[3].id], "section 3.6: search by name")
    equal(ids(listing(search="team").data), ids(made)[::-1], "section 3.6: search by a part of the name, in any case")
    equal(ids(listing(search=made[5].id).data), [made[5].id], "section 3.6: search by id")
    equal(listing(search="no such").data, [], "section 3.6: search for what is not there")
    refused(
        "groups of an unknown organization",
        NotFoundError,
        "entity_not_found",
        world.groups.list_organization_groups,
        "org_01JZZZZZZZZZZZZZZZZZZZZZZZ",
    )


def members(world):
    organization, elsewhere = world.organization("Acme"), world.organization("Globex")
    group = world.group(organization, "Engineering")
    path = (organization.id, group.id)
    team = [world.member(organization, f"user-{number}") for number in range(7)]
    foreign = world.member(elsewhere)

    for member in team:
        answer = world.groups.create_group_organization_membership(*path, organization_membership_id=member.id)
        equal((answer.id, answer.name), (group.id, "Engineering"), "rule 51: adding a member answers with the group")
    again = world.groups.create_group_organization_membership(*path, organization_membership_id=team[0].id)
    equal(again.id, group.id, "rule 51: adding a member again is no error")

    def listing(**page):
        return world.groups.list_group_organization_memberships(*path, **page)

    pages("members of a group", listing, ids(team))
    item = next(item for item in listing(limit=100).data if item.id == team[0].id)
    times(item)
    equal(
        (item.object, item.user_id, item.organization_id, item.status, item.user),
        ("organization_membership", team[0].user_id, organization.id, "active", team[0].user),
        "section 3.6: members with their users",
    )

    refused(
        "rule 51: an unknown membership",
        NotFoundError,
        "entity_not_found",
        world.groups.create_group_organization_membership,
        *path,
        organization_membership_id="om_01JZZZZZZZZZZZZZZZZZZZZZZZ",
    )
    refused(
        "rule 51: a membership of another organization",
        UnprocessableEntityError,
        UNPROCESSABLE,
        world.groups.create_group_organization_membership,
        *path,
        organization_membership_id=foreign.id,
    )

    world.groups.delete_group_organization_membership(*path, team[0].id)
    pages("rule 41: the members without the removed one", listing, ids(team[1:]))
    refused(
        "rule 52: removing who is no member",
        NotFoundError,
        "entity_not_found",
        world.groups.delete_group_organization_membership,
        *path,
        team[0].id,
    )

    world.groups.update_group_organization_memberships(*path, add=[team[0].id, team[1].id], remove=[team[6].id, team[5].id])
    pages("rule 51: PATCH adds and removes", listing, ids(team[:5]))
    world.groups.update_group_organization_memberships(*path, remove=[team[6].id, team[4].id])
    pages("rule 51: PATCH skips who is no member", listing, ids(team[:4]))
    for what, kind, code, options in (
        ("the same one in both", UnprocessableEntityError, UNPROCESSABLE, {"add": [team[6].id], "remove": [team[6].id]}),
        ("nothing at all", UnprocessableEntityError, UNPROCESSABLE, {}),
        ("nothing in both", UnprocessableEntityError, UNPROCESSABLE, {"add": [], "remove": []}),
        ("101 entries", UnprocessableEntityError, UNPROCESSABLE, {"remove": [team[6].id] * 101}),
        (
            "an unknown one",
            NotFoundError,
            "entity_not_found",
            {"add": [team[6].id, "om_01JZZZZZZZZZZZZZZZZZZZZZZZ"], "remove": [team[0].id]},
        ),
        ("one of another organization", UnprocessableEntityError, UNPROCESSABLE, {"add": [team[6].id, foreign.id]}),
    ):
        refused(
            f"rule 51: PATCH of {what}", kind, code, world.groups.update_group_organization_memberships, *path, **options
        )
    pages("rule 51: what is refused changes nothing", listing, ids(team[:4]))

    others = [world.group(organization, f"Other {number}", team[0]) for number in range(6)]
    pages(
        "groups of a membership",
        lambda **page: world.memberships.list_organization_membership_groups(team[0].id, **page),
        [group.id, *ids(others)],
    )
    equal(world.memberships.list_organization_membership_groups(team[6].id).data, [], "the groups of who is in none")


def membership_gives_and_takes_roles(world):
    organization = world.organization()
    see, edit = world.permission("workspace:see", "workspace"), world.permission("workspace:edit", "workspace")
    viewer, editor = world.role("viewer", "workspace", see), world.role("editor", "workspace", edit)
    hq = world.resource(organization, "workspace", "hq")
    project = world.resource(organization, "project", "website", hq)
    alice, bob = world.member(organization, "alice"), world.member(organization, "bob")
    one, two = world.group(organization, "One", alice), world.group(organization, "Two")
    path = (organization.id, one.id)

    def may(member):
        return world.may(member, see, hq), world.may(member, edit, project)

    for role in (viewer, editor):
        world.authorization.create_group_role_assignment(one.id, role_slug=role, resource_id=hq.id)
    equal(may(alice), (True, True), "rules 40, 43, 45: members gain the roles, which count below as well")
    equal(may(bob), (False, False), "rule 40: others do not")
    world.groups.create_group_organization_membership(*path, organization_membership_id=bob.id)
    equal(may(bob), (True, True), "rules 40, 41, 44: a new member gains them before the answer")

    world.authorization.create_group_role_assignment(two.id, role_slug=viewer, resource_id=hq.id)
    world.groups.create_group_organization_membership(organization.id, two.id, organization_membership_id=bob.id)
    world.groups.delete_group_organization_membership(*path, bob.id)
    equal(may(bob), (True, False), "rules 41, 44: without the group, its roles go; what another group gives stays")
    world.groups.update_group_organization_memberships(*path, add=[bob.id], remove=[alice.id])
    equal((may(alice), may(bob)), ((False, False), (True, True)), "rules 44, 51: one PATCH for both")

    direct = world.assign(bob, editor, hq)
    world.groups.delete_organization_group(*path)
    equal(may(bob), (True, True), "rule 52: without the group, what another source gives stays")
    world.authorization.remove_role_assignment(bob.id, direct.id)
    equal(may(bob), (True, False), "rule 52: and no more")
    equal(world.memberships.get_organization_membership(bob.id).status, "active", "rule 52: memberships stay")
    listed = world.authorization.list_role_assignments_for_resource(hq.id)
    equal(
        [(item.organization_membership_id, item.source.group.id) for item in listed.data],
        [(bob.id, two.id)],
        "rule 52: the derived assignments of a deleted group are gone",
    )
    refused(
        "rule 52: the assignments of a deleted group",
        NotFoundError,
        "entity_not_found",
        world.authorization.list_group_role_assignments,
        one.id,
    )


CASES = [life, lists, members, membership_gives_and_takes_roles]
