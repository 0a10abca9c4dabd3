//! How one copy of a graph becomes the same as another.

use super::Graph;

impl Graph {
    /// Becomes the same as another, of which this is a clone from when neither had been changed, or that adopted this
    /// or was adopted by it since: at the cost of what has changed.
    pub(super) fn adopt(&mut self, other: &Self) {
        let Self {
            resources,
            details,
            external_names,
            external_ids,
            roles,
            roles_by_slug,
            permissions,
            resource_types,
            organization_type,
            declared_types,
            groups,
            group_reach,
            first_assignment_of_group,
            memberships,
            membership_details,
            memberships_of_organization,
            belongings,
            organizations,
            users,
            membership_assignments,
            group_assignments,
            qualified,
            qualifications,
            settings,
            environment_objects,
            problems,
            terminating,
            objects,
            stale,
            revision,
        } = other;
        self.resources.adopt(resources);
        self.details.adopt(details);
        self.external_names.adopt(external_names);
        self.external_ids.adopt(external_ids);
        self.roles.adopt(roles);
        self.roles_by_slug.adopt(roles_by_slug);
        self.permissions.adopt(permissions);
        self.resource_types.adopt(resource_types);
        self.organization_type = *organization_type;
        self.declared_types = *declared_types;
        self.groups.adopt(groups);
        self.group_reach.adopt(group_reach);
        self.first_assignment_of_group.adopt(first_assignment_of_group);
        self.memberships.adopt(memberships);
        self.membership_details.adopt(membership_details);
        self.memberships_of_organization.adopt(memberships_of_organization);
        self.belongings.adopt(belongings);
        self.organizations.adopt(organizations);
        self.users.adopt(users);
        self.membership_assignments.adopt(membership_assignments);
        self.group_assignments.adopt(group_assignments);
        self.qualified.adopt(qualified);
        self.qualifications.adopt(qualifications);
        self.settings.clone_from(settings);
        self.environment_objects.adopt(environment_objects);
        self.problems.adopt(problems);
        self.terminating.adopt(terminating);
        self.objects = *objects;
        self.stale = *stale;
        self.revision = *revision;
    }
}
