"""An environment in which a membership may have several roles in its organization: rules 36, 43, 46, section 1.5.

The client's base URL has the path of that environment.
"""

from workos.organization_membership import RoleMultiple

from support import equal, same_members
from world import by_id


def roles_add_up(world):
    organization = world.organization()
    permissions = [world.permission(f"workspace:action-{number}", "workspace") for number in range(3)]
    first, second, third = (
        world.role(f"role-{number}", "organization", permission) for number, permission in enumerate(permissions)
    )
    root = world.root(organization)
    hq = world.resource(organization, "workspace", "hq")
    alice = world.memberships.create_organization_membership(
        user_id=world.unique("alice"), organization_id=organization.id, role=RoleMultiple([first, second])
    )
    group = world.group(organization, "Staff", alice)

    def state():
        membership = world.memberships.get_organization_membership(alice.id)
        return (
            sorted(role.slug for role in membership.roles),
            [world.may(alice, permission, hq) for permission in permissions],
        )

    same_members([role.slug for role in alice.roles], [first, second], "section 1.5: several roles at the creation")
    equal(state(), (sorted([first, second]), [True, True, False]), "section 1.5: their permissions add up")
    world.assign(alice, third, root)
    equal(state(), (sorted([first, second, third]), [True, True, True]), "rule 36: an assignment adds a role")
    world.authorization.remove_role(alice.id, role_slug=third, resource_target=by_id(root))
    equal(state(), (sorted([first, second]), [True, True, False]), "rule 36: removing it leaves the others")
    world.authorization.create_group_role_assignment(group.id, role_slug=third)
    equal(state()[1], [True, True, True], "rule 46: a group's role adds to them")
    world.authorization.delete_group_role_assignments(group.id, role_slug=third)
    equal(state(), (sorted([first, second]), [True, True, False]), "rule 46: and goes by itself")
    changed = world.memberships.update_organization_membership(alice.id, role=RoleMultiple([third]))
    equal([role.slug for role in changed.roles], [third], "section 1.5: PUT sets the roles")
    listed = world.authorization.list_role_assignments(alice.id, resource_id=root.id)
    equal([item.role.slug for item in listed.data], [third], "rule 36: which are assignments on the organization")


CASES = [roles_add_up]
