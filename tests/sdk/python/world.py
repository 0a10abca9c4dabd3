"""What cases make through the SDK before they ask."""

import itertools
import uuid

from workos.authorization import (
    ParentResourceByExternalId,
    ParentResourceById,
    ResourceTargetByExternalId,
    ResourceTargetById,
)
from workos.organization_membership import RoleSingle


class World:
    """One client, and names that nobody else uses.

    The environment declares the resource types `workspace` (in an organization), `project` (in a workspace), `document` (in a
    project) and `app` (in an organization or a workspace), without permissions.
    """

    def __init__(self, client, base_url):
        self.client = client
        self.base_url = base_url
        self.authorization = client.authorization
        self.groups = client.groups
        self.memberships = client.organization_membership
        self.organizations = client.organizations
        self._suffix = uuid.uuid4().hex[:6]
        self._numbers = itertools.count(1)

    def unique(self, text):
        """The text, made unique; fit for a slug where the text is."""
        return f"{text}-{self._suffix}-{next(self._numbers)}"

    def organization(self, name="Acme"):
        return self.organizations.create_organization(name=name)

    def member(self, organization, user="alice", role=None):
        return self.memberships.create_organization_membership(
            user_id=self.unique(user),
            organization_id=organization.id,
            role=RoleSingle(role_slug=role) if role else None,
        )

    def resource(self, organization, kind, name, parent=None):
        """A resource whose external id is its name."""
        return self.authorization.create_resource(
            organization_id=organization.id,
            resource_type_slug=kind,
            external_id=name,
            name=name.capitalize(),
            parent_resource=ParentResourceById(parent.id) if parent else None,
        )

    def permission(self, slug, kind):
        """A permission of a resource type; returns its slug."""
        return self.authorization.create_permission(
            slug=self.unique(slug), name=slug, resource_type_slug=kind
        ).slug

    def role(self, slug, kind, *permissions):
        """A role of the environment with these permissions; returns its slug."""
        role = self.authorization.create_environment_role(
            slug=self.unique(slug), name=slug, resource_type_slug=kind
        )
        if permissions:
            self.authorization.set_environment_role_permissions(role.slug, permissions=list(permissions))
        return role.slug

    def group(self, organization, name, *members):
        group = self.groups.create_organization_group(organization.id, name=name)
        if members:
            self.groups.update_group_organization_memberships(
                organization.id, group.id, add=[member.id for member in members]
            )
        return group

    def assign(self, membership, role, resource):
        return self.authorization.assign_role(membership.id, role_slug=role, resource_target=by_id(resource))

    def may(self, membership, permission, resource):
        """What a check says."""
        answer = self.authorization.check(membership.id, permission_slug=permission, resource_target=by_id(resource))
        return answer.authorized

    def root(self, organization):
        """The resource that an organization is."""
        return self.authorization.get_resource_by_external_id(organization.id, "organization", organization.id)


def by_id(resource):
    return ResourceTargetById(resource_id=resource.id)


def by_external_id(resource):
    return ResourceTargetByExternalId(
        resource_external_id=resource.external_id, resource_type_slug=resource.resource_type_slug
    )


def parent_by_id(resource):
    return ParentResourceById(parent_resource_id=resource.id)


def parent_by_external_id(resource):
    return ParentResourceByExternalId(
        parent_resource_type_slug=resource.resource_type_slug, parent_resource_external_id=resource.external_id
    )
