// Resources, checks and discovery.

import { anId, badRequest, conflict, equal, ids, invalid, notFound, pages, times } from '../support.mjs';
import { byExternalId } from '../world.mjs';

const UNPROCESSABLE = ['invalid_request_parameters', 'unprocessable_entity', undefined];

async function resources(world) {
  const { authorization } = world;
  const organization = await world.organization('Acme');
  const elsewhere = await world.organization('Globex');
  const organizationId = organization.id;
  const root = await world.root(organization);
  const hq = await authorization.createResource({
    organizationId,
    resourceTypeSlug: 'workspace',
    externalId: 'hq',
    name: 'Headquarters',
    description: 'Where it all began',
  });
  anId(hq.id, 'authz_resource');
  times(hq);
  equal(
    hq,
    {
      object: 'authorization_resource',
      id: hq.id,
      externalId: 'hq',
      name: 'Headquarters',
      description: 'Where it all began',
      resourceTypeSlug: 'workspace',
      organizationId,
      parentResourceId: root.id,
      createdAt: hq.createdAt,
      updatedAt: hq.updatedAt,
    },
    'section 3.8, rule 53: a resource that was created',
  );
  equal(await authorization.getResource(hq.id), hq, 'a resource by id');
  const where = { organizationId, resourceTypeSlug: 'workspace', externalId: 'hq' };
  equal(await authorization.getResourceByExternalId(where), hq, 'rule 60: a resource by external id');
  await conflict('rule 53: an external id that is taken', 'authorization_resource_external_id_conflict', () =>
    world.resource(organization, 'workspace', 'hq'),
  );
  const lab = await authorization.createResource({ ...where, externalId: 'lab', name: 'Lab', parentResourceId: null });
  equal([lab.parentResourceId, lab.description], [root.id, null], 'rule 54: a parent of null is the root');

  const changed = await authorization.updateResource({ resourceId: hq.id, name: 'HQ' });
  equal([changed.id, changed.name, changed.description], [hq.id, 'HQ', 'Where it all began'], 'rule 57: what is absent stays');
  const cleared = await authorization.updateResource({ resourceId: hq.id, description: null });
  equal([cleared.name, cleared.description], ['HQ', null], 'rule 57: null clears the description');
  const renamed = await authorization.updateResourceByExternalId({ ...where, name: 'Head office' });
  equal([renamed.id, renamed.name], [hq.id, 'Head office'], 'rule 60: PATCH by external id');

  const projects = [];
  for (const number of [1, 2, 3, 4, 5, 6]) projects.push(await world.resource(organization, 'project', `project-${number}`, hq));
  projects.push(
    await authorization.createResource({
      organizationId,
      resourceTypeSlug: 'project',
      externalId: 'by-external-id',
      name: 'By external id',
      parentResourceTypeSlug: 'workspace',
      parentResourceExternalId: 'hq',
    }),
  );
  const list = (filters) => (page) => authorization.listResources({ ...filters, ...page });
  await pages('resources of a type', list({ organizationId, resourceTypeSlug: 'project' }), ids(projects));
  await pages('resources below a parent', list({ parentResourceId: hq.id }), ids(projects));
  const byParent = { organizationId, parentResourceTypeSlug: 'workspace', parentExternalId: 'hq' };
  await pages('resources below a parent by external id', list(byParent), ids(projects));
  equal((await list({ organizationId, resourceTypeSlug: 'document' })()).data, [], 'rule 61: filters add up');

  const foreign = await world.resource(elsewhere, 'workspace', 'foreign');
  await notFound('rule 54: a parent of another organization', () => world.resource(organization, 'project', 'x', foreign));
  await notFound('rule 56: an unknown type', () => world.resource(organization, 'no-such-type', 'x'));
  await badRequest('rule 56: the type `organization`', ['bad_request', undefined], () => world.resource(organization, 'organization', 'x'));
  await invalid('rule 55: a wrong parent', () => world.resource(organization, 'document', 'x', hq), UNPROCESSABLE);
  await invalid('section 1.1: a name of 49 characters', () => authorization.updateResource({ resourceId: hq.id, name: 'n'.repeat(49) }));

  await conflict('rule 59: a resource with children', 'resource_has_dependents', () =>
    authorization.deleteResource({ resourceId: hq.id }),
  );
  await conflict('rule 59: also by external id', 'resource_has_dependents', () =>
    authorization.deleteResourceByExternalId({ ...where, cascadeDelete: false }),
  );
  await authorization.deleteResource({ resourceId: hq.id, cascadeDelete: true });
  for (const gone of [hq, ...projects]) await notFound('rule 59: the subtree', () => authorization.getResource(gone.id));
  await authorization.deleteResourceByExternalId({ ...where, externalId: 'lab' });
  await notFound('rule 60: deleted by external id', () => authorization.getResource(lab.id));
  await notFound('rule 60: again', () => authorization.deleteResourceByExternalId({ ...where, externalId: 'lab' }));
}

async function checks(world) {
  const organization = await world.organization('Acme');
  const elsewhere = await world.organization('Globex');
  const edit = await world.permission('project:edit', 'project');
  const see = await world.permission('document:see', 'document');
  const admin = await world.role('workspace-admin', 'workspace', edit);
  const reader = await world.role('reader', 'project', see);
  const hq = await world.resource(organization, 'workspace', 'hq');
  const lab = await world.resource(organization, 'workspace', 'lab');
  const website = await world.resource(organization, 'project', 'website', hq);
  const readme = await world.resource(organization, 'document', 'readme', website);
  const foreign = await world.resource(elsewhere, 'workspace', 'foreign');
  const alice = await world.member(organization);
  await world.assign(alice, admin, hq);
  await world.assign(alice, reader, website);
  for (const [permissionSlug, resource, expected, rule] of [
    [edit, hq, true, 'rule 2: a grant on it'],
    [edit, website, true, 'rule 3: a grant above'],
    [edit, readme, true, 'rule 3: a grant two levels above'],
    [edit, lab, false, 'rule 5: a grant on a sibling'],
    [see, website, true, 'rule 6: a permission of another type'],
    [see, hq, false, 'rule 5: a grant below'],
    ['no:such', hq, false, 'rule 11: an unknown permission'],
  ]) {
    const target = { organizationMembershipId: alice.id, permissionSlug };
    equal(await world.authorization.check({ ...target, resourceId: resource.id }), { authorized: expected }, rule);
    const answer = await world.authorization.check({ ...target, ...byExternalId(resource) });
    equal(answer, { authorized: expected }, `${rule}, by external id (rule 7)`);
  }
  await notFound('rule 9: a resource of another organization', () => world.may(alice, edit, foreign));
  await notFound('rule 9: an unknown membership', () => world.may({ id: 'om_01JZZZZZZZZZZZZZZZZZZZZZZZ' }, edit, hq));
  const organizationMembershipId = alice.id;
  await invalid('rule 7: no resource', () => world.authorization.check({ organizationMembershipId, permissionSlug: edit }));
  await invalid('rule 11: no permission', () => world.authorization.check({ organizationMembershipId, resourceId: hq.id }));
  await invalid('rule 7: both', () =>
    world.authorization.check({ organizationMembershipId, permissionSlug: edit, resourceId: hq.id, ...byExternalId(hq) }),
  );
}

async function discovery(world) {
  const { authorization } = world;
  const organization = await world.organization();
  const permissions = [];
  for (const kind of ['workspace', 'project', 'document']) permissions.push(await world.permission(`${kind}:see`, kind));
  const admin = await world.role('admin', 'workspace', ...permissions);
  const viewer = await world.role('viewer', 'project', permissions[1]);
  const hq = await world.resource(organization, 'workspace', 'hq');
  const projects = [];
  for (const number of [1, 2, 3, 4]) projects.push(await world.resource(organization, 'project', `project-${number}`, hq));
  const alice = await world.member(organization, 'alice');
  const members = [];
  for (const number of [1, 2, 3]) members.push(await world.member(organization, `user-${number}`));
  await world.assign(alice, admin, hq);
  for (const member of members) await world.assign(member, viewer, projects[0]);
  const organizationMembershipId = alice.id;
  const permissionSlug = permissions[1];

  const declared = await Promise.all(permissions.map((slug) => authorization.getPermission(slug)));
  const where = { organizationMembershipId, resourceTypeSlug: 'project', externalId: 'project-1' };
  const effective = (page) =>
    authorization.listEffectivePermissions({ organizationMembershipId, resourceId: projects[0].id, ...page });
  await pages("rule 15: effective permissions, by this SDK's own path", effective, ids(declared));
  const bySlug = (one, other) => (one.slug < other.slug ? -1 : 1);
  equal((await effective({})).data.sort(bySlug), declared.sort(bySlug), 'rules 15, 16: they are permission objects');
  await pages(
    'rule 15: effective permissions by external id',
    (page) => authorization.listEffectivePermissionsByExternalId({ ...where, ...page }),
    ids(declared),
  );
  await notFound('rule 17: an unknown resource', () =>
    authorization.listEffectivePermissions({ organizationMembershipId, resourceId: 'authz_resource_01JZZZZZZZZZZZZZZZZZZZZZZZ' }),
  );

  const below = (parent) => (page) =>
    authorization.listResourcesForMembership({ organizationMembershipId, permissionSlug, ...parent, ...page });
  await pages('rule 19: resources of a membership', below({ parentResourceId: hq.id }), ids(projects));
  const byParent = { parentResourceTypeSlug: 'workspace', parentResourceExternalId: 'hq' };
  await pages('rule 18: a parent by external id', below(byParent), ids(projects));

  const byId = (options) => (page) =>
    authorization.listMembershipsForResource({ resourceId: projects[0].id, permissionSlug, ...options, ...page });
  const byPath = (options) => (page) =>
    authorization.listMembershipsForResourceByExternalId({
      organizationId: organization.id,
      resourceTypeSlug: 'project',
      externalId: 'project-1',
      permissionSlug,
      ...options,
      ...page,
    });
  for (const [how, list] of [
    ['by id', byId],
    ['by external id', byPath],
  ]) {
    await pages(`rule 23: memberships of a resource ${how}`, list({}), ids(members));
    await pages(`rule 24: \`indirect\` ${how}`, list({ assignment: 'indirect' }), [...ids(members), alice.id]);
    await invalid(`rule 25: another value ${how}`, list({ assignment: 'sideways' }));
  }
  const [first] = (await byId({})({ order: 'asc' })).data;
  times(first);
  equal([first.object, first.userId, first.status], ['organization_membership', members[0].userId, 'active'], 'rule 26');
}

export const cases = { resources, checks, discovery };
