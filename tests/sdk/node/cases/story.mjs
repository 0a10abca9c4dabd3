// From nothing to a working organization and back, as a team would do it.

import { equal, expect, ids, notFound, slugs } from '../support.mjs';
import { byExternalId } from '../world.mjs';

async function story(world) {
  const { authorization, groups, users } = world;
  const acme = await world.organizations.createOrganization({ name: 'Acme', externalId: world.unique('acme') });
  const organizationId = acme.id;
  const create = await world.permission('project:create', 'workspace');
  const view = await world.permission('project:view', 'project');
  const edit = await world.permission('project:edit', 'project');
  const remove = await world.permission('project:delete', 'project');
  const admin = await world.role('workspace-admin', 'workspace', create, view, edit);
  const viewer = await world.role('project-viewer', 'project', view);
  const editor = world.unique('org-project-editor');
  await authorization.createOrganizationRole(organizationId, { slug: editor, name: 'Project Editor', resourceTypeSlug: 'project' });
  await authorization.setOrganizationRolePermissions(organizationId, editor, { permissions: [view, edit] });
  const engineering = await world.resource(acme, 'workspace', 'engineering');
  const marketing = await world.resource(acme, 'workspace', 'marketing');
  const website = await world.resource(acme, 'project', 'website', engineering);
  const campaign = await world.resource(acme, 'project', 'campaign', marketing);
  const readme = await world.resource(acme, 'document', 'readme', website);

  const alice = await users.createOrganizationMembership({ userId: world.unique('user_alice'), organizationId });
  const bob = await users.createOrganizationMembership({ userId: world.unique('user_bob'), organizationId });
  const administration = await world.assign(alice, admin, engineering);
  await authorization.assignRole({ organizationMembershipId: alice.id, roleSlug: viewer, ...byExternalId(campaign) });
  expect(await world.may(alice, edit, website), 'rule 3: a workspace-admin edits its project');
  expect(await world.may(alice, edit, readme), 'rule 3: and what is in it');
  expect(await world.may(alice, create, engineering), 'rule 6: and creates projects');
  expect(!(await world.may(alice, create, marketing)), 'rule 5: but nowhere else');
  expect((await world.may(alice, view, campaign)) && !(await world.may(alice, edit, campaign)), 'rule 2: she views the campaign');
  expect(!(await world.may(bob, view, website)), 'rule 1: Bob does nothing');
  const where = await authorization.listResourcesForMembership({
    organizationMembershipId: alice.id,
    permissionSlug: edit,
    parentResourceId: engineering.id,
  });
  equal(ids(where.data), [website.id], 'rule 19: where Alice may edit');
  const what = await authorization.listEffectivePermissions({ organizationMembershipId: alice.id, resourceId: website.id });
  equal(slugs(what.data).sort(), [create, view, edit].sort(), 'rule 15: what Alice may on the website');
  const who = await authorization.listMembershipsForResource({
    resourceId: website.id,
    permissionSlug: edit,
    assignment: 'indirect',
  });
  equal(ids(who.data), [alice.id], 'rule 24: who may edit the website');

  await authorization.addEnvironmentRolePermission(admin, { permissionSlug: remove });
  expect(await world.may(alice, remove, website), 'rule 65: she deletes as soon as her role does');
  await authorization.setEnvironmentRolePermissions(admin, { permissions: [create, view, edit] });
  expect(!(await world.may(alice, remove, website)), 'rule 65: and no more when it does not');

  const gone = { organizationMembershipId: alice.id, roleAssignmentId: administration.id };
  await authorization.removeRoleAssignment(gone);
  expect(!(await world.may(alice, edit, website)), 'rule 34: nothing is left below the workspace');
  expect(await world.may(alice, view, campaign), 'rule 34: a direct project-viewer elsewhere stays');
  await notFound('rule 33: removing it again', () => authorization.removeRoleAssignment(gone));
  const criteria = { organizationMembershipId: alice.id, roleSlug: viewer, ...byExternalId(campaign) };
  await authorization.removeRole(criteria);
  expect(!(await world.may(alice, view, campaign)), 'rule 33: removed by criteria');
  await notFound('rule 33: again by criteria', () => authorization.removeRole(criteria));

  const designers = await groups.createGroup({ organizationId, name: 'Designers' });
  const inDesigners = { organizationId, groupId: designers.id };
  await authorization.createGroupRoleAssignment({ groupId: designers.id, roleSlug: editor, resourceId: website.id });
  await groups.addOrganizationMembership({ ...inDesigners, organizationMembershipId: bob.id });
  expect((await world.may(bob, edit, website)) && (await world.may(bob, edit, readme)), 'rules 40, 43, 44: a new member');
  expect(!(await world.may(bob, edit, campaign)), 'rule 5: only there');
  equal(ids((await users.listGroupsForOrganizationMembership({ organizationMembershipId: bob.id })).data), [designers.id], 'his groups');
  await groups.removeOrganizationMembership({ ...inDesigners, organizationMembershipId: bob.id });
  expect(!(await world.may(bob, edit, website)), 'rules 41, 44: no member any more');
  await groups.addOrganizationMembership({ ...inDesigners, organizationMembershipId: bob.id });
  await groups.addOrganizationMembership({ ...inDesigners, organizationMembershipId: alice.id });

  await users.deleteOrganizationMembership(alice.id);
  await notFound('rule 39: a check of who left', () => world.may(alice, edit, website));
  equal(ids((await groups.listOrganizationMemberships(inDesigners)).data), [bob.id], 'rule 39: who left is in no group');
  const kept = await authorization.createGroupRoleAssignment({ groupId: designers.id, roleSlug: editor, ...byExternalId(campaign) });
  await authorization.deleteResource({ resourceId: website.id, cascadeDelete: true });
  await notFound('rule 59: a check on what is gone', () => world.may(bob, edit, website));
  await notFound('rule 59: and on what was below', () => world.may(bob, edit, readme));
  equal(ids((await authorization.listGroupRoleAssignments({ groupId: designers.id })).data), [kept.id], 'rule 59: the other stays');
  expect(await world.may(bob, edit, campaign), 'rule 40: the other assignment');
  await groups.deleteGroup(inDesigners);
  expect(!(await world.may(bob, edit, campaign)), 'rule 52: without the group, without the role');

  const owner = await world.role('owner', 'organization', edit, remove);
  await users.updateOrganizationMembership(bob.id, { roleSlug: owner });
  expect(await world.may(bob, remove, campaign), 'rule 4: a role in the organization');
  await users.deactivateOrganizationMembership(bob.id);
  expect(!(await world.may(bob, remove, campaign)), 'rule 13: not while he is inactive');
  await users.reactivateOrganizationMembership(bob.id);
  expect(await world.may(bob, remove, campaign), 'rule 13: and again after it');
  await world.organizations.deleteOrganization(organizationId);
  await notFound('rule 39: nothing is left', () => world.may(bob, remove, campaign));
}

export const cases = { story };
