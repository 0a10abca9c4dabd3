"""Checks: rules 1 to 14."""

from workos._errors import NotFoundError, UnprocessableEntityError
from workos.authorization import ResourceTargetByExternalId, ResourceTargetById

from support import equal, expect, refused
from world import by_external_id, by_id


def inheritance(world):
    organization, elsewhere = world.organization("Acme"), world.organization("Globex")
    workspace_edit = world.permission("workspace:edit", "workspace")
    project_edit = world.permission("project:edit", "project")
    document_edit = world.permission("document:edit", "document")
    admin = world.role("workspace-admin", "workspace", workspace_edit, project_edit)
    author = world.role("author", "project", document_edit)
    owner = world.role("owner", "organization", document_edit)
    hq = world.resource(organization, "workspace", "hq")
    lab = world.resource(organization, "workspace", "lab")
    website = world.resource(organization, "project", "website", hq)
    app = world.resource(organization, "project", "app", hq)
    readme = world.resource(organization, "document", "readme", website)
    alice, bob = world.member(organization, "alice"), world.member(organization, "bob")
    carol = world.member(organization, "carol", owner)
    world.assign(alice, admin, hq)
    world.assign(bob, author, website)

    for who, permission, resource, expected, rule in (
        (alice, workspace_edit, hq, True, "rule 2: a grant on the resource"),
        (alice, project_edit, website, True, "rule 3: a grant on its parent"),
        (alice, project_edit, readme, True, "rule 3: a grant two levels above"),
        (alice, document_edit, hq, False, "rule 1: a permission that the role does not have"),
        (alice, workspace_edit, lab, False, "rule 5: a grant on a sibling"),
        (bob, document_edit, website, True, "rule 6: the type of the permission does not matter"),
        (bob, document_edit, readme, True, "rule 3: a grant on the project of a document"),
        (bob, document_edit, hq, False, "rule 5: a grant on a child"),
        (bob, document_edit, app, False, "rule 5: a grant on a sibling"),
        (alice, project_edit, hq, True, "rule 6: a project's permission on the workspace above"),
        (alice, workspace_edit, readme, True, "section 1.6: a workspace's permission on a document below"),
        (carol, document_edit, readme, True, "rule 4: a role in the organization"),
        (carol, document_edit, lab, True, "rule 4: on every resource of it"),
        (carol, project_edit, website, False, "rule 1: a permission that no role of hers has"),
        (alice, "no:such", hq, False, "rule 11: an unknown permission"),
    ):
        equal(world.may(who, permission, resource), expected, rule)
        answer = world.authorization.check(who.id, permission_slug=permission, resource_target=by_external_id(resource))
        equal(answer.authorized, expected, f"{rule}, by external id (rule 7)")

    root = world.root(organization)
    equal(world.may(carol, document_edit, root), True, "rule 12: a check on the organization")
    equal(world.may(alice, workspace_edit, root), False, "rules 5, 12: nothing goes up to the organization")

    # The same external ids in another organization.
    foreign = world.resource(elsewhere, "workspace", "hq")
    answer = world.authorization.check(alice.id, permission_slug=workspace_edit, resource_target=by_external_id(foreign))
    equal(answer.authorized, True, "rule 8: an external id is looked up in the membership's organization")
    only_there = world.resource(elsewhere, "workspace", "only-there")
    for what, target in (
        ("a resource of another organization", by_id(foreign)),
        ("an external id of another organization", by_external_id(only_there)),
        ("an unknown resource", ResourceTargetById("authz_resource_01JZZZZZZZZZZZZZZZZZZZZZZZ")),
        ("what is not even an id", ResourceTargetById("nothing")),
    ):
        refused(
            f"rule 9: {what}",
            NotFoundError,
            "entity_not_found",
            world.authorization.check,
            alice.id,
            permission_slug=workspace_edit,
            resource_target=target,
        )
    refused(
        "rule 9: an unknown membership",
        NotFoundError,
        "entity_not_found",
        world.authorization.check,
        "om_01JZZZZZZZZZZZZZZZZZZZZZZZ",
        permission_slug=workspace_edit,
        resource_target=by_id(hq),
    )
    # The SDK sends no resource at all for a target that it does not know.
    for what, permission, target in (
        ("rule 7: no resource", workspace_edit, None),
        ("rule 11: no permission", None, by_id(hq)),
        ("rule 7: half a pair", workspace_edit, ResourceTargetByExternalId(resource_external_id="hq", resource_type_slug=None)),
    ):
        refused(
            what,
            UnprocessableEntityError,
            "invalid_request_parameters",
            world.authorization.check,
            alice.id,
            permission_slug=permission,
            resource_target=target,
        )


def writes_are_visible_at_once(world):
    organization = world.organization()
    permission = world.permission("workspace:see", "workspace")
    role = world.role("seer", "workspace", permission)
    workspace = world.resource(organization, "workspace", "hq")
    alice = world.member(organization)
    for round in range(10):
        assignment = world.assign(alice, role, workspace)
        expect(world.may(alice, permission, workspace), f"rules 14, 30: an assignment is effective at once (round {round})")
        world.authorization.remove_role_assignment(alice.id, assignment.id)
        expect(not world.may(alice, permission, workspace), f"rule 14: so is its end (round {round})")


def a_role_below_gives_nothing_above(world):
    """Section 1.5: a default role without permissions leaves all access to resources."""
    organization = world.organization()
    permission = world.permission("workspace:see", "workspace")
    workspace = world.resource(organization, "workspace", "hq")
    alice = world.member(organization)
    equal(alice.role.slug, "member", "section 1.5: the default role")
    equal(world.may(alice, permission, workspace), False, "rule 10: a denial is an answer, not an error")


CASES = [inheritance, writes_are_visible_at_once, a_role_below_gives_nothing_above]
