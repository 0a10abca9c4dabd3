"""Permissions."""

from workos._errors import ConflictError, NotFoundError, UnprocessableEntityError

from support import an_id, equal, expect, forward, refused, slugs, times


def life(world):
    slug = world.unique("document:read")
    made = world.authorization.create_permission(
        slug=slug, name="Read documents", description="All of them", resource_type_slug="document"
    )
    an_id(made.id, "perm")
    times(made)
    equal(
        (made.object, made.slug, made.name, made.description, made.system, made.resource_type_slug),
        ("permission", slug, "Read documents", "All of them", False, "document"),
        "section 3.8: a permission that was created",
    )
    equal(world.authorization.get_permission(slug), made, "rule 62: a permission by its slug")

    plain = world.authorization.create_permission(slug=world.unique("docs.read_*"), name="Plain")
    equal(
        (plain.resource_type_slug, plain.description),
        ("organization", None),
        "section 1.1: a permission of which little is said",
    )
    equal(world.authorization.get_permission(plain.slug), plain, "rule 76: a slug with `.`, `_` and `*`")

    changed = world.authorization.update_permission(slug, name="See documents")
    equal(
        (changed.id, changed.slug, changed.name, changed.description, changed.resource_type_slug),
        (made.id, slug, "See documents", "All of them", "document"),
        "rule 62: PATCH changes what it names",
    )
    changed = world.authorization.update_permission(slug, description=None)
    equal((changed.name, changed.description), ("See documents", None), "rule 62: null clears the description")
    equal(world.authorization.get_permission(slug).description, None, "the cleared description, read again")

    refused(
        "rule 62: a slug that is taken",
        ConflictError,
        "permission_slug_conflict",
        world.authorization.create_permission,
        slug=slug,
        name="Again",
        resource_type_slug="document",
    )
    refused(
        "rule 62: a slug is unique in the environment, not in its type",
        ConflictError,
        "permission_slug_conflict",
        world.authorization.create_permission,
        slug=slug,
        name="Again",
        resource_type_slug="project",
    )
    refused(
        "section 3.5: an unknown resource type",
        NotFoundError,
        "entity_not_found",
        world.authorization.create_permission,
        slug=world.unique("ghost:see"),
        name="Ghost",
        resource_type_slug="no-such-type",
    )
    for bad in ("Document:Read", "a b", "x" * 49, ""):
        refused(
            f"section 1.1: the slug {bad!r}",
            UnprocessableEntityError,
            "invalid_request_parameters",
            world.authorization.create_permission,
            slug=bad,
            name="Bad",
        )

    world.authorization.delete_permission(slug)
    for what, call in (
        ("reading", lambda: world.authorization.get_permission(slug)),
        ("changing", lambda: world.authorization.update_permission(slug, name="Ghost")),
        ("deleting", lambda: world.authorization.delete_permission(slug)),
    ):
        refused(f"rule 62: {what} a deleted permission", NotFoundError, "entity_not_found", call)


def deletion_takes_it_from_roles(world):
    see, edit = world.permission("workspace:see", "workspace"), world.permission("workspace:edit", "workspace")
    role = world.role("editor", "workspace", see, edit)
    organization = world.organization()
    workspace = world.resource(organization, "workspace", "hq")
    alice = world.member(organization)
    world.assign(alice, role, workspace)
    expect(world.may(alice, edit, workspace), "alice edits the workspace")
    world.authorization.delete_permission(edit)
    equal(world.authorization.get_environment_role(role).permissions, [see], "rule 62: it is gone from the role")
    expect(not world.may(alice, edit, workspace), "rule 62: and from who had it")
    expect(world.may(alice, see, workspace), "rule 62: the rest of the role stays")


def lists(world):
    made = [world.permission(f"app:action-{number}", "app") for number in range(7)]

    def listing(**page):
        return world.authorization.list_permissions(limit=5, **page)

    everything = [(item.id, item.slug) for item in listing().auto_paging_iter()]
    own = [slug for _, slug in everything if slug in made]
    equal(own, made[::-1], "rule 68: permissions, the newest first")
    forward("permissions", listing, [id for id, _ in everything])
    ascending = [item.slug for item in listing(order="asc").auto_paging_iter()]
    equal(ascending, [slug for _, slug in everything][::-1], "rule 68: permissions, the oldest first")
    expect(len(set(slugs(listing().data))) == 5, "rule 68: a page of five permissions")


CASES = [life, deletion_takes_it_from_roles, lists]
