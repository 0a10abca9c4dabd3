// What stands in paths, queries and bodies as it is (rule 76), and repeated requests (rule 72).

import { randomUUID } from 'node:crypto';

import { equal, expect, ids, notFound } from '../support.mjs';
import { byExternalId } from '../world.mjs';
import { sdk } from '../sdk.mjs';

const EXTERNAL_IDS = ['a/b', 'docs:read*', 'two words', '100%', '%2F', 'what?', '#hash', 'a+b&c=d', "'(quoted)'!", 'permissions', '/../roles'];

async function externalIds(world) {
  const { authorization } = world;
  const organization = await world.organization();
  const organizationId = organization.id;
  const see = await world.permission('workspace:see', 'workspace');
  const role = await world.role('seer', 'workspace', see);
  const alice = await world.member(organization);
  for (const externalId of EXTERNAL_IDS) {
    const rule = `rule 76: ${externalId}`;
    const made = await world.resource(organization, 'workspace', externalId);
    const where = { organizationId, resourceTypeSlug: 'workspace', externalId };
    equal(made.externalId, externalId, rule);
    equal(await authorization.getResourceByExternalId(where), made, `${rule} in a path`);
    const child = await authorization.createResource({
      organizationId,
      resourceTypeSlug: 'project',
      externalId,
      name: 'Child',
      parentResourceTypeSlug: 'workspace',
      parentResourceExternalId: externalId,
    });
    const below = await authorization.listResources({ organizationId, parentResourceTypeSlug: 'workspace', parentExternalId: externalId });
    equal(ids(below.data), [child.id], `${rule} in a query`);
    const assigned = await authorization.assignRole({ organizationMembershipId: alice.id, roleSlug: role, ...byExternalId(made) });
    const permissions = await authorization.listEffectivePermissionsByExternalId({ ...where, organizationMembershipId: alice.id });
    equal(permissions.data.map((one) => one.slug), [see], `${rule} in the path of permissions`);
    const members = await authorization.listMembershipsForResourceByExternalId({ ...where, permissionSlug: see });
    equal(ids(members.data), [alice.id], `${rule} in the path of memberships`);
    equal((await authorization.listResourceRoleAssignments(where)).data, [assigned], `${rule} in the path of assignments`);
    const renamed = await authorization.updateResourceByExternalId({ ...where, name: 'Renamed' });
    equal([renamed.id, renamed.name], [made.id, 'Renamed'], `${rule} in the path of PATCH`);
    await authorization.deleteResourceByExternalId({ ...where, cascadeDelete: true });
    await notFound(`${rule} after DELETE`, () => authorization.getResourceByExternalId(where));
  }
}

async function idempotency(world) {
  const name = world.unique('Once');
  const options = { idempotencyKey: randomUUID() };
  const first = await world.organizations.createOrganization({ name }, options);
  equal(await world.organizations.createOrganization({ name }, options), first, 'rule 72: the same key, the same answer');
  const other = await world.organizations.createOrganization({ name }, { idempotencyKey: randomUUID() });
  expect(other.id !== first.id, 'rule 72: another key, another organization');
  // With retries, as by default, this SDK sends a key with each POST.
  const retrying = new sdk.WorkOS('sk_test', world.connection);
  const group = await retrying.groups.createGroup({ organizationId: first.id, name: 'Staff' });
  equal(ids((await retrying.groups.listGroups({ organizationId: first.id })).data), [group.id], 'rule 72: a key of its own');
}

export const cases = { externalIds, idempotency };
