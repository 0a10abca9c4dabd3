"""Resources."""

from workos._errors import BadRequestError, ConflictError, NotFoundError, UnprocessableEntityError
from workos.authorization import ParentByExternalId, ParentById

from support import an_id, equal, expect, ids, pages, refused, times
from world import parent_by_external_id, parent_by_id

# The reference leaves the code of these refusals open.
UNPROCESSABLE = ("invalid_request_parameters", "unprocessable_entity", None)


def life(world):
    organization = world.organization()
    root = world.root(organization)
    made = world.authorization.create_resource(
        organization_id=organization.id,
        resource_type_slug="workspace",
        external_id="hq",
        name="Headquarters",
        description="Where it all began",
    )
    an_id(made.id, "authz_resource")
    times(made)
    equal(
        (
            made.object,
            made.external_id,
            made.name,
            made.description,
            made.resource_type_slug,
            made.organization_id,
            made.parent_resource_id,
        ),
        ("authorization_resource", "hq", "Headquarters", "Where it all began", "workspace", organization.id, root.id),
        "rule 53, section 1.3: a resource that was created without a parent is below the root",
    )
    equal(world.authorization.get_resource(made.id), made, "a resource by id")
    by_external_id = (organization.id, "workspace", "hq")
    equal(world.authorization.get_resource_by_external_id(*by_external_id), made, "a resource by external id")

    child = world.authorization.create_resource(
        organization_id=organization.id,
        resource_type_slug="project",
        external_id="website",
        name="Website",
        parent_resource=parent_by_id(made),
    )
    equal((child.parent_resource_id, child.description), (made.id, None), "rule 54: a parent by id")
    other = world.authorization.create_resource(
        organization_id=organization.id,
        resource_type_slug="project",
        external_id="app",
        name="App",
        description=None,
        parent_resource=parent_by_external_id(made),
    )
    equal(other.parent_resource_id, made.id, "rule 54: a parent by external id")

    changed = world.authorization.update_resource(made.id, name="HQ")
    equal(
        (changed.id, changed.name, changed.description, changed.external_id, changed.parent_resource_id, changed.created_at),
        (made.id, "HQ", made.description, "hq", root.id, made.created_at),
        "rule 57: what is absent stays",
    )
    changed = world.authorization.update_resource(made.id, description=None)
    equal((changed.name, changed.description), ("HQ", None), "rule 57: null clears the description")
    changed = world.authorization.update_resource_by_external_id(*by_external_id, name="Head office", description="Anew")
    equal((changed.id, changed.name, changed.description), (made.id, "Head office", "Anew"), "rule 60: by external id")
    changed = world.authorization.update_resource_by_external_id(*by_external_id, description=None)
    equal((changed.name, changed.description), ("Head office", None), "rule 57: null by external id")
    equal(world.authorization.get_resource(made.id), changed, "the changed resource, read again")


def conflicts(world):
    organization, elsewhere = world.organization("Acme"), world.organization("Globex")
    hq = world.resource(organization, "workspace", "hq")
    refused(
        "rule 53: an external id that is taken",
        ConflictError,
        "authorization_resource_external_id_conflict",
        world.resource,
        organization,
        "workspace",
        "hq",
    )
    equal(world.resource(organization, "app", "hq").external_id, "hq", "rule 53: taken by another type only")
    equal(world.resource(elsewhere, "workspace", "hq").external_id, "hq", "rule 53: taken in another organization only")
    # Its object's name is an address of the first one only while nobody has it as an external id.
    equal(world.authorization.get_resource(hq.id), hq, "rule 53: the first one is untouched")


def refusals(world):
    organization, elsewhere = world.organization("Acme"), world.organization("Globex")
    hq = world.resource(organization, "workspace", "hq")
    website = world.resource(organization, "project", "website", hq)
    foreign = world.resource(elsewhere, "workspace", "foreign")

    refused(
        "rule 56: the type `organization`", BadRequestError, ("bad_request", None), world.resource, organization, "organization", "o"
    )
    refused("rule 56: an unknown type", NotFoundError, "entity_not_found", world.resource, organization, "no-such-type", "x")
    refused(
        "rule 54: a parent of another organization",
        NotFoundError,
        "entity_not_found",
        world.resource,
        organization,
        "project",
        "x",
        foreign,
    )
    refused(
        "rule 54: an unknown parent by external id",
        NotFoundError,
        "entity_not_found",
        world.authorization.create_resource,
        organization_id=organization.id,
        resource_type_slug="project",
        external_id="x",
        name="X",
        parent_resource=parent_by_external_id(foreign),
    )
    refused(
        "section 3.4: an unknown organization",
        NotFoundError,
        "entity_not_found",
        world.authorization.create_resource,
        organization_id="org_01JZZZZZZZZZZZZZZZZZZZZZZZ",
        resource_type_slug="workspace",
        external_id="x",
        name="X",
    )
    for what, kind, parent in (
        ("a document in a workspace", "document", hq),
        ("a workspace in a project", "workspace", website),
        ("a project in an organization", "project", None),
    ):
        refused(
            f"rule 55: {what}", UnprocessableEntityError, UNPROCESSABLE, world.resource, organization, kind, "misplaced", parent
        )
    for field, value in (("name", "n" * 49), ("description", "d" * 151), ("external_id", "e" * 129), ("external_id", "é")):
        arguments = {"external_id": "long", "name": "Long", "description": None, field: value}
        refused(
            f"section 1.1: {field} {value[:8]!r}…",
            UnprocessableEntityError,
            "invalid_request_parameters",
            world.authorization.create_resource,
            organization_id=organization.id,
            resource_type_slug="workspace",
            **arguments,
        )
    listed = world.authorization.list_resources(organization_id=organization.id, resource_type_slug="workspace")
    equal(listed.data, [hq], "what is refused creates nothing")


def moving(world):
    organization, elsewhere = world.organization("Acme"), world.organization("Globex")
    edit = world.permission("document:edit", "document")
    role = world.role("editor", "workspace", edit)
    one, two = world.resource(organization, "workspace", "one"), world.resource(organization, "workspace", "two")
    project = world.resource(organization, "project", "website", one)
    document = world.resource(organization, "document", "readme", project)
    alice, bob = world.member(organization, "alice"), world.member(organization, "bob")
    world.assign(alice, role, one)
    world.assign(bob, role, two)

    def who():
        return world.may(alice, edit, document), world.may(bob, edit, document)

    equal(who(), (True, False), "before the move")
    moved = world.authorization.update_resource(project.id, parent_resource=parent_by_id(two))
    equal(
        (moved.id, moved.parent_resource_id, moved.name), (project.id, two.id, project.name), "rule 57: a new parent by id"
    )
    equal(who(), (False, True), "rule 58: the subtree moves with it, at once")
    moved = world.authorization.update_resource_by_external_id(
        organization.id, "project", "website", parent_resource=parent_by_external_id(one)
    )
    equal(moved.parent_resource_id, one.id, "rule 57: a new parent by external id")
    equal(who(), (True, False), "rule 58: and back")

    foreign = world.resource(elsewhere, "workspace", "foreign")
    refused(
        "rule 54: moving to another organization",
        NotFoundError,
        "entity_not_found",
        world.authorization.update_resource,
        project.id,
        parent_resource=parent_by_id(foreign),
    )
    refused(
        "rule 55: moving below a wrong type",
        UnprocessableEntityError,
        UNPROCESSABLE,
        world.authorization.update_resource,
        document.id,
        parent_resource=parent_by_id(one),
    )
    # `folder` may be in itself, so that nothing but the cycle is wrong.
    outer = world.resource(organization, "folder", "outer")
    inner = world.resource(organization, "folder", "inner", outer)
    for what, target in (("itself", outer), ("a descendant", inner)):
        refused(
            f"rule 58: moving into {what}",
            UnprocessableEntityError,
            UNPROCESSABLE,
            world.authorization.update_resource,
            outer.id,
            parent_resource=parent_by_id(target),
        )
    equal(world.authorization.get_resource(outer.id), outer, "what is refused moves nothing")
    equal(who(), (True, False), "and nobody's access changed")


def deletion(world):
    organization = world.organization()
    see = world.permission("document:see", "document")
    role = world.role("reader", "workspace", see)
    alice = world.member(organization)
    group = world.group(organization, "Staff", alice)

    lonely = world.resource(organization, "workspace", "lonely")
    world.authorization.delete_resource(lonely.id)
    refused("rule 59: a deleted resource", NotFoundError, "entity_not_found", world.authorization.get_resource, lonely.id)
    refused("rule 60: deleting it again", NotFoundError, "entity_not_found", world.authorization.delete_resource, lonely.id)
    world.resource(organization, "workspace", "lonely")
    world.authorization.delete_resource_by_external_id(organization.id, "workspace", "lonely", cascade_delete=True)
    refused(
        "rule 60: deleted by external id",
        NotFoundError,
        "entity_not_found",
        world.authorization.get_resource_by_external_id,
        organization.id,
        "workspace",
        "lonely",
    )
    refused(
        "rule 60: deleting an unknown one by external id",
        NotFoundError,
        "entity_not_found",
        world.authorization.delete_resource_by_external_id,
        organization.id,
        "workspace",
        "lonely",
    )

    parent = world.resource(organization, "workspace", "parent")
    world.resource(organization, "project", "child", parent)
    assigned = world.resource(organization, "workspace", "assigned")
    assignment = world.assign(alice, role, assigned)
    group_assigned = world.resource(organization, "workspace", "group-assigned")
    group_assignment = world.authorization.create_group_role_assignment(
        group.id, role_slug=role, resource_id=group_assigned.id
    )
    for what, resource in (("children", parent), ("assignments", assigned), ("group assignments", group_assigned)):
        for options in ({}, {"cascade_delete": False}):
            refused(
                f"rule 59: deleting a resource with {what}",
                ConflictError,
                "resource_has_dependents",
                world.authorization.delete_resource,
                resource.id,
                **options,
            )
        refused(
            f"rule 59: deleting a resource with {what} by external id",
            ConflictError,
            "resource_has_dependents",
            world.authorization.delete_resource_by_external_id,
            organization.id,
            "workspace",
            resource.external_id,
        )
        equal(world.authorization.get_resource(resource.id), resource, "rule 59: it is still there")
    equal(ids(world.authorization.list_group_role_assignments(group.id).data), [group_assignment.id], "as is what it has")
    expect(assignment.id in ids(world.authorization.list_role_assignments(alice.id).data), "rule 59: with its assignment")
    for resource in (parent, assigned, group_assigned):
        world.authorization.delete_resource(resource.id, cascade_delete=True)
    listed = world.authorization.list_resources(organization_id=organization.id, resource_type_slug="workspace")
    equal(listed.data, [], "rule 59: cascade_delete deletes each of them")
    equal(world.authorization.list_group_role_assignments(group.id).data, [], "rule 59: with their group assignments")
    equal(
        [one for one in world.authorization.list_role_assignments(alice.id).data if one.role.slug == role],
        [],
        "rule 59: with their assignments",
    )


def cascade(world):
    organization = world.organization()
    see = world.permission("document:see", "document")
    roles = {kind: world.role(f"{kind}-reader", kind, see) for kind in ("workspace", "project", "document")}
    alice = world.member(organization)
    tree = [world.resource(organization, "workspace", "hq")]
    for kind, name in (("project", "website"), ("document", "readme")):
        tree.append(world.resource(organization, kind, name, tree[-1]))
    beside = world.resource(organization, "workspace", "beside")
    for resource in tree:
        world.assign(alice, roles[resource.resource_type_slug], resource)
    kept = world.assign(alice, roles["workspace"], beside)

    world.authorization.delete_resource(tree[0].id, cascade_delete=True)
    for resource in tree:
        for what, call in (
            ("reading", lambda: world.authorization.get_resource(resource.id)),
            ("checking", lambda: world.may(alice, see, resource)),
            ("the assignments of", lambda: world.authorization.list_role_assignments_for_resource(resource.id)),
        ):
            refused(f"rule 59: {what} the {resource.resource_type_slug} below", NotFoundError, "entity_not_found", call)
    left = [one.id for one in world.authorization.list_role_assignments(alice.id).data if one.role.slug in roles.values()]
    equal(left, [kept.id], "rule 59: assignments in the subtree are gone, those beside it stay")
    anew = world.resource(organization, "workspace", "hq")
    expect(not world.may(alice, see, anew), "rule 59: what is created anew inherits nothing")


def lists(world):
    organization, elsewhere = world.organization("Acme"), world.organization("Globex")
    hq, lab = world.resource(organization, "workspace", "hq"), world.resource(organization, "workspace", "lab")
    projects = [world.resource(organization, "project", f"project-{number}", hq) for number in range(7)]
    other = world.resource(organization, "project", "elsewhere", lab)
    foreign = world.resource(elsewhere, "workspace", "hq")

    def listing(**filters):
        return lambda **page: world.authorization.list_resources(**filters, **page)

    inside = {"organization_id": organization.id}
    pages("resources of a type", listing(**inside, resource_type_slug="project"), ids(projects) + [other.id])
    pages("resources below a parent", listing(parent=ParentById(hq.id)), ids(projects))
    by_external_id = ParentByExternalId(parent_resource_type_slug="workspace", parent_external_id="hq")
    pages("resources below a parent by external id", listing(**inside, parent=by_external_id), ids(projects))
    pages("resources by external id", listing(**inside, resource_external_id="hq", resource_type_slug="workspace"), [hq.id])
    pages(
        "resources by all of it",
        listing(**inside, resource_type_slug="project", resource_external_id="elsewhere", parent=ParentById(lab.id)),
        [other.id],
    )
    for what, filters in (
        ("a parent of another", {"resource_external_id": "elsewhere", "parent": ParentById(hq.id)}),
        ("a type of another", {"resource_type_slug": "document"}),
        ("an external id of none", {"resource_external_id": "none", "resource_type_slug": "project"}),
    ):
        equal(listing(**inside, **filters)().data, [], f"rule 61: filters add up: {what}")
    both = [one.id for one in listing(resource_external_id="hq", resource_type_slug="workspace")(limit=100).auto_paging_iter()]
    expect({hq.id, foreign.id} <= set(both), "rule 61: without an organization, those of all")
    refused(
        "rule 61: an external id of nothing in particular",
        BadRequestError,
        "missing_organization_id_or_resource_type_slug",
        listing(resource_external_id="hq"),
    )


CASES = [life, conflicts, refusals, moving, deletion, cascade, lists]
