"""What a membership may do, where it may, and who may: rules 15 to 26."""

from workos._errors import NotFoundError, UnprocessableEntityError

from support import equal, ids, pages, refused, same_members, times
from world import parent_by_external_id, parent_by_id


def effective_permissions(world):
    organization, elsewhere = world.organization("Acme"), world.organization("Globex")
    kinds = ("workspace", "workspace", "project", "project", "document", "document", "document")
    made = [world.permission(f"{kind}:action-{number}", kind) for number, kind in enumerate(kinds)]
    admin = world.role("admin", "workspace", *made[:5])
    author = world.role("author", "project", *made[4:])
    hq = world.resource(organization, "workspace", "hq")
    website = world.resource(organization, "project", "website", hq)
    foreign = world.resource(elsewhere, "workspace", "foreign")
    alice = world.member(organization)
    world.assign(alice, admin, hq)
    world.assign(alice, author, website)

    def listing(resource):
        return lambda **page: world.authorization.list_effective_permissions(alice.id, resource.id, **page)

    declared = {slug: world.authorization.get_permission(slug) for slug in made}
    pages("rule 15: permissions on a project", listing(website), [declared[slug].id for slug in made])
    for item in listing(website)(limit=100).data:
        equal(item, declared[item.slug], "rules 15, 16: a permission object, labelled with the type that declares it")
        times(item)
    pages("rule 15: permissions on the workspace above", listing(hq), [declared[slug].id for slug in made[:5]])
    pages(
        "rule 15: permissions by external id",
        lambda **page: world.authorization.list_effective_permissions_by_external_id(alice.id, "project", "website", **page),
        [declared[slug].id for slug in made],
    )
    equal(listing(world.root(organization))().data, [], "rule 15: no permissions on the organization")
    for slug in made:
        equal(world.may(alice, slug, website), True, "rule 15: each is one for which a check says yes")

    for what, membership, resource in (
        ("an unknown membership", "om_01JZZZZZZZZZZZZZZZZZZZZZZZ", website.id),
        ("an unknown resource", alice.id, "authz_resource_01JZZZZZZZZZZZZZZZZZZZZZZZ"),
        ("a resource of another organization", alice.id, foreign.id),
    ):
        refused(
            f"rule 17: {what}",
            NotFoundError,
            "entity_not_found",
            world.authorization.list_effective_permissions,
            membership,
            resource,
        )
    refused(
        "rule 17: an external id of another organization",
        NotFoundError,
        "entity_not_found",
        world.authorization.list_effective_permissions_by_external_id,
        alice.id,
        "workspace",
        "foreign",
    )


def resources_of_a_membership(world):
    organization, elsewhere = world.organization("Acme"), world.organization("Globex")
    edit, see = world.permission("project:edit", "project"), world.permission("project:see", "project")
    admin = world.role("admin", "workspace", edit)
    viewer = world.role("viewer", "project", see)
    manager = world.role("manager", "organization", see)
    hq, lab = world.resource(organization, "workspace", "hq"), world.resource(organization, "workspace", "lab")
    projects = [world.resource(organization, "project", f"project-{number}", hq) for number in range(7)]
    world.resource(organization, "document", "readme", projects[0])
    world.resource(organization, "project", "experiment", lab)
    foreign = world.resource(elsewhere, "workspace", "foreign")
    alice, bob = world.member(organization, "alice"), world.member(organization, "bob")
    carol = world.member(organization, "carol", manager)
    world.assign(alice, admin, hq)
    for project in projects[:2]:
        world.assign(bob, viewer, project)

    def listing(member, permission, parent):
        return lambda **page: world.authorization.list_resources_for_membership(
            member.id, permission_slug=permission, parent_resource=parent, **page
        )

    pages(
        "rules 19, 20, 21: children on which a grant on the parent allows it",
        listing(alice, edit, parent_by_id(hq)),
        ids(projects),
    )
    pages("rule 18: a parent by external id", listing(alice, edit, parent_by_external_id(hq)), ids(projects))
    pages("rule 19: children with a grant of their own", listing(bob, see, parent_by_id(hq)), ids(projects[:2]))
    pages("rule 20: a grant above the parent", listing(carol, see, parent_by_id(hq)), ids(projects))
    root = parent_by_id(world.root(organization))
    pages("rule 19: direct children only", listing(alice, edit, root), [hq.id])
    pages("rule 20: a role in the organization", listing(carol, see, root), [hq.id, lab.id])
    for what, member, permission, parent in (
        ("another permission", alice, see, parent_by_id(hq)),
        ("another parent", alice, edit, parent_by_id(lab)),
        ("an unknown permission", alice, "no:such", parent_by_id(hq)),
    ):
        equal(listing(member, permission, parent)().data, [], f"rule 19: {what}")
    equal(listing(alice, edit, parent_by_id(hq))(limit=1).data, [projects[-1]], "rule 19: the items are resources")

    refused(
        "a parent of another organization", NotFoundError, "entity_not_found", listing(alice, edit, parent_by_id(foreign))
    )
    refused(
        "rule 18: no permission", UnprocessableEntityError, "invalid_request_parameters", listing(alice, None, parent_by_id(hq))
    )


def memberships_of_a_resource(world):
    organization = world.organization()
    edit = world.permission("project:edit", "project")
    admin = world.role("admin", "workspace", edit)
    editor = world.role("editor", "project", edit)
    bystander = world.role("bystander", "project")
    manager = world.role("manager", "organization", edit)
    hq = world.resource(organization, "workspace", "hq")
    website = world.resource(organization, "project", "website", hq)
    direct = [world.member(organization, f"direct-{number}") for number in range(7)]
    above, nothing = world.member(organization, "above"), world.member(organization, "nothing")
    managing = world.member(organization, "managing", manager)
    grouped = world.member(organization, "grouped")
    group = world.group(organization, "Editors", grouped)
    for member in direct:
        world.assign(member, editor, website)
    world.assign(above, admin, hq)
    world.assign(nothing, bystander, website)
    world.authorization.create_group_role_assignment(group.id, role_slug=editor, resource_id=website.id)

    def listing(**options):
        return lambda **page: world.authorization.list_memberships_for_resource(
            website.id, permission_slug=edit, **options, **page
        )

    def by_external_id(**options):
        return lambda **page: world.authorization.list_memberships_for_resource_by_external_id(
            organization.id, "project", "website", permission_slug=edit, **options, **page
        )

    on_it = ids(direct) + [grouped.id]
    everyone = on_it + [above.id, managing.id]
    for how, call in (("by id", listing), ("by external id", by_external_id)):
        pages(f"rules 23, 25: memberships with a grant on it, {how}", call(), on_it)
        pages(f"rule 23: `direct`, {how}", call(assignment="direct"), on_it)
        pages(f"rule 24: `indirect`, {how}", call(assignment="indirect"), everyone)
        refused(
            f"rule 25: another value, {how}", UnprocessableEntityError, "invalid_request_parameters", call(assignment="sideways")
        )
    same_members(
        [member.id for member in (*direct, grouped, above, managing, nothing) if world.may(member, edit, website)],
        everyone,
        "rule 24: those for whom a check says yes",
    )
    item = next(item for item in listing()(limit=100).data if item.id == direct[0].id)
    times(item)
    equal(
        (item.object, item.user_id, item.organization_id, item.status, item.directory_managed, item.user),
        ("organization_membership", direct[0].user_id, organization.id, "active", False, direct[0].user),
        "rule 26: memberships with the user embedded",
    )
    refused(
        "rule 22: no permission",
        UnprocessableEntityError,
        "invalid_request_parameters",
        world.authorization.list_memberships_for_resource,
        website.id,
        permission_slug=None,
    )
    refused(
        "rule 22: an unknown resource",
        NotFoundError,
        "entity_not_found",
        world.authorization.list_memberships_for_resource,
        "authz_resource_01JZZZZZZZZZZZZZZZZZZZZZZZ",
        permission_slug=edit,
    )
    refused(
        "rule 22: an unknown external id",
        NotFoundError,
        "entity_not_found",
        world.authorization.list_memberships_for_resource_by_external_id,
        organization.id,
        "project",
        "no-such",
        permission_slug=edit,
    )


CASES = [effective_permissions, resources_of_a_membership, memberships_of_a_resource]
