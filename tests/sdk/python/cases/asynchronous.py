"""The client for asyncio: a sample of each kind of method."""

import asyncio

from workos import AsyncWorkOSClient
from workos._errors import ConflictError, NotFoundError
from workos.authorization import ParentResourceById, ResourceTargetByExternalId, ResourceTargetById
from workos.authorization.models import ReplaceGroupRoleAssignmentEntry as Entry

from support import an_id, equal, expect, ids, times


def sample(world):
    asyncio.run(calls(world))


async def calls(world):
    unique = world.unique
    async with AsyncWorkOSClient(
        api_key="sk_test", client_id="client_test", base_url=world.base_url, max_retries=0
    ) as client:
        authorization, groups = client.authorization, client.groups
        organization = await client.organizations.create_organization(name="Async", external_id=unique("async"))
        an_id(organization.id, "org")
        alice = await client.organization_membership.create_organization_membership(
            user_id=unique("alice"), organization_id=organization.id
        )
        equal(alice.role.slug, "member", "asyncio: a membership")
        see = (await authorization.create_permission(slug=unique("project:see"), name="See", resource_type_slug="project")).slug
        role = (
            await authorization.create_environment_role(slug=unique("seer"), name="Seer", resource_type_slug="workspace")
        ).slug
        await authorization.set_environment_role_permissions(role, permissions=[see])
        hq = await authorization.create_resource(
            organization_id=organization.id, resource_type_slug="workspace", external_id="hq/1", name="HQ"
        )
        times(hq)

        # Creations at the same time are all there afterwards.
        projects = await asyncio.gather(
            *(
                authorization.create_resource(
                    organization_id=organization.id,
                    resource_type_slug="project",
                    external_id=f"project-{number}",
                    name=f"Project {number}",
                    parent_resource=ParentResourceById(hq.id),
                )
                for number in range(12)
            )
        )
        page = await authorization.list_resources(organization_id=organization.id, resource_type_slug="project", limit=5)
        listed = [item.id async for item in page.auto_paging_iter()]
        equal(sorted(listed), sorted(ids(projects)), "rule 68: automatic paging with asyncio")

        async def may(resource):
            answer = await authorization.check(
                alice.id, permission_slug=see, resource_target=ResourceTargetById(resource.id)
            )
            return answer.authorized

        equal(await may(projects[0]), False, "asyncio: a check before the assignment")
        assignment = await authorization.assign_role(
            alice.id,
            role_slug=role,
            resource_target=ResourceTargetByExternalId(resource_external_id="hq/1", resource_type_slug="workspace"),
        )
        an_id(assignment.id, "role_assignment")
        equal(await asyncio.gather(*map(may, projects)), [True] * 12, "asyncio: checks after it")
        permissions = await authorization.list_effective_permissions_by_external_id(alice.id, "workspace", "hq/1")
        equal([item.slug for item in permissions.data], [see], "asyncio: effective permissions")
        visible = await authorization.list_resources_for_membership(
            alice.id, permission_slug=see, parent_resource=ParentResourceById(hq.id), limit=5
        )
        equal(len([item async for item in visible.auto_paging_iter()]), 12, "asyncio: resources of a membership")
        await authorization.remove_role(alice.id, role_slug=role, resource_target=ResourceTargetById(hq.id))
        equal(await may(projects[0]), False, "asyncio: a check after its end")

        group = await groups.create_organization_group(organization.id, name="Staff")
        await groups.update_group_organization_memberships(organization.id, group.id, add=[alice.id])
        replaced = await authorization.update_group_role_assignments(
            group.id, role_assignments=[Entry(role_slug=role, resource_id=hq.id)]
        )
        equal([item.role.slug for item in replaced.data], [role], "asyncio: PUT of a group's assignments")
        equal(await may(projects[0]), True, "asyncio: a check of a member")
        await authorization.patch_group_role_assignments(group.id, remove=[Entry(role_slug=role, resource_id=hq.id)])
        equal(await may(projects[0]), False, "asyncio: and after PATCH")

        for kind, code, call in (
            (ConflictError, "resource_has_dependents", authorization.delete_resource(hq.id)),
            (NotFoundError, "entity_not_found", authorization.get_resource("authz_resource_01JZZZZZZZZZZZZZZZZZZZZZZZ")),
        ):
            try:
                expect(False, f"asyncio: expected {kind.__name__}, got {await call!r}")
            except kind as error:
                equal(error.code, code, f"asyncio: {kind.__name__}")
        await authorization.delete_resource(hq.id, cascade_delete=True)
        left = await authorization.list_resources(organization_id=organization.id, resource_type_slug="project")
        equal(left.data, [], "asyncio: a cascade")


CASES = [sample]
