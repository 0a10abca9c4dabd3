// Permissions and roles.

import { anId, conflict, equal, expect, ids, invalid, notFound, refused, sameMembers, slugs, times } from '../support.mjs';

async function permissions(world) {
  const slug = world.unique('document:read*');
  const made = await world.authorization.createPermission({
    slug,
    name: 'Read documents',
    description: 'All of them',
    resourceTypeSlug: 'document',
  });
  anId(made.id, 'perm');
  times(made);
  equal(
    made,
    {
      object: 'permission',
      id: made.id,
      slug,
      name: 'Read documents',
      description: 'All of them',
      resourceTypeSlug: 'document',
      system: false,
      createdAt: made.createdAt,
      updatedAt: made.updatedAt,
    },
    'section 3.8: a permission that was created',
  );
  equal(await world.authorization.getPermission(slug), made, 'rule 76: this SDK leaves `:` and `*` as they are');
  const plain = await world.authorization.createPermission({ slug: world.unique('plain'), name: 'Plain' });
  equal([plain.resourceTypeSlug, plain.description], ['organization', null], 'section 1.1: the defaults of a permission');
  const changed = await world.authorization.updatePermission(slug, { name: 'See documents' });
  equal([changed.id, changed.name, changed.description], [made.id, 'See documents', 'All of them'], 'rule 62: PATCH');
  const cleared = await world.authorization.updatePermission(slug, { description: null });
  equal([cleared.name, cleared.description], ['See documents', null], 'rule 62: null clears the description');
  await conflict('rule 62: a slug that is taken', 'permission_slug_conflict', () =>
    world.authorization.createPermission({ slug, name: 'Again' }),
  );
  await notFound('an unknown resource type', () =>
    world.authorization.createPermission({ slug: world.unique('x'), name: 'X', resourceTypeSlug: 'no-such-type' }),
  );
  const error = await invalid('section 1.1: a bad slug', () => world.authorization.createPermission({ slug: 'A b', name: 'X' }));
  expect(/^The following requirements? must be met:\n\t.*slug/.test(error?.message ?? ''), `section 4.3: ${error?.message}`);

  const more = [];
  for (const number of [1, 2, 3]) more.push(await world.permission(`app:action-${number}`, 'app'));
  const listed = await world.authorization.listPermissions({ limit: 3 });
  const rest = await world.authorization.listPermissions({ limit: 3, after: listed.listMetadata.after });
  equal(rest.listMetadata.before, rest.data[0].id, 'rule 68: the next page');
  const all = await (await world.authorization.listPermissions()).autoPagination();
  const own = slugs(all).filter((one) => more.includes(one));
  equal(own, [...more].reverse(), 'rule 68: the permissions of a type, the newest first');
  expect(slugs(all).includes(slug) && new Set(ids(all)).size === all.length, 'rule 70: each permission once');

  await world.authorization.deletePermission(slug);
  await notFound('rule 62: a deleted permission', () => world.authorization.getPermission(slug));
  await notFound('deleting it again', () => world.authorization.deletePermission(slug));
}

async function environmentRoles(world) {
  const see = await world.permission('workspace:see', 'workspace');
  const edit = await world.permission('project:edit', 'project');
  const slug = world.unique('workspace-admin');
  const made = await world.authorization.createEnvironmentRole({
    slug,
    name: 'Workspace Admin',
    description: 'Runs it',
    resourceTypeSlug: 'workspace',
  });
  anId(made.id, 'role');
  times(made);
  equal(
    made,
    {
      object: 'role',
      id: made.id,
      name: 'Workspace Admin',
      slug,
      description: 'Runs it',
      permissions: [],
      resourceTypeSlug: 'workspace',
      type: 'EnvironmentRole',
      createdAt: made.createdAt,
      updatedAt: made.updatedAt,
    },
    'section 3.8: a role that was created',
  );
  equal(await world.authorization.getEnvironmentRole(slug), made, 'a role by its slug');
  const listed = await world.authorization.listEnvironmentRoles();
  equal(listed.object, 'list', 'rule 66: roles are a list');
  equal(listed.data.at(-1), made, 'section 1.4: new roles go to the bottom');
  const changed = await world.authorization.updateEnvironmentRole(slug, { name: 'Boss' });
  equal([changed.id, changed.name, changed.description], [made.id, 'Boss', 'Runs it'], 'PATCH of a role');
  const set = await world.authorization.setEnvironmentRolePermissions(slug, { permissions: [see] });
  equal([set.slug, set.permissions], [slug, [see]], 'rule 64: PUT sets the permissions');
  for (const _ of [1, 2]) {
    const added = await world.authorization.addEnvironmentRolePermission(slug, { permissionSlug: edit });
    sameMembers(added.permissions, [see, edit], 'rule 64: POST adds one, once');
  }
  await notFound('rule 64: an unknown permission', () =>
    world.authorization.setEnvironmentRolePermissions(slug, { permissions: [see, 'no:such'] }),
  );
  sameMembers((await world.authorization.getEnvironmentRole(slug)).permissions, [see, edit], 'rule 64: nothing is changed then');
  await conflict('rule 63: a slug that is taken', 'role_slug_conflict', () =>
    world.authorization.createEnvironmentRole({ slug, name: 'Again' }),
  );
  await notFound('an unknown role', () => world.authorization.getEnvironmentRole('no-such-role'));
}

async function organizationRoles(world) {
  const organization = await world.organization('Acme');
  const elsewhere = await world.organization('Globex');
  const environmentRole = await world.role('auditor', 'organization');
  const see = await world.permission('workspace:see', 'workspace');
  const edit = await world.permission('workspace:edit', 'workspace');
  const slug = world.unique('org-editor');
  const { authorization } = world;
  const made = await authorization.createOrganizationRole(organization.id, {
    slug,
    name: 'Editor',
    resourceTypeSlug: 'workspace',
  });
  anId(made.id, 'role');
  times(made);
  equal(
    [made.slug, made.name, made.description, made.type, made.resourceTypeSlug, made.permissions],
    [slug, 'Editor', null, 'OrganizationRole', 'workspace', []],
    'section 3.8: a custom role that was created',
  );
  equal(await authorization.getOrganizationRole(organization.id, slug), made, 'a custom role by its slug');
  const generated = await authorization.createOrganizationRole(organization.id, { name: 'Night  Watch (EU)' });
  expect(/^night-watch-eu-[a-z0-9]{6}$/.test(generated.slug), `section 1.4: a generated slug: ${generated.slug}`);

  const listed = slugs((await authorization.listOrganizationRoles(organization.id)).data);
  expect(listed.includes(environmentRole), "rule 66: the list has the environment's roles");
  expect(listed.indexOf(slug) >= 0 && listed.indexOf(slug) < listed.indexOf(generated.slug), 'rule 66: in the order of priority');
  const abroad = slugs((await authorization.listOrganizationRoles(elsewhere.id)).data);
  expect(!abroad.includes(slug), 'rule 66: but no role of another organization');
  const shared = await authorization.getOrganizationRole(organization.id, environmentRole);
  equal([shared.slug, shared.type], [environmentRole, 'EnvironmentRole'], "rule 66: the environment's roles by slug");
  await notFound('rule 28: a role of another organization', () => authorization.getOrganizationRole(elsewhere.id, slug));

  const changed = await authorization.updateOrganizationRole(organization.id, slug, { name: 'Author', description: 'Writes' });
  equal([changed.id, changed.name, changed.description], [made.id, 'Author', 'Writes'], 'PATCH of a custom role');
  const set = await authorization.setOrganizationRolePermissions(organization.id, slug, { permissions: [see] });
  equal(set.permissions, [see], 'rule 64: PUT sets the permissions');
  const added = await authorization.addOrganizationRolePermission(organization.id, slug, { permissionSlug: edit });
  sameMembers(added.permissions, [see, edit], 'rule 64: POST adds one');
  await authorization.removeOrganizationRolePermission(organization.id, slug, { permissionSlug: see });
  equal((await authorization.getOrganizationRole(organization.id, slug)).permissions, [edit], 'rule 64: DELETE takes one');
  await notFound('rule 64: taking what is not attached', () =>
    authorization.removeOrganizationRolePermission(organization.id, slug, { permissionSlug: see }),
  );
  await conflict('rule 63: a slug that is taken', 'organization_role_slug_conflict', () =>
    authorization.createOrganizationRole(organization.id, { slug, name: 'Again' }),
  );

  const workspace = await world.resource(organization, 'workspace', 'hq');
  const alice = await world.member(organization);
  const assignment = await world.assign(alice, slug, workspace);
  await conflict('section 1.4: deleting a role that is assigned', 'role_has_assignments', () =>
    authorization.deleteOrganizationRole(organization.id, slug),
  );
  await authorization.removeRoleAssignment({ organizationMembershipId: alice.id, roleAssignmentId: assignment.id });
  await authorization.deleteOrganizationRole(organization.id, slug);
  await notFound('a deleted role', () => authorization.getOrganizationRole(organization.id, slug));
}

async function users(world) {
  for (const [what, call] of [
    ['listing', () => world.users.listUsers()],
    ['creating', () => world.users.createUser({ email: 'alice@example.com' })],
  ]) {
    const error = await refused(`${what} users`, 'GenericServerException', 501, 'users_not_kept_here', call);
    expect(/identity provider/.test(error?.message ?? ''), `${what} users says why: ${error?.message}`);
  }
}

export const cases = { permissions, environmentRoles, organizationRoles, users };
