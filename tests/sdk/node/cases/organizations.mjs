// Organizations, memberships and groups.

import { anId, badRequest, equal, expect, ids, invalid, notFound, pages, sameMembers, times } from '../support.mjs';

async function organizations(world) {
  const externalId = world.unique('acme/1: *');
  const made = await world.organizations.createOrganization({
    name: 'Acme Corporation',
    externalId,
    metadata: { plan: 'gold' },
  });
  anId(made.id, 'org');
  times(made);
  equal(
    [made.object, made.name, made.externalId, made.metadata, made.domains],
    ['organization', 'Acme Corporation', externalId, { plan: 'gold' }, []],
    'section 1.1: an organization that was created',
  );
  equal(await world.organizations.getOrganization(made.id), made, 'an organization by id');
  equal(await world.organizations.getOrganizationByExternalId(externalId), made, 'rule 76: an organization by external id');
  const changed = await world.organizations.updateOrganization({ organization: made.id, name: 'Acme & Sons' });
  equal(
    [changed.id, changed.name, changed.externalId, changed.metadata, changed.createdAt],
    [made.id, 'Acme & Sons', externalId, { plan: 'gold' }, made.createdAt],
    'an organization after its name changed',
  );
  await badRequest('section 1.1: an external id that is taken', 'external_id_already_used', () =>
    world.organizations.createOrganization({ name: 'Second', externalId }),
  );
  const root = await world.root(made);
  equal(
    [root.name, root.externalId, root.resourceTypeSlug, root.parentResourceId, root.organizationId],
    ['Acme & Sons', externalId, 'organization', null, made.id],
    'section 1.3: the resource that an organization is',
  );

  const others = [];
  for (const number of [1, 2, 3]) others.push(await world.organization(`Listed ${number}`));
  const listed = await world.organizations.listOrganizations();
  equal(ids(listed.data).slice(0, 3), ids(others).reverse(), 'rule 68: organizations, the newest first');
  const all = ids(await listed.autoPagination());
  expect(all.includes(made.id) && new Set(all).size === all.length, 'rule 70: each organization once');

  await world.organizations.deleteOrganization(made.id);
  await notFound('rule 39: a deleted organization', () => world.organizations.getOrganization(made.id));
  await notFound('rule 39: its root', () => world.authorization.getResource(root.id));
  await notFound('its external id', () => world.organizations.getOrganizationByExternalId(externalId));
  await notFound('deleting it again', () => world.organizations.deleteOrganization(made.id));
}

async function memberships(world) {
  const organization = await world.organization('Acme');
  const elsewhere = await world.organization('Globex');
  const userId = world.unique('auth0|alice');
  const made = await world.users.createOrganizationMembership({ userId, organizationId: organization.id });
  anId(made.id, 'om');
  times(made);
  equal(
    made,
    {
      object: 'organization_membership',
      id: made.id,
      userId,
      organizationId: organization.id,
      organizationName: 'Acme',
      status: 'active',
      directoryManaged: false,
      createdAt: made.createdAt,
      updatedAt: made.updatedAt,
      role: { slug: 'member' },
      roles: [{ slug: 'member' }],
      customAttributes: {},
    },
    'section 3.8: a membership that was created',
  );
  equal(await world.users.getOrganizationMembership(made.id), made, 'a membership by id');

  const role = await world.role('admin', 'organization');
  const other = await world.role('auditor', 'organization');
  const workspaceRole = await world.role('workspace-admin', 'workspace');
  const changed = await world.users.updateOrganizationMembership(made.id, { roleSlug: role });
  equal([changed.role, changed.roles], [{ slug: role }, [{ slug: role }]], 'rule 36: PUT changes the role');
  for (const [options, code] of [
    [{ roleSlug: 'no-such-role' }, 'invalid_role'],
    [{ roleSlug: workspaceRole }, 'sub_resource_scoped_role_not_allowed'],
    [{ roleSlugs: [role, other] }, 'multiple_roles_not_enabled'],
  ]) {
    await invalid(`section 1.5: ${JSON.stringify(options)}`, () => world.users.updateOrganizationMembership(made.id, options), code);
    const creation = { userId: 'bob', organizationId: organization.id, ...options };
    await invalid(`section 1.5: creating with ${JSON.stringify(options)}`, () => world.users.createOrganizationMembership(creation), code);
  }

  const inactive = await world.users.deactivateOrganizationMembership(made.id);
  equal([inactive.id, inactive.status, inactive.role.slug], [made.id, 'inactive', role], 'rule 13: deactivate keeps the role');
  const active = await world.users.reactivateOrganizationMembership(made.id);
  equal([active.id, active.status, active.role.slug], [made.id, 'active', role], 'rule 13: reactivate');

  const members = [made];
  for (const number of [1, 2, 3, 4, 5, 6]) members.push(await world.member(organization, `user-${number}`));
  const leaver = await world.member(organization, 'leaver');
  await world.users.deactivateOrganizationMembership(leaver.id);
  const abroad = await world.users.createOrganizationMembership({ userId, organizationId: elsewhere.id });
  const listing = (options) => world.users.listOrganizationMemberships({ organizationId: organization.id, ...options });
  await pages('memberships of an organization', listing, ids(members));
  const byUser = await world.users.listOrganizationMemberships({ userId });
  sameMembers(ids(byUser.data), [made.id, abroad.id], 'memberships of a user');
  const away = await listing({ statuses: ['inactive', 'pending'] });
  equal(ids(away.data), [leaver.id], 'section 3.7: memberships by a list of statuses');
  await badRequest('section 3.7: memberships of nobody', 'missing_user_id_or_organization_id', () =>
    world.users.listOrganizationMemberships({}),
  );

  await world.users.deleteOrganizationMembership(leaver.id);
  await notFound('rule 39: a deleted membership', () => world.users.getOrganizationMembership(leaver.id));
  await notFound('deleting it again', () => world.users.deleteOrganizationMembership(leaver.id));
}

async function groups(world) {
  const organization = await world.organization('Acme');
  const elsewhere = await world.organization('Globex');
  const organizationId = organization.id;
  const made = await world.groups.createGroup({ organizationId, name: 'Engineering', description: 'They build' });
  anId(made.id, 'group');
  expect(made.createdAt instanceof Date && !Number.isNaN(Number(made.createdAt)), 'section 1.1: a time of a group');
  equal(
    [made.object, made.organizationId, made.name, made.description],
    ['group', organizationId, 'Engineering', 'They build'],
    'section 3.8: a group that was created',
  );
  const where = { organizationId, groupId: made.id };
  equal(await world.groups.getGroup(where), made, 'a group by id');
  const changed = await world.groups.updateGroup({ ...where, name: 'Builders', description: 'They still do' });
  equal([changed.id, changed.name, changed.description], [made.id, 'Builders', 'They still do'], 'PATCH of a group');
  const cleared = await world.groups.updateGroup({ ...where, name: 'Builders' });
  equal([cleared.name, cleared.description], ['Builders', null], 'this SDK sends null for an absent description');
  await notFound('rule 52: a group of another organization', () => world.groups.getGroup({ ...where, organizationId: elsewhere.id }));

  const teams = [made];
  for (const number of [1, 2, 3, 4, 5, 6]) teams.push(await world.group(organization, `Team ${number}`));
  await pages('groups of an organization', (page) => world.groups.listGroups({ organizationId, ...page }), ids(teams));
  const found = await world.groups.listGroups({ organizationId, search: 'Team 3' });
  equal(ids(found.data), [teams[3].id], 'section 3.6: search by name');

  const members = [];
  for (const number of [1, 2, 3, 4, 5, 6, 7]) members.push(await world.member(organization, `user-${number}`));
  for (const member of [...members, members[0]]) {
    const answer = await world.groups.addOrganizationMembership({ ...where, organizationMembershipId: member.id });
    equal([answer.id, answer.name], [made.id, 'Builders'], 'rule 51: adding a member answers with the group');
  }
  await pages('members of a group', (page) => world.groups.listOrganizationMemberships({ ...where, ...page }), ids(members));
  const [first] = (await world.groups.listOrganizationMemberships({ ...where, order: 'asc' })).data;
  times(first);
  equal(
    [first.object, first.userId, first.organizationId, first.status],
    ['organization_membership', members[0].userId, organizationId, 'active'],
    'section 3.6: a member',
  );
  await world.groups.removeOrganizationMembership({ ...where, organizationMembershipId: members[0].id });
  await notFound('rule 52: removing who is no member', () =>
    world.groups.removeOrganizationMembership({ ...where, organizationMembershipId: members[0].id }),
  );
  await notFound('rule 51: an unknown membership', () =>
    world.groups.addOrganizationMembership({ ...where, organizationMembershipId: 'om_01JZZZZZZZZZZZZZZZZZZZZZZZ' }),
  );
  const foreign = await world.member(elsewhere);
  await invalid(
    'rule 51: a membership of another organization',
    () => world.groups.addOrganizationMembership({ ...where, organizationMembershipId: foreign.id }),
    ['invalid_request_parameters', 'unprocessable_entity', undefined],
  );
  const organizationMembershipId = members[1].id;
  for (const team of teams.slice(1)) {
    await world.groups.addOrganizationMembership({ organizationId, groupId: team.id, organizationMembershipId });
  }
  await pages(
    'groups of a membership',
    (page) => world.users.listGroupsForOrganizationMembership({ organizationMembershipId, ...page }),
    ids(teams),
  );

  await world.groups.deleteGroup(where);
  await notFound('rule 52: a deleted group', () => world.groups.getGroup(where));
  await notFound('deleting it again', () => world.groups.deleteGroup(where));
}

/** Rule 70: this SDK starts anew with pages of 100. */
async function automaticPaging(world) {
  const organization = await world.organization();
  const names = Array.from({ length: 105 }, (_, number) => `Team ${number}`);
  const made = [];
  while (names.length > 0) {
    made.push(...(await Promise.all(names.splice(0, 15).map((name) => world.group(organization, name)))));
  }
  const page = await world.groups.listGroups({ organizationId: organization.id });
  equal(page.data.length, 10, 'rule 68: the default limit');
  const all = await page.autoPagination();
  equal(all.length, 105, 'rule 70: all pages');
  sameMembers(ids(all), ids(made), 'rule 70: each item once');
  const limited = await world.groups.listGroups({ organizationId: organization.id, limit: 7 });
  equal((await limited.autoPagination()).length, 7, 'rule 70: with a limit, it is that page');
}

export const cases = { organizations, memberships, groups, automaticPaging };
