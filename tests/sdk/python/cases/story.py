"""From nothing to a working organization and back, as a team would do it."""

from workos._errors import NotFoundError
from workos.organization_membership import RoleSingle

from support import equal, expect, ids, pages, refused, slugs
from world import by_external_id, by_id, parent_by_external_id, parent_by_id


def story(world):
    authorization, memberships, groups = world.authorization, world.memberships, world.groups
    unique = world.unique

    # An organization, and the vocabulary of the environment.
    acme = world.organizations.create_organization(name="Acme", external_id=unique("acme"))
    view, edit, delete = (world.permission(f"project:{verb}", "project") for verb in ("view", "edit", "delete"))
    create = world.permission("project:create", "workspace")
    admin = authorization.create_environment_role(
        slug=unique("workspace-admin"), name="Workspace Admin", resource_type_slug="workspace"
    ).slug
    authorization.set_environment_role_permissions(admin, permissions=[create, view, edit])
    viewer = authorization.create_environment_role(
        slug=unique("project-viewer"), name="Project Viewer", resource_type_slug="project"
    ).slug
    authorization.add_environment_role_permission(viewer, body_slug=view)
    editor = authorization.create_organization_role(
        acme.id, slug=unique("org-project-editor"), name="Project Editor", resource_type_slug="project"
    ).slug
    authorization.set_organization_role_permissions(acme.id, editor, permissions=[view, edit])

    # Its resources.
    engineering = authorization.create_resource(
        organization_id=acme.id, resource_type_slug="workspace", external_id="engineering", name="Engineering"
    )
    marketing = authorization.create_resource(
        organization_id=acme.id, resource_type_slug="workspace", external_id="marketing", name="Marketing"
    )
    website = authorization.create_resource(
        organization_id=acme.id,
        resource_type_slug="project",
        external_id="website",
        name="Website",
        parent_resource=parent_by_id(engineering),
    )
    campaign = authorization.create_resource(
        organization_id=acme.id,
        resource_type_slug="project",
        external_id="campaign",
        name="Campaign",
        parent_resource=parent_by_external_id(marketing),
    )
    readme = authorization.create_resource(
        organization_id=acme.id,
        resource_type_slug="document",
        external_id="readme",
        name="Readme",
        parent_resource=parent_by_id(website),
    )

    def may(member, permission, resource):
        return authorization.check(
            member.id, permission_slug=permission, resource_target=by_external_id(resource)
        ).authorized

    # Alice administrates a workspace and views one project elsewhere.
    alice = memberships.create_organization_membership(user_id=unique("user_alice"), organization_id=acme.id)
    bob = memberships.create_organization_membership(user_id=unique("user_bob"), organization_id=acme.id)
    administration = authorization.assign_role(alice.id, role_slug=admin, resource_target=by_id(engineering))
    viewing = authorization.assign_role(alice.id, role_slug=viewer, resource_target=by_external_id(campaign))
    expect(may(alice, edit, website), "rule 3: a workspace-admin edits its project without an assignment on it")
    expect(may(alice, edit, readme), "rule 3: and the document in it")
    expect(may(alice, create, engineering), "rule 6: and creates projects in the workspace")
    expect(not may(alice, create, marketing), "rule 5: but in no other")
    expect(may(alice, view, campaign) and not may(alice, edit, campaign), "rule 2: she views the campaign")
    expect(not may(bob, view, website), "rule 1: Bob does nothing")

    # Who, what and where.
    where = authorization.list_resources_for_membership(
        alice.id, permission_slug=edit, parent_resource=parent_by_id(engineering)
    )
    equal(ids(where.data), [website.id], "rule 19: where Alice may edit")
    what = authorization.list_effective_permissions(alice.id, website.id)
    equal(sorted(slugs(what.data)), sorted([create, view, edit]), "rule 15: what Alice may on the website")
    who = authorization.list_memberships_for_resource(website.id, permission_slug=edit, assignment="indirect")
    equal(ids(who.data), [alice.id], "rule 24: who may edit the website")
    who = authorization.list_memberships_for_resource(website.id, permission_slug=edit, assignment="direct")
    equal(who.data, [], "rule 23: nobody by an assignment on it")

    # A role changes for everyone who has it.
    authorization.add_environment_role_permission(admin, body_slug=delete)
    expect(may(alice, delete, website), "rule 65: she deletes as soon as her role does")
    authorization.set_environment_role_permissions(admin, permissions=[create, view, edit])
    expect(not may(alice, delete, website), "rule 65: and no more when it does not")

    # The workspace role goes; the direct one elsewhere stays.
    authorization.remove_role_assignment(alice.id, administration.id)
    expect(not may(alice, edit, website), "rule 34: without the workspace role, nothing below the workspace")
    expect(may(alice, view, campaign), "rule 34: a direct project-viewer elsewhere stays")
    refused(
        "rule 33: removing it again",
        NotFoundError,
        "entity_not_found",
        authorization.remove_role_assignment,
        alice.id,
        administration.id,
    )
    authorization.remove_role(alice.id, role_slug=viewer, resource_target=by_external_id(campaign))
    expect(not may(alice, view, campaign), "rule 33: removed by criteria")
    refused(
        "rule 33: again by criteria",
        NotFoundError,
        "entity_not_found",
        authorization.remove_role,
        alice.id,
        role_slug=viewer,
        resource_target=by_external_id(campaign),
    )
    expect(viewing.id not in ids(authorization.list_role_assignments(alice.id).data), "rule 35: it is listed no more")

    # A group with an assignment scoped to a resource gains and loses members.
    designers = groups.create_organization_group(acme.id, name="Designers")
    assigned = authorization.create_group_role_assignment(designers.id, role_slug=editor, resource_id=website.id)
    expect(not may(bob, edit, website), "rule 40: Bob is no member yet")
    groups.create_group_organization_membership(acme.id, designers.id, organization_membership_id=bob.id)
    expect(may(bob, edit, website), "rules 40, 44: a member has the group's roles")
    expect(may(bob, edit, readme) and not may(bob, edit, campaign), "rule 43: where they are, and below")
    derived = authorization.list_role_assignments(bob.id, resource_id=website.id).data
    equal(
        [(one.source.type, one.source.group_role_assignment_id, one.source.group.name) for one in derived],
        [("group", assigned.id, "Designers")],
        "section 3.8: where the role comes from",
    )
    equal(ids(memberships.list_organization_membership_groups(bob.id).data), [designers.id], "Bob's groups")
    groups.delete_group_organization_membership(acme.id, designers.id, bob.id)
    expect(not may(bob, edit, website), "rules 41, 44: without the membership, without the role")
    groups.create_group_organization_membership(acme.id, designers.id, organization_membership_id=bob.id)
    groups.create_group_organization_membership(acme.id, designers.id, organization_membership_id=alice.id)
    expect(may(alice, edit, website) and may(bob, edit, website), "rule 41: both have it")

    # The membership, the resource, the group: each takes the access with it.
    memberships.delete_organization_membership(alice.id)
    refused("rule 39: a check of who left", NotFoundError, "entity_not_found", may, alice, edit, website)
    members = groups.list_group_organization_memberships(acme.id, designers.id)
    equal(ids(members.data), [bob.id], "rule 39: who left is in no group")
    on_campaign = authorization.create_group_role_assignment(
        designers.id, role_slug=editor, resource_external_id="campaign", resource_type_slug="project"
    )
    expect(may(bob, edit, campaign), "rule 40: another assignment")
    authorization.delete_resource(website.id, cascade_delete=True)
    refused("rule 59: a check on what is gone", NotFoundError, "entity_not_found", may, bob, edit, website)
    refused("rule 59: and on what was below", NotFoundError, "entity_not_found", may, bob, edit, readme)
    equal(
        ids(authorization.list_group_role_assignments(designers.id).data),
        [on_campaign.id],
        "rule 59: the assignments on it are gone, the others stay",
    )
    groups.delete_organization_group(acme.id, designers.id)
    expect(not may(bob, edit, campaign), "rule 52: without the group, without the role")

    # The role in the organization.
    owner = world.role("owner", "organization", edit, delete)
    changed = memberships.update_organization_membership(bob.id, role=RoleSingle(owner))
    equal(changed.role.slug, owner, "rule 36: Bob owns the organization")
    expect(may(bob, delete, campaign), "rule 4: a role in the organization counts everywhere in it")
    memberships.deactivate_organization_membership(bob.id)
    expect(not may(bob, delete, campaign), "rule 13: not while he is inactive")
    memberships.reactivate_organization_membership(bob.id)
    expect(may(bob, delete, campaign), "rule 13: and again after it")
    pages(
        "what is left in the organization",
        lambda **page: authorization.list_resources(organization_id=acme.id, resource_type_slug="workspace", **page),
        [engineering.id, marketing.id],
    )
    world.organizations.delete_organization(acme.id)
    refused("rule 39: nothing is left", NotFoundError, "entity_not_found", may, bob, delete, campaign)


CASES = [story]
