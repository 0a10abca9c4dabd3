// What cases make through the SDK before they ask.

import { randomBytes } from 'node:crypto';

import { sdk } from './sdk.mjs';

/**
 * One client, and names that nobody else uses.
 *
 * The environment declares the resource types `workspace` (in an organization), `project` (in a workspace), `document` (in a
 * project) and `app` (in an organization or a workspace), without permissions.
 */
export class World {
  #suffix = randomBytes(3).toString('hex');
  #number = 0;

  constructor(url) {
    const { hostname, port } = new URL(url);
    this.connection = { apiHostname: hostname, port: Number(port), https: false };
    this.client = new sdk.WorkOS('sk_test', { ...this.connection, maxRetries: 0 });
    this.authorization = this.client.authorization;
    this.groups = this.client.groups;
    this.organizations = this.client.organizations;
    this.users = this.client.userManagement;
  }

  /** The text, made unique; fit for a slug where the text is. */
  unique(text) {
    this.#number += 1;
    return `${text}-${this.#suffix}-${this.#number}`;
  }

  organization(name = 'Acme') {
    return this.organizations.createOrganization({ name });
  }

  member(organization, user = 'alice', roleSlug = undefined) {
    return this.users.createOrganizationMembership({
      userId: this.unique(user),
      organizationId: organization.id,
      roleSlug,
    });
  }

  /** A resource whose external id is its name. */
  resource(organization, resourceTypeSlug, name, parent = undefined) {
    return this.authorization.createResource({
      organizationId: organization.id,
      resourceTypeSlug,
      externalId: name,
      name: name[0].toUpperCase() + name.slice(1),
      ...(parent && { parentResourceId: parent.id }),
    });
  }

  /** A permission of a resource type; returns its slug. */
  async permission(slug, resourceTypeSlug) {
    const made = await this.authorization.createPermission({ slug: this.unique(slug), name: slug, resourceTypeSlug });
    return made.slug;
  }

  /** A role of the environment with these permissions; returns its slug. */
  async role(slug, resourceTypeSlug, ...permissions) {
    const made = await this.authorization.createEnvironmentRole({ slug: this.unique(slug), name: slug, resourceTypeSlug });
    if (permissions.length > 0) await this.authorization.setEnvironmentRolePermissions(made.slug, { permissions });
    return made.slug;
  }

  async group(organization, name, ...members) {
    const group = await this.groups.createGroup({ organizationId: organization.id, name });
    for (const member of members) {
      await this.groups.addOrganizationMembership({
        organizationId: organization.id,
        groupId: group.id,
        organizationMembershipId: member.id,
      });
    }
    return group;
  }

  assign(membership, roleSlug, resource) {
    return this.authorization.assignRole({
      organizationMembershipId: membership.id,
      roleSlug,
      resourceId: resource.id,
    });
  }

  /** What a check says. */
  async may(membership, permissionSlug, resource) {
    const answer = await this.authorization.check({
      organizationMembershipId: membership.id,
      permissionSlug,
      resourceId: resource.id,
    });
    return answer.authorized;
  }

  /** The resource that an organization is. */
  root(organization) {
    return this.authorization.getResourceByExternalId({
      organizationId: organization.id,
      resourceTypeSlug: 'organization',
      externalId: organization.id,
    });
  }
}

export const byExternalId = (resource) => ({
  resourceExternalId: resource.externalId,
  resourceTypeSlug: resource.resourceTypeSlug,
});
