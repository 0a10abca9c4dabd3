//! Lists of assignments.

use super::{
    super::{
        Graph,
        access::{Subjects, with_scratch},
        facts::Timestamp,
        grants::SubjectId,
        page::page_of,
        qualification::Qualification,
        query::{AssignmentItem, Denial, GrantSource, Page, PageRequest, Target},
        records::{Assignment, Membership, Resource},
        table::Id,
    },
    Holder, Holding, HoldingKey, Origin,
};

impl Graph {
    /// Every assignment of a membership, its own and through groups, effective or not (rules 35, 36).
    ///
    /// # Guarantees
    /// Only the items of the page are judged; of the rest of the list no more than the names are looked at.
    ///
    /// # Errors
    /// Where the membership is unknown.
    pub fn assignments_of_membership(
        &self,
        membership: &str,
        page: PageRequest<'_>,
        now: Timestamp,
    ) -> Result<Page<AssignmentItem>, Denial> {
        let membership = self.memberships.id(membership).ok_or(Denial::UnknownSubject)?;
        Ok(with_scratch(|scratch| {
            let holder = Holder::new(self, membership, now.into());
            let mut holdings = holder.assigned(|_, _| true);
            holdings.extend(holder.by_itself(&mut scratch.subjects));
            let keyed = holdings.into_iter().map(|holding| (holder.key(&holding), holding));
            page_of(keyed, page, |holding| Some(self.item(&holder, &holding, &mut scratch.subjects)))
        }))
    }

    /// The assignments of a membership on that very resource, its own and through groups that pass them on to it in its
    /// organization; of a membership of which nothing is known, or that is of no organization, none.
    ///
    /// # Guarantees
    /// What the membership has elsewhere costs nothing, but for the assignments of the subjects that have some here.
    #[must_use]
    pub fn assignments_of_membership_on(
        &self,
        membership: &str,
        resource: &str,
        now: Timestamp,
    ) -> Vec<AssignmentItem> {
        let (Some(membership), Some(resource)) = (self.memberships.id(membership), self.resources.id(resource)) else {
            return Vec::new();
        };
        let Some(organization) = self.memberships[membership].organization else {
            return Vec::new();
        };
        with_scratch(|scratch| {
            let subjects = &mut scratch.subjects;
            subjects.gather(self, membership, organization);
            let holder = Holder::new(self, membership, now.into());
            let mut holdings = Vec::new();
            holder.assigned_on(resource, subjects, |_| true, &mut holdings);
            if resource == organization {
                holdings.extend(holder.by_itself(subjects));
            }
            holdings.iter().map(|holding| self.item(&holder, holding, subjects)).collect()
        })
    }

    /// Every assignment on that very resource, effective or not (rule 37).
    ///
    /// # Guarantees
    /// As of [`Self::assignments_of_membership`]. Where a default role can be had on the resource, all memberships of
    /// the organization are looked at.
    ///
    /// # Errors
    /// Where the resource is unknown.
    pub fn assignments_of_resource(
        &self,
        resource: Target<'_>,
        page: PageRequest<'_>,
        now: Timestamp,
    ) -> Result<Page<AssignmentItem>, Denial> {
        with_scratch(|scratch| {
            let resource = match (self.resolve_target(resource, &mut scratch.path), resource) {
                (Ok((resource, _)), _) => resource,
                // Also of a detached resource it can be asked what would apply.
                (Err(Denial::DetachedResource), Target::Name(name)) => {
                    self.resources.id(name).ok_or(Denial::UnknownResource)?
                }
                (Err(denial), _) => return Err(denial),
            };
            let mut items: Vec<(HoldingKey<'_>, Listed<'_>)> = Vec::new();
            for (subject, id) in self.placed_on(resource) {
                let Some(terms) = self.assignments(subject)[id].terms() else {
                    continue;
                };
                let origin = Origin::Assignment(subject, id);
                let holding = Holding { origin, role: terms.role, resource: Some(resource) };
                let membership = match subject {
                    SubjectId::Membership(membership) => Some(membership),
                    SubjectId::Group(_) => None,
                };
                items.push((HoldingKey::of(self, membership, &holding), Listed::Assigned(subject, id)));
            }
            for membership in self.with_roles_by_themselves(resource) {
                let default = self.default_role_of(membership, resource);
                let default = default.map(|role| Holding { origin: Origin::Default, role, resource: Some(resource) });
                for holding in self.told_of(membership).into_iter().chain(default) {
                    items.push((
                        HoldingKey::of(self, Some(membership), &holding),
                        Listed::ByItself(membership, holding),
                    ));
                }
            }
            Ok(page_of(items, page, |listed| match listed {
                Listed::Assigned(subject, id) => self.assignment_item(subject, id, &mut scratch.subjects, now),
                Listed::ByItself(membership, holding) => {
                    let is_default = matches!(holding.origin, Origin::Default);
                    if is_default
                        && self
                            .effective_default_role(membership, resource, &mut scratch.subjects, now.into())
                            .is_none()
                    {
                        return None;
                    }
                    let holder = Holder::new(self, membership, now.into());
                    Some(self.item(&holder, &holding, &mut scratch.subjects))
                }
            }))
        })
    }

    /// The memberships of an organization that have roles there by themselves, or may have the default role.
    fn with_roles_by_themselves(&self, organization: Id<Resource>) -> Vec<Id<Membership>> {
        let by_default = self.settings.default_role;
        if by_default.is_some_and(|role| self.fits(role, self.organization_type, organization)) {
            return self.declared_in(organization).collect();
        }
        let mut memberships: Vec<_> =
            self.own_roles_in(organization).flat_map(|(_, memberships)| memberships).collect();
        memberships.sort_unstable();
        memberships.dedup();
        memberships
    }

    fn item<'g>(&'g self, holder: &Holder<'g>, holding: &Holding<'g>, subjects: &mut Subjects) -> AssignmentItem {
        let Qualification { expires_at, condition } = holder.qualification(holding);
        AssignmentItem {
            source: holder.source(holding),
            membership: Some(self.memberships.name(holder.membership).clone()),
            role: self.roles.name(holding.role).clone(),
            resource: holding.resource.map(|resource| self.resources.name(resource).clone()),
            expires_at,
            condition,
            inert: holder.faults(holding, subjects),
        }
    }

    fn assignment_item(
        &self,
        subject: SubjectId,
        id: Id<Assignment>,
        subjects: &mut Subjects,
        now: Timestamp,
    ) -> Option<AssignmentItem> {
        let table = self.assignments(subject);
        let name = table.name(id);
        let terms = table[id].terms()?;
        let qualification = self.qualification(subject, id);
        let (source, membership) = match subject {
            SubjectId::Membership(membership) => {
                (GrantSource::MembershipRoleAssignment(name.clone()), Some(self.memberships.name(membership).clone()))
            }
            SubjectId::Group(group) => {
                let groups = vec![self.groups.name(group).clone()];
                (GrantSource::GroupRoleAssignment { assignment: name.clone(), groups }, None)
            }
        };
        Some(AssignmentItem {
            source,
            membership,
            role: self.roles.name(terms.role).clone(),
            resource: self.placed(terms).map(|resource| self.resources.name(resource).clone()),
            inert: self.assignment_faults(terms, &qualification, subjects, now.into()),
            expires_at: qualification.expires_at,
            condition: qualification.condition,
        })
    }
}

/// What is listed of a resource.
enum Listed<'g> {
    Assigned(SubjectId, Id<Assignment>),
    ByItself(Id<Membership>, Holding<'g>),
}
