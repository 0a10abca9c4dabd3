// Role assignments of memberships and of groups.

import { anId, conflict, equal, expect, ids, invalid, notFound, pages, sameMembers, times } from '../support.mjs';
import { byExternalId } from '../world.mjs';

const UNPROCESSABLE = ['invalid_request_parameters', 'unprocessable_entity', 'invalid_role', undefined];

async function ofMemberships(world) {
  const { authorization } = world;
  const organization = await world.organization();
  const see = await world.permission('project:see', 'project');
  const role = await world.role('seer', 'workspace', see);
  const viewer = await world.role('viewer', 'project', see);
  const hq = await world.resource(organization, 'workspace', 'hq');
  const projects = [];
  for (const number of [1, 2, 3]) projects.push(await world.resource(organization, 'project', `project-${number}`, hq));
  const alice = await world.member(organization, 'alice');
  const bob = await world.member(organization, 'bob');
  const organizationMembershipId = alice.id;

  const made = await authorization.assignRole({ organizationMembershipId, roleSlug: role, resourceId: hq.id });
  anId(made.id, 'role_assignment');
  times(made);
  equal(
    made,
    {
      object: 'role_assignment',
      id: made.id,
      organizationMembershipId,
      role: { slug: role },
      resource: { id: hq.id, externalId: 'hq', resourceTypeSlug: 'workspace' },
      source: { type: 'direct', groupRoleAssignmentId: null },
      createdAt: made.createdAt,
      updatedAt: made.updatedAt,
    },
    'section 3.8: an assignment that was created',
  );
  expect(await world.may(alice, see, projects[0]), 'rule 30: it is effective at once');
  const again = await authorization.assignRole({ organizationMembershipId, roleSlug: role, ...byExternalId(hq) });
  equal(again, made, 'rule 31: assigning again answers with what is there');
  await invalid('rule 27: a role of another type', () => world.assign(alice, viewer, hq), UNPROCESSABLE);
  await notFound('rule 29: an unknown role', () => world.assign(alice, 'no-such-role', hq));

  const direct = [made];
  for (const project of projects) direct.push(await world.assign(alice, viewer, project));
  const listing = (filters) => (page) => authorization.listRoleAssignments({ organizationMembershipId, ...filters, ...page });
  const everything = (await listing({})({ limit: 100 })).data;
  await pages('rule 35: assignments of a membership', listing({}), ids(everything));
  const own = everything.filter((one) => one.resource.resourceTypeSlug === 'organization');
  equal([own.length, own[0]?.role.slug, own[0]?.source.type], [1, 'member', 'direct'], 'rule 36: the role in the organization');
  sameMembers(ids(everything), [...ids(direct), ...ids(own)], 'rule 35: all of them');
  for (const [what, filters, expected] of [
    ['resource_id', { resourceId: hq.id }, [made.id]],
    ['resource_type_slug', { resourceTypeSlug: 'project' }, ids(direct.slice(1))],
    ['both', { resourceExternalId: 'project-2', resourceTypeSlug: 'project' }, [direct[2].id]],
  ]) {
    sameMembers(ids((await listing(filters)({})).data), expected, `rule 35: filtered by ${what}`);
  }

  const byBob = [await world.assign(bob, viewer, projects[0]), direct[1]];
  const path = { organizationId: organization.id, resourceTypeSlug: 'project', externalId: 'project-1' };
  await pages(
    'rule 37: assignments on a resource',
    (page) => authorization.listRoleAssignmentsForResource({ resourceId: projects[0].id, ...page }),
    ids(byBob),
  );
  await pages(
    'rule 37: assignments on a resource by external id',
    (page) => authorization.listResourceRoleAssignments({ ...path, roleSlug: viewer, ...page }),
    ids(byBob),
  );
  equal((await authorization.listResourceRoleAssignments({ ...path, roleSlug: role })).data, [], 'rule 37: filtered by role');

  await notFound('rule 33: an assignment of another membership', () =>
    authorization.removeRoleAssignment({ organizationMembershipId: bob.id, roleAssignmentId: made.id }),
  );
  await authorization.removeRoleAssignment({ organizationMembershipId, roleAssignmentId: made.id });
  expect(await world.may(alice, see, projects[0]), 'rule 34: a direct grant on the child stays');
  await notFound('rule 33: removing again', () =>
    authorization.removeRoleAssignment({ organizationMembershipId, roleAssignmentId: made.id }),
  );
  await authorization.removeRole({ organizationMembershipId, roleSlug: viewer, ...byExternalId(projects[0]) });
  expect(!(await world.may(alice, see, projects[0])), 'rule 33: removed by criteria, with a body on DELETE');
  await authorization.removeRole({ organizationMembershipId, roleSlug: viewer, resourceId: projects[1].id });
  await notFound('rule 33: removing again by criteria', () =>
    authorization.removeRole({ organizationMembershipId, roleSlug: viewer, resourceId: projects[1].id }),
  );
}

async function ofGroups(world) {
  const { authorization } = world;
  const organization = await world.organization();
  const see = await world.permission('workspace:see', 'workspace');
  const manage = await world.permission('organization:manage', 'organization');
  const role = await world.role('seer', 'workspace', see);
  const manager = await world.role('manager', 'organization', manage);
  const root = await world.root(organization);
  const workspaces = [];
  for (const name of ['hq', 'lab', 'farm']) workspaces.push(await world.resource(organization, 'workspace', name));
  const [hq, lab] = workspaces;
  const alice = await world.member(organization);
  const group = await world.group(organization, 'Staff', alice);
  const groupId = group.id;

  const made = await authorization.createGroupRoleAssignment({ groupId, roleSlug: role, resourceId: hq.id });
  anId(made.id, 'gra');
  times(made);
  equal(
    made,
    {
      object: 'group_role_assignment',
      id: made.id,
      groupId,
      role: { slug: role },
      resource: { id: hq.id, externalId: 'hq', resourceTypeSlug: 'workspace' },
      createdAt: made.createdAt,
      updatedAt: made.updatedAt,
    },
    'section 3.8: an assignment of a group that was created',
  );
  equal(await authorization.getGroupRoleAssignment({ groupId, roleAssignmentId: made.id }), made, 'an assignment by id');
  expect(await world.may(alice, see, hq), 'rules 40, 45: it is effective at once');
  const derived = (await authorization.listRoleAssignments({ organizationMembershipId: alice.id, resourceId: hq.id })).data;
  equal(
    derived.map((one) => one.source),
    [{ type: 'group', groupRoleAssignmentId: made.id }],
    'section 3.8: the source of what a group gives',
  );
  await conflict('rule 47: the same again', 'duplicate_group_role_assignment', () =>
    authorization.createGroupRoleAssignment({ groupId, roleSlug: role, ...byExternalId(hq) }),
  );
  const inOrganization = await authorization.createGroupRoleAssignment({ groupId, roleSlug: manager });
  equal([inOrganization.resource.id, inOrganization.resource.resourceTypeSlug], [root.id, 'organization'], 'section 1.7');
  expect(await world.may(alice, manage, lab), 'rule 40: a role in the organization');

  const replaced = await authorization.replaceGroupRoleAssignments({
    groupId,
    roleAssignments: [
      { roleSlug: role, resourceId: hq.id },
      { roleSlug: role, ...byExternalId(lab) },
      { roleSlug: role, resourceId: workspaces[2].id },
    ],
  });
  equal(replaced.object, 'list', 'rule 48: PUT answers with a list');
  sameMembers(
    replaced.data.map((one) => one.resource.id),
    ids(workspaces),
    'rule 48: of exactly what was put',
  );
  expect(ids(replaced.data).includes(made.id), 'rule 48: what stays, stays the same one');
  expect((await world.may(alice, see, lab)) && !(await world.may(alice, manage, lab)), 'rule 48: it is effective');
  await pages(
    'assignments of a group',
    (page) => authorization.listGroupRoleAssignments({ groupId, ...page }),
    ids(replaced.data),
  );

  await authorization.removeGroupRoleAssignment({ groupId, roleAssignmentId: made.id });
  expect(!(await world.may(alice, see, hq)), 'rule 42: removed by id');
  await notFound('removing again', () => authorization.removeGroupRoleAssignment({ groupId, roleAssignmentId: made.id }));
  await authorization.removeGroupRoleAssignments({ groupId, roleSlug: role, ...byExternalId(lab) });
  expect(!(await world.may(alice, see, lab)), 'rule 50: removed by criteria, with a body on DELETE');
  await notFound('rule 50: without a resource, the organization is meant', () =>
    authorization.removeGroupRoleAssignments({ groupId, roleSlug: role }),
  );
  const cleared = await authorization.replaceGroupRoleAssignments({ groupId, roleAssignments: [] });
  equal(cleared.data, [], 'rule 48: [] clears');
}

export const cases = { ofMemberships, ofGroups };
