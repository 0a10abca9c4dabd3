"""Role assignments of groups: rules 40 to 50."""

from workos._errors import ConflictError, NotFoundError, UnprocessableEntityError
from workos.authorization.models import ReplaceGroupRoleAssignmentEntry as Entry

from support import an_id, equal, expect, ids, pages, refused, same_members, times

UNPROCESSABLE = ("invalid_request_parameters", "unprocessable_entity", "invalid_role", None)


def life(world):
    organization = world.organization()
    see, manage = world.permission("workspace:see", "workspace"), world.permission("organization:manage", "organization")
    role, organization_role = world.role("seer", "workspace", see), world.role("manager", "organization", manage)
    hq = world.resource(organization, "workspace", "hq")
    root = world.root(organization)
    alice = world.member(organization)
    group, other = world.group(organization, "Staff", alice), world.group(organization, "Other")

    made = world.authorization.create_group_role_assignment(group.id, role_slug=role, resource_id=hq.id)
    an_id(made.id, "gra")
    times(made)
    equal(
        (made.object, made.group_id, made.role.slug),
        ("group_role_assignment", group.id, role),
        "section 3.8: an assignment of a group that was created",
    )
    equal(
        (made.resource.id, made.resource.external_id, made.resource.resource_type_slug),
        (hq.id, "hq", "workspace"),
        "section 3.8: its resource",
    )
    expect(world.may(alice, see, hq), "rules 40, 45: it is effective at once")
    equal(world.authorization.get_group_role_assignment(group.id, made.id), made, "an assignment by id")
    refused(
        "an assignment by the id of another group",
        NotFoundError,
        "entity_not_found",
        world.authorization.get_group_role_assignment,
        other.id,
        made.id,
    )
    refused(
        "rule 47: the same again",
        ConflictError,
        "duplicate_group_role_assignment",
        world.authorization.create_group_role_assignment,
        group.id,
        role_slug=role,
        resource_external_id="hq",
        resource_type_slug="workspace",
    )

    on_organization = world.authorization.create_group_role_assignment(group.id, role_slug=organization_role)
    equal(
        (
            on_organization.resource.id,
            on_organization.resource.external_id,
            on_organization.resource.resource_type_slug,
        ),
        (root.id, organization.id, "organization"),
        "section 1.7: without a resource, the organization it is",
    )
    expect(world.may(alice, manage, hq), "rule 40: a role in the organization")
    refused(
        "rule 47: the same again, by the root's id",
        ConflictError,
        "duplicate_group_role_assignment",
        world.authorization.create_group_role_assignment,
        group.id,
        role_slug=organization_role,
        resource_id=root.id,
    )

    world.authorization.delete_group_role_assignments(group.id, role_slug=organization_role)
    expect(not world.may(alice, manage, hq), "rules 42, 50: removed by criteria, without a resource")
    world.authorization.delete_group_role_assignment(group.id, made.id)
    expect(not world.may(alice, see, hq), "rules 42, 45: removed by id, effective at once")
    for what, call, arguments, options in (
        ("by id", world.authorization.delete_group_role_assignment, (group.id, made.id), {}),
        ("reading", world.authorization.get_group_role_assignment, (group.id, made.id), {}),
        ("by criteria", world.authorization.delete_group_role_assignments, (group.id,), {"role_slug": organization_role}),
    ):
        refused(f"rule 50: again, {what}", NotFoundError, "entity_not_found", call, *arguments, **options)
    for target in ({"resource_id": hq.id}, {"resource_external_id": "hq", "resource_type_slug": "workspace"}):
        world.authorization.create_group_role_assignment(group.id, role_slug=role, **target)
        expect(world.may(alice, see, hq), "rule 40: assigned anew")
        refused(
            "rule 50: without a resource, only the organization is meant",
            NotFoundError,
            "entity_not_found",
            world.authorization.delete_group_role_assignments,
            group.id,
            role_slug=role,
        )
        world.authorization.delete_group_role_assignments(group.id, role_slug=role, **target)
        expect(not world.may(alice, see, hq), f"rule 50: removed by criteria, with a body on DELETE: {target}")


def refusals(world):
    organization, elsewhere = world.organization("Acme"), world.organization("Globex")
    role, project_role = world.role("seer", "workspace"), world.role("author", "project")
    foreign_role = world.authorization.create_organization_role(
        elsewhere.id, name="Foreign", slug=world.unique("org-foreign"), resource_type_slug="workspace"
    ).slug
    hq, foreign = world.resource(organization, "workspace", "hq"), world.resource(elsewhere, "workspace", "foreign")
    group = world.group(organization, "Staff")
    create = world.authorization.create_group_role_assignment

    for what, options in (
        ("an unknown role", {"role_slug": "no-such-role", "resource_id": hq.id}),
        ("a role of another organization", {"role_slug": foreign_role, "resource_id": hq.id}),
        ("a resource of another organization", {"role_slug": role, "resource_id": foreign.id}),
        (
            "an unknown external id",
            {"role_slug": role, "resource_external_id": "none", "resource_type_slug": "workspace"},
        ),
    ):
        refused(f"section 3.3: {what}", NotFoundError, "entity_not_found", create, group.id, **options)
    refused(
        "section 3.3: an unknown group",
        NotFoundError,
        "entity_not_found",
        create,
        "group_01JZZZZZZZZZZZZZZZZZZZZZZZ",
        role_slug=role,
        resource_id=hq.id,
    )
    for what, options in (
        ("a role of another type", {"role_slug": project_role, "resource_id": hq.id}),
        ("a role that is none of the organization's", {"role_slug": role}),
        ("two resources", {"role_slug": role, "resource_id": hq.id, "resource_external_id": "hq", "resource_type_slug": "workspace"}),
        ("half a pair", {"role_slug": role, "resource_external_id": "hq"}),
    ):
        refused(f"rules 7, 27: {what}", UnprocessableEntityError, UNPROCESSABLE, create, group.id, **options)
    equal(world.authorization.list_group_role_assignments(group.id).data, [], "what is refused assigns nothing")


def lists(world):
    organization = world.organization()
    role = world.role("seer", "workspace")
    group, other = world.group(organization, "Staff"), world.group(organization, "Other")
    workspaces = [world.resource(organization, "workspace", f"workspace-{number}") for number in range(7)]
    made = [
        world.authorization.create_group_role_assignment(group.id, role_slug=role, resource_id=workspace.id)
        for workspace in workspaces
    ]
    world.authorization.create_group_role_assignment(other.id, role_slug=role, resource_id=workspaces[0].id)
    pages(
        "assignments of a group",
        lambda **page: world.authorization.list_group_role_assignments(group.id, **page),
        ids(made),
    )


def replace(world):
    organization = world.organization()
    see, edit = world.permission("workspace:see", "workspace"), world.permission("workspace:edit", "workspace")
    viewer, editor = world.role("viewer", "workspace", see), world.role("editor", "workspace", edit)
    manager = world.role("manager", "organization")
    hq, lab = world.resource(organization, "workspace", "hq"), world.resource(organization, "workspace", "lab")
    alice = world.member(organization)
    group = world.group(organization, "Staff", alice)

    def may():
        return tuple(world.may(alice, permission, place) for place in (hq, lab) for permission in (see, edit))

    def put(*entries):
        return world.authorization.update_group_role_assignments(group.id, role_assignments=list(entries))

    def state():
        listed = world.authorization.list_group_role_assignments(group.id, limit=100).data
        return sorted((item.role.slug, item.resource.external_id) for item in listed)

    first = world.authorization.create_group_role_assignment(group.id, role_slug=viewer, resource_id=hq.id)
    answer = put(
        Entry(role_slug=viewer, resource_id=hq.id),
        Entry(role_slug=editor, resource_external_id="lab", resource_type_slug="workspace"),
        Entry(role_slug=manager),
    )
    expected = sorted([(viewer, "hq"), (editor, "lab"), (manager, organization.id)])
    equal(answer.object, "list", "rule 48: PUT answers with a list")
    same_members([(item.role.slug, item.resource.external_id) for item in answer.data], expected, "rule 48: of all there is")
    equal(state(), expected, "rule 48: which is what there is")
    expect(first.id in ids(answer.data), "rule 48: what stays, stays the same one")
    equal(may(), (True, False, False, True), "rule 48: it is effective")

    put(Entry(role_slug=editor, resource_id=hq.id))
    equal((state(), may()), ([(editor, "hq")], (False, True, False, False)), "rule 48: what is absent goes")
    for what, kind, code, entries in (
        ("an unknown role", NotFoundError, "entity_not_found", [Entry("no-such-role", hq.id)]),
        (
            "an unknown resource",
            NotFoundError,
            "entity_not_found",
            [Entry(viewer, hq.id), Entry(viewer, "authz_resource_01JZZZZZZZZZZZZZZZZZZZZZZZ")],
        ),
        ("a role of another type", UnprocessableEntityError, UNPROCESSABLE, [Entry(viewer, hq.id), Entry(manager, hq.id)]),
        ("101 entries", UnprocessableEntityError, UNPROCESSABLE, [Entry(viewer, hq.id)] * 101),
    ):
        refused(f"rule 48: {what}", kind, code, put, *entries)
        equal((state(), may()), ([(editor, "hq")], (False, True, False, False)), f"rule 48: nothing is changed by {what}")
    answer = put()
    equal((answer.data, state(), may()), ([], [], (False,) * 4), "rule 48: [] clears")


def patch(world):
    organization = world.organization()
    see, edit = world.permission("workspace:see", "workspace"), world.permission("workspace:edit", "workspace")
    viewer, editor = world.role("viewer", "workspace", see), world.role("editor", "workspace", edit)
    manager = world.role("manager", "organization")
    hq, lab = world.resource(organization, "workspace", "hq"), world.resource(organization, "workspace", "lab")
    alice = world.member(organization)
    group = world.group(organization, "Staff", alice)

    def change(**options):
        return world.authorization.patch_group_role_assignments(group.id, **options)

    def state():
        listed = world.authorization.list_group_role_assignments(group.id, limit=100).data
        return sorted((item.role.slug, item.resource.external_id) for item in listed)

    change(add=[Entry(viewer, hq.id), Entry(editor, resource_external_id="lab", resource_type_slug="workspace"), Entry(manager)])
    equal(state(), sorted([(viewer, "hq"), (editor, "lab"), (manager, organization.id)]), "rule 49: PATCH adds")
    expect(world.may(alice, see, hq) and world.may(alice, edit, lab), "rule 49: what it adds is effective")
    change(add=[Entry(viewer, hq.id), Entry(editor, hq.id)], remove=[Entry(manager), Entry(viewer, lab.id)])
    equal(
        state(),
        sorted([(viewer, "hq"), (editor, "hq"), (editor, "lab")]),
        "rule 49: what is there and what is not there is skipped",
    )
    before = state()
    for what, kind, code, options in (
        (
            "the same entry in both",
            UnprocessableEntityError,
            UNPROCESSABLE,
            {
                "add": [Entry(viewer, lab.id)],
                "remove": [Entry(viewer, resource_external_id="lab", resource_type_slug="workspace")],
            },
        ),
        ("nothing", UnprocessableEntityError, UNPROCESSABLE, {}),
        ("empty lists", UnprocessableEntityError, UNPROCESSABLE, {"add": [], "remove": []}),
        ("101 entries", UnprocessableEntityError, UNPROCESSABLE, {"remove": [Entry(viewer, lab.id)] * 101}),
        (
            "an unknown role",
            NotFoundError,
            "entity_not_found",
            {"add": [Entry("no-such-role", hq.id)], "remove": [Entry(viewer, hq.id)]},
        ),
        (
            "a role of another type",
            UnprocessableEntityError,
            UNPROCESSABLE,
            {"add": [Entry(viewer, lab.id), Entry(manager, hq.id)], "remove": [Entry(viewer, hq.id)]},
        ),
    ):
        refused(f"rule 49: PATCH of {what}", kind, code, change, **options)
        equal(state(), before, f"rule 49: it is atomic: {what}")
    change(remove=[Entry(viewer, hq.id), Entry(editor, hq.id), Entry(editor, lab.id)])
    equal(state(), [], "rule 49: PATCH removes")
    expect(not world.may(alice, see, hq) and not world.may(alice, edit, lab), "rule 49: at once")


def the_winner_in_an_organization(world):
    """Rule 46, where a membership has one role in its organization."""
    organization = world.organization()
    see, edit = world.permission("workspace:see", "workspace"), world.permission("workspace:edit", "workspace")
    # The older one has the higher priority.
    first, second = world.role("first", "organization", see), world.role("second", "organization", edit)
    hq = world.resource(organization, "workspace", "hq")
    alice = world.member(organization)
    group = world.group(organization, "Staff", alice)

    def state():
        role = world.memberships.get_organization_membership(alice.id).role.slug
        return role, world.may(alice, see, hq), world.may(alice, edit, hq)

    equal(state(), ("member", False, False), "rule 46: the default role at first")
    for role in (second, first):
        world.authorization.create_group_role_assignment(group.id, role_slug=role)
    equal(state(), (first, True, False), "rule 46: the role of the highest priority wins")
    world.authorization.delete_group_role_assignments(group.id, role_slug=first)
    world.authorization.delete_group_role_assignments(group.id, role_slug=second)
    equal(state(), ("member", False, False), "rule 46: without any, the default role")


CASES = [life, refusals, lists, replace, patch, the_winner_in_an_organization]
