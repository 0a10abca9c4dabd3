"""Organization memberships: the subjects of every check."""

from workos._errors import BadRequestError, ConflictError, NotFoundError, UnprocessableEntityError
from workos.organization_membership import RoleMultiple, RoleSingle

from support import an_id, equal, expect, ids, pages, refused, same_members, slugs, times
from world import by_id, parent_by_id


def life(world):
    organization = world.organization("Acme Corporation")
    user = world.unique("user")
    made = world.memberships.create_organization_membership(user_id=user, organization_id=organization.id)
    an_id(made.id, "om")
    times(made)
    equal(
        (
            made.object,
            made.user_id,
            made.organization_id,
            made.organization_name,
            made.status,
            made.directory_managed,
            made.custom_attributes,
        ),
        ("organization_membership", user, organization.id, "Acme Corporation", "active", False, {}),
        "section 3.8: a membership that was created",
    )
    equal(
        (made.role.slug, slugs(made.roles)), ("member", ["member"]), "section 1.5: without a role, the default role it is"
    )
    equal(
        (
            made.user.object,
            made.user.id,
            made.user.email,
            made.user.first_name,
            made.user.last_name,
            made.user.profile_picture_url,
            made.user.external_id,
            made.user.last_sign_in_at,
        ),
        ("user", user, "", None, None, None, None, None),
        "section 3.8: the embedded user, of whom only the id is known",
    )
    expect(isinstance(made.user.email_verified, bool), "section 3.8: user.email_verified")
    equal(world.memberships.get_organization_membership(made.id), made, "a membership by id")

    world.memberships.delete_organization_membership(made.id)
    for what, call in (
        ("reading", world.memberships.get_organization_membership),
        ("deleting", world.memberships.delete_organization_membership),
        ("deactivating", world.memberships.deactivate_organization_membership),
        ("reactivating", world.memberships.reactivate_organization_membership),
        ("changing", lambda id: world.memberships.update_organization_membership(id, role=RoleSingle("member"))),
        ("the groups of", world.memberships.list_organization_membership_groups),
        ("the assignments of", world.authorization.list_role_assignments),
    ):
        refused(f"rule 39: {what} a deleted membership", NotFoundError, "entity_not_found", call, made.id)


def the_user_of_an_identity_provider(world):
    organization = world.organization()
    for user in ("auth0|507f1f77", "alice@example.com", "CN=Alice, OU=R&D", "user 1/2"):
        user = world.unique(user)
        made = world.memberships.create_organization_membership(user_id=user, organization_id=organization.id)
        equal((made.user_id, made.user.id), (user, user), "a membership takes any id of a user")
        listed = world.memberships.list_organization_memberships(user_id=user)
        equal(ids(listed.data), [made.id], f"memberships of the user {user!r}")


def roles(world):
    organization = world.organization()
    role = world.role("admin", "organization")
    other = world.role("auditor", "organization")
    alice = world.member(organization, "alice", role)
    equal((alice.role.slug, slugs(alice.roles)), (role, [role]), "section 1.5: a membership that is created with a role")

    changed = world.memberships.update_organization_membership(alice.id, role=RoleSingle(other))
    equal((changed.role.slug, slugs(changed.roles)), (other, [other]), "rule 36: PUT changes the role")
    equal(world.memberships.get_organization_membership(alice.id).role.slug, other, "the changed role, read again")
    changed = world.memberships.update_organization_membership(alice.id, role=RoleMultiple([role]))
    equal(slugs(changed.roles), [role], "section 1.5: role_slugs with one role")

    own = world.authorization.create_organization_role(organization.id, name="Own", slug=world.unique("org-own"))
    changed = world.memberships.update_organization_membership(alice.id, role=RoleSingle(own.slug))
    equal(changed.role.slug, own.slug, "section 1.5: a custom role of the organization")

    workspace_role = world.role("workspace-admin", "workspace")
    bob = world.unique("bob")
    for role_slugs, code in (
        (RoleSingle("no-such-role"), "invalid_role"),
        (RoleSingle(workspace_role), "sub_resource_scoped_role_not_allowed"),
        (RoleMultiple([role, other]), "multiple_roles_not_enabled"),
    ):
        refused(
            f"section 1.5: creating with {role_slugs}",
            UnprocessableEntityError,
            code,
            world.memberships.create_organization_membership,
            user_id=bob,
            organization_id=organization.id,
            role=role_slugs,
        )
        error = refused(
            f"section 1.5: changing to {role_slugs}",
            UnprocessableEntityError,
            code,
            world.memberships.update_organization_membership,
            alice.id,
            role=role_slugs,
        )
        if error and code == "sub_resource_scoped_role_not_allowed":
            equal(error.response_json.get("role_slug"), workspace_role, "section 1.5: the body names the role")
    equal(world.memberships.get_organization_membership(alice.id).role.slug, own.slug, "what is refused changes nothing")
    found = world.memberships.list_organization_memberships(user_id=bob, statuses=["active", "inactive", "pending"])
    equal(ids(found.data), [], "what is refused creates nothing")

    elsewhere = world.organization("Globex")
    refused(
        "rule 28: a custom role of another organization",
        UnprocessableEntityError,
        "invalid_role",
        world.memberships.create_organization_membership,
        user_id=bob,
        organization_id=elsewhere.id,
        role=RoleSingle(own.slug),
    )


def deactivation(world):
    organization = world.organization()
    permission = world.permission("workspace:see", "workspace")
    role = world.role("seer", "workspace", permission)
    organization_role = world.role("manager", "organization")
    workspace = world.resource(organization, "workspace", "hq")
    alice = world.member(organization, "alice", organization_role)
    group = world.group(organization, "Staff", alice)
    assignment = world.assign(alice, role, workspace)

    def visible():
        listed = world.authorization.list_resources_for_membership(
            alice.id, permission_slug=permission, parent_resource=parent
        )
        permissions = world.authorization.list_effective_permissions(alice.id, workspace.id)
        who = world.authorization.list_memberships_for_resource(workspace.id, permission_slug=permission)
        return world.may(alice, permission, workspace), ids(listed.data), slugs(permissions.data), ids(who.data)

    parent = parent_by_id(world.root(organization))
    everything = (True, [workspace.id], [permission], [alice.id])
    equal(visible(), everything, "before the deactivation")

    inactive = world.memberships.deactivate_organization_membership(alice.id)
    equal((inactive.id, inactive.status, inactive.role.slug), (alice.id, "inactive", organization_role), "deactivate")
    equal(visible(), (False, [], [], []), "rule 13: an inactive membership may do nothing")
    equal(world.memberships.get_organization_membership(alice.id).status, "inactive", "the status, read again")
    expect(
        assignment.id in ids(world.authorization.list_role_assignments(alice.id).data),
        "rule 13: the assignments of an inactive membership are kept",
    )
    equal(ids(world.memberships.list_organization_membership_groups(alice.id).data), [group.id], "rule 13: so are its groups")
    again = world.memberships.deactivate_organization_membership(alice.id)
    equal((again.status, again.updated_at), ("inactive", inactive.updated_at), "section 3.7: deactivating again does nothing")

    active = world.memberships.reactivate_organization_membership(alice.id)
    equal((active.id, active.status, active.role.slug), (alice.id, "active", organization_role), "reactivate")
    equal(visible(), everything, "rule 13: grants are effective again")
    again = world.memberships.reactivate_organization_membership(alice.id)
    equal((again.status, again.updated_at), ("active", active.updated_at), "section 3.7: reactivating again does nothing")

    refused(
        "section 3.7: a second membership of the same user",
        ConflictError,
        ("organization_membership_already_exists", "entity_already_exists", "conflict", None),
        world.memberships.create_organization_membership,
        user_id=alice.user_id,
        organization_id=organization.id,
    )
    other_role = world.role("director", "organization")
    world.memberships.deactivate_organization_membership(alice.id)
    created = world.memberships.create_organization_membership(
        user_id=alice.user_id, organization_id=organization.id, role=RoleSingle(other_role)
    )
    equal(
        (created.id, created.status, created.role.slug),
        (alice.id, "active", other_role),
        "section 3.7: creating reactivates an inactive membership, with the given role",
    )


def lists(world):
    organization, elsewhere = world.organization("Acme"), world.organization("Globex")
    members = [world.member(organization, f"user-{number}") for number in range(7)]
    inactive = world.member(organization, "inactive")
    world.memberships.deactivate_organization_membership(inactive.id)
    other = world.memberships.create_organization_membership(user_id=members[0].user_id, organization_id=elsewhere.id)

    def listing(**page):
        return world.memberships.list_organization_memberships(organization_id=organization.id, **page)

    pages("memberships of an organization", listing, ids(members))
    by_user = world.memberships.list_organization_memberships(user_id=members[0].user_id)
    same_members(ids(by_user.data), [members[0].id, other.id], "memberships of a user")
    both = world.memberships.list_organization_memberships(user_id=members[0].user_id, organization_id=elsewhere.id)
    equal(both.data, [other], "memberships of a user in an organization")
    for statuses, expected in (
        (["inactive"], [inactive.id]),
        (["active", "inactive"], ids(members) + [inactive.id]),
        (["pending"], []),
    ):
        listed = listing(statuses=statuses, limit=100)
        same_members(ids(listed.data), expected, f"section 3.7: memberships with the statuses {statuses}")
    refused(
        "section 3.7: memberships of nobody in particular",
        BadRequestError,
        "missing_user_id_or_organization_id",
        world.memberships.list_organization_memberships,
    )


def deletion_takes_its_assignments(world):
    organization = world.organization()
    permission = world.permission("workspace:see", "workspace")
    role = world.role("seer", "workspace", permission)
    workspace = world.resource(organization, "workspace", "hq")
    alice, bob = world.member(organization, "alice"), world.member(organization, "bob")
    group = world.group(organization, "Staff", alice, bob)
    world.assign(alice, role, workspace)
    kept = world.assign(bob, role, workspace)

    world.memberships.delete_organization_membership(alice.id)
    listed = world.authorization.list_role_assignments_for_resource(workspace.id)
    equal(ids(listed.data), [kept.id], "rule 39: the assignments of a deleted membership are gone")
    members = world.groups.list_group_organization_memberships(organization.id, group.id)
    equal(ids(members.data), [bob.id], "rule 39: so are its group memberships")
    refused(
        "rule 9: a check of a deleted membership",
        NotFoundError,
        "entity_not_found",
        world.authorization.check,
        alice.id,
        permission_slug=permission,
        resource_target=by_id(workspace),
    )
    anew = world.memberships.create_organization_membership(user_id=alice.user_id, organization_id=organization.id)
    expect(not world.may(anew, permission, workspace), "rule 39: and it inherits nothing")


CASES = [life, the_user_of_an_identity_provider, roles, deactivation, lists, deletion_takes_its_assignments]
