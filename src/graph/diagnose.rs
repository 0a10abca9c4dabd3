//! Whether each object has effect, and why not.

use super::{
    Graph, Map,
    access::{Subjects, with_scratch},
    facts::{ENVIRONMENT_NAME, Kind, Name, ObjectRef, Timestamp},
    grants::SubjectId,
    page::{Key, page_of},
    qualification::Qualification,
    query::{Asked, Diagnosis, ObjectFilter, ObjectItem, Page, PageRequest, Reason},
    records::{Assignment, Group, Membership, Resource, Role, State, Terms, Tier},
    table::{Id, Table},
};

/// More warnings of one object than this are not told.
pub(super) const MAX_WARNINGS: usize = 32;

impl Graph {
    /// Whether an object has effect, and why not; none: there is no such object.
    #[must_use]
    pub fn diagnose(&self, object: &ObjectRef, now: Timestamp) -> Option<Diagnosis> {
        self.diagnose_up_to(MAX_WARNINGS, object, now)
    }

    /// The diagnosis with up to that many warnings.
    pub(super) fn diagnose_up_to(&self, limit: usize, object: &ObjectRef, now: Timestamp) -> Option<Diagnosis> {
        let name = &object.name;
        let (state, diagnosis) = match object.kind {
            Kind::Resource => {
                let id = self.resources.id(name)?;
                let inert = self.detachment(id).into_iter().collect();
                (self.resource_state(id), Diagnosis { inert, warnings: Vec::new() })
            }
            Kind::Role => {
                let id = self.roles.id(name)?;
                let inert = self.role_fault(id).map(Reason::unwrapped).into_iter().collect();
                (self.roles[id].state, Diagnosis { inert, warnings: self.role_warnings(id, limit) })
            }
            Kind::Group => {
                let id = self.groups.id(name)?;
                let inert = self.group_fault(id).map(Reason::unwrapped).into_iter().collect();
                (self.groups[id].state, Diagnosis { inert, warnings: self.group_warnings(id, limit) })
            }
            Kind::GroupRoleAssignment => self.assignment_diagnosis(object, &self.group_assignments, now)?,
            Kind::MembershipRoleAssignment => self.assignment_diagnosis(object, &self.membership_assignments, now)?,
            Kind::OrganizationMembership => {
                let id = self.memberships.id(name)?;
                let declared = self.declared(id)?;
                (declared.state, self.membership_diagnosis(id, limit))
            }
            Kind::ResourceType => {
                let state = self.resource_types[self.resource_types.id(name)?].state;
                let inert = self.state_fault(object.clone(), state).map(Reason::unwrapped).into_iter().collect();
                (state, Diagnosis { inert, warnings: Vec::new() })
            }
            Kind::Environment => {
                let state = *self.environment_objects.get(name)?;
                // What else is wrong with one that is not heeded is of no matter.
                let misnamed = (&**name != ENVIRONMENT_NAME).then_some(Reason::NotTheDefaultEnvironment);
                let warnings = if misnamed.is_none() { self.settings_warnings(limit) } else { Vec::new() };
                let fault = misnamed.or_else(|| self.state_fault(object.clone(), state).map(Reason::unwrapped));
                (state, Diagnosis { inert: fault.into_iter().collect(), warnings })
            }
        };
        (state != State::Absent).then_some(diagnosis)
    }

    /// The objects of the environment with their diagnoses, by kind and name.
    ///
    /// # Guarantees
    /// Of objects beyond the page no more than the names are looked at, nor, where only problems are wanted, diagnoses made.
    #[must_use]
    pub fn objects(&self, filter: ObjectFilter, page: PageRequest<'_>, now: Timestamp) -> Page<ObjectItem> {
        let kinds = Kind::ALL.into_iter().filter(|&kind| filter.kind.is_none_or(|only| only == kind));
        let named = kinds
            .flat_map(|kind| self.names(kind).into_iter().map(move |name| (ObjectKey { kind, name }, (kind, name))));
        page_of(named, page, |(kind, name)| {
            let object = ObjectRef { kind, name: name.clone() };
            let diagnosis = self.diagnose(&object, now)?;
            let is_wanted = !filter.only_problems || !diagnosis.inert.is_empty() || !diagnosis.warnings.is_empty();
            is_wanted.then_some(ObjectItem { object, diagnosis })
        })
    }

    /// The objects of a kind that exist, in whatever state.
    fn names(&self, kind: Kind) -> Vec<&Name> {
        match kind {
            Kind::Resource => {
                self.resources.ids().filter(|&id| self.resource_exists(id)).map(|id| self.resources.name(id)).collect()
            }
            Kind::Role => existing(self.roles.ids(), |id| self.roles[id].state, |id| self.roles.name(id)),
            Kind::Group => existing(self.groups.ids(), |id| self.groups[id].state, |id| self.groups.name(id)),
            Kind::GroupRoleAssignment => {
                self.group_assignments.ids().map(|id| self.group_assignments.name(id)).collect()
            }
            Kind::MembershipRoleAssignment => {
                self.membership_assignments.ids().map(|id| self.membership_assignments.name(id)).collect()
            }
            Kind::OrganizationMembership => self
                .memberships
                .ids()
                .filter(|&id| self.declared(id).is_some())
                .map(|id| self.memberships.name(id))
                .collect(),
            Kind::ResourceType => existing(
                self.resource_types.ids(),
                |id| self.resource_types[id].state,
                |id| self.resource_types.name(id),
            ),
            Kind::Environment => self.environment_objects.iter().map(|(name, _)| name).collect(),
        }
    }

    /// What the state of an object that something needs says against it.
    pub(super) fn state_fault(&self, object: ObjectRef, state: State) -> Option<Reason> {
        match state {
            State::There => None,
            State::Absent => Some(Reason::NotFound { object }),
            State::Deleting => Some(Reason::Terminating { object }),
            State::Invalid => {
                let problem = self.problems.get(&object).cloned().unwrap_or_default();
                Some(inert(object, Reason::InvalidSpec { problem }))
            }
        }
    }

    /// Why a reference to a role leads to nothing.
    pub(super) fn role_fault(&self, role: Id<Role>) -> Option<Reason> {
        let record = &self.roles[role];
        self.state_fault(self.role_ref(role), record.state).or_else(|| {
            let scope = record.scope.filter(|_| record.resource_type.is_none())?;
            let resource_type = self.resource_types.name(scope).clone();
            Some(inert(self.role_ref(role), Reason::UndeclaredResourceType { resource_type }))
        })
    }

    /// Why a reference to a group leads to nothing.
    pub(super) fn group_fault(&self, group: Id<Group>) -> Option<Reason> {
        let record = &self.groups[group];
        let object = self.group_ref(group);
        self.state_fault(object.clone(), record.state).or_else(|| {
            if record.on_cycle {
                let cycle = self.group_cycle(group);
                return Some(inert(object.clone(), Reason::CycleDetected { object, cycle }));
            }
            let fault = self.organization_fault(record.organization?)?;
            Some(inert(object, fault))
        })
    }

    /// Why a reference to an organization leads to nothing.
    fn organization_fault(&self, organization: Id<Resource>) -> Option<Reason> {
        self.resource_fault(organization).or_else(|| {
            let resource_type = self.resources[organization].kind.resource_type()?;
            (resource_type != self.organization_type).then(|| Reason::NotAnOrganization {
                resource: self.resources.name(organization).clone(),
                resource_type: self.resource_types.name(resource_type).clone(),
            })
        })
    }

    /// The names along the shortest way from a group by its subgroups to itself.
    fn group_cycle(&self, group: Id<Group>) -> Vec<Name> {
        let mut came_from = Map::<Id<Group>, Id<Group>>::default();
        let mut queue = vec![group];
        let mut next = 0;
        while let Some(&current) = queue.get(next) {
            next += 1;
            for &subgroup in &*self.groups[current].subgroups {
                if subgroup == group {
                    let mut names = vec![self.groups.name(group).clone()];
                    let mut step = current;
                    while step != group {
                        names.push(self.groups.name(step).clone());
                        step = came_from[&step];
                    }
                    names.push(self.groups.name(group).clone());
                    names.reverse();
                    return names;
                }
                if !came_from.contains_key(&subgroup) {
                    came_from.insert(subgroup, current);
                    queue.push(subgroup);
                }
            }
        }
        Vec::new()
    }

    /// Why no grant of the membership counts in the organization (or, where none is given, anywhere).
    pub(super) fn membership_fault(
        &self,
        membership: Id<Membership>,
        organization: Option<Id<Resource>>,
    ) -> Option<Reason> {
        let name = self.memberships.name(membership).clone();
        let Some(declared) = self.declared(membership) else {
            let denied = self.settings.denies_undeclared_memberships;
            return denied.then_some(Reason::UndeclaredMembership { membership: name });
        };
        let object = ObjectRef { kind: Kind::OrganizationMembership, name: name.clone() };
        if let Some(fault) = self.state_fault(object.clone(), declared.state) {
            return Some(fault);
        }
        if declared.suspended {
            return Some(Reason::Suspended { membership: name });
        }
        let own = declared.organization?;
        if let Some(fault) = self.organization_fault(own) {
            return Some(inert(object, fault));
        }
        let other = organization.filter(|&other| other != own)?;
        Some(self.mismatch(object, own, other))
    }

    fn membership_diagnosis(&self, membership: Id<Membership>, limit: usize) -> Diagnosis {
        let inert = self.membership_fault(membership, None).map(Reason::unwrapped).into_iter().collect();
        let declared = self.declared(membership);
        let roles = declared.map_or(&[][..], |declared| &declared.claims().roles);
        let organization = declared.and_then(|declared| declared.organization);
        let faults = roles.iter().flat_map(|&role| self.fit_faults(role, organization));
        Diagnosis { inert, warnings: faults.take(limit).collect() }
    }

    fn role_warnings(&self, role: Id<Role>, limit: usize) -> Vec<Reason> {
        let record = &self.roles[role];
        let organization = record.organization.and_then(|organization| self.organization_fault(organization));
        let refused = record
            .resource_type
            .into_iter()
            .flat_map(|scope| record.listed.iter().filter_map(move |&permission| self.refusal(scope, permission)));
        organization.into_iter().chain(refused).take(limit).collect()
    }

    fn group_warnings(&self, group: Id<Group>, limit: usize) -> Vec<Reason> {
        let record = &self.groups[group];
        let Some(organization) = record.organization else {
            return Vec::new();
        };
        let subgroups = record.subgroups.iter().filter_map(|&subgroup| {
            let other = self.groups[subgroup].organization.filter(|&other| other != organization);
            let object = self.group_ref(subgroup);
            self.group_fault(subgroup).or_else(|| Some(self.mismatch(object, other?, organization)))
        });
        let members = record.members.iter().filter_map(|&member| self.membership_fault(member, Some(organization)));
        subgroups.chain(members).take(limit).collect()
    }

    fn settings_warnings(&self, limit: usize) -> Vec<Reason> {
        let roles = self.settings.default_role.into_iter().chain(self.settings.role_priority.iter().copied());
        roles.filter_map(|role| self.role_fault(role)).take(limit).collect()
    }

    fn assignment_diagnosis(
        &self,
        object: &ObjectRef,
        table: &Table<Assignment>,
        now: Timestamp,
    ) -> Option<(State, Diagnosis)> {
        let id = table.id(&object.name)?;
        let record = &table[id];
        let fault = self.state_fault(object.clone(), record.state()).map(Reason::unwrapped);
        let mut inert: Vec<Reason> = fault.into_iter().collect();
        if let Some(terms) = record.terms() {
            let qualification = self.qualification(terms.subject, id);
            let asked = now.into();
            let mut faults =
                with_scratch(|scratch| self.assignment_faults(terms, &qualification, &mut scratch.subjects, asked));
            // Whether the condition holds is a matter of each question.
            faults.retain(|fault| !matches!(fault, Reason::ConditionUnmet { .. }));
            inert.extend(faults);
        }
        let age = |id| (table[id].created, table.name(id));
        let oldest = self.duplicates_of(table, id, now).min_by_key(|&other| age(other));
        let duplicate = oldest.filter(|&other| age(other) < age(id)).map(|other| Reason::DuplicateAssignment {
            object: ObjectRef { kind: object.kind, name: table.name(other).clone() },
        });
        Some((record.state(), Diagnosis { inert, warnings: duplicate.into_iter().collect() }))
    }

    /// Why an assignment grants nothing: to its membership, or to any member of its group.
    pub(super) fn assignment_faults(
        &self,
        terms: Terms,
        qualification: &Qualification,
        subjects: &mut Subjects,
        asked: Asked<'_>,
    ) -> Vec<Reason> {
        let mut faults = Vec::new();
        let placed = self.placed(terms);
        let organization = placed.and_then(|resource| self.structural_root(resource));
        match terms.subject {
            SubjectId::Membership(membership) => {
                faults.extend(self.membership_fault(membership, organization));
                if placed.is_none() && faults.is_empty() {
                    faults.push(Reason::OrganizationUnknown { membership: self.memberships.name(membership).clone() });
                }
            }
            SubjectId::Group(group) => {
                faults.extend(self.group_fault(group));
                if let (Some(own), Some(other), true) =
                    (self.groups[group].organization, organization, faults.is_empty())
                    && own != other
                {
                    let object = self.group_ref(group);
                    faults.push(self.mismatch(object, own, other));
                }
            }
        }
        match placed {
            Some(resource) => faults.extend(self.grant_faults(terms.role, resource)),
            None => faults.extend(self.role_fault(terms.role)),
        }
        let Qualification { expires_at, condition } = qualification;
        faults.extend(expires_at.filter(|&at| at <= asked.now).map(|at| Reason::Expired { at }));
        if let Some(condition) = condition
            && let Err(because) = condition.holds(asked.now, asked.given)
        {
            faults.push(Reason::ConditionUnmet { condition: condition.text().into(), because });
        }
        if let (SubjectId::Membership(membership), Some(resource), true) = (terms.subject, placed, faults.is_empty()) {
            let tier = Tier::Assigned;
            faults.extend(self.superseded(membership, Some(tier), terms.role, resource, subjects, asked));
        }
        faults
    }

    /// Why a role on a resource grants nothing to whomever.
    pub(super) fn grant_faults(&self, role: Id<Role>, resource: Id<Resource>) -> Vec<Reason> {
        let role_fault = self.role_fault(role);
        let resource_fault = self.resource_fault(resource);
        let mut faults: Vec<Reason> = role_fault.into_iter().chain(resource_fault).collect();
        if faults.is_empty() {
            let organization = self.structural_root(resource);
            let record = &self.roles[role];
            let resource_type = self.resources[resource].kind.resource_type();
            if let (Some(role_type), Some(resource_type)) = (record.resource_type, resource_type)
                && role_type != resource_type
            {
                faults.push(Reason::RoleTypeMismatch {
                    role: self.roles.name(role).clone(),
                    role_type: self.resource_types.name(role_type).clone(),
                    resource: self.resources.name(resource).clone(),
                    resource_type: self.resource_types.name(resource_type).clone(),
                });
            }
            if let (Some(only), Some(organization)) = (record.organization, organization)
                && only != organization
            {
                faults.push(self.mismatch(self.role_ref(role), only, organization));
            }
        }
        faults
    }

    /// Why a role at the organization level would grant nothing.
    fn fit_faults(&self, role: Id<Role>, organization: Option<Id<Resource>>) -> Vec<Reason> {
        match organization.filter(|&organization| self.is_attached_organization(organization)) {
            Some(organization) => self.grant_faults(role, organization),
            None => self.role_fault(role).into_iter().collect(),
        }
    }

    /// Why a grant that counts is not effective at the organization level: another role wins.
    pub(super) fn superseded(
        &self,
        membership: Id<Membership>,
        tier: Option<Tier>,
        role: Id<Role>,
        resource: Id<Resource>,
        subjects: &mut Subjects,
        asked: Asked<'_>,
    ) -> Option<Reason> {
        if self.settings.multiple_roles || !self.is_attached_organization(resource) {
            return None;
        }
        subjects.gather(self, membership, resource);
        let winner = self.winner(membership, subjects, resource, asked)?;
        let wins = winner.role == role && winner.tier == tier;
        (!wins).then(|| Reason::Superseded { winner: self.roles.name(winner.role).clone() })
    }

    pub(super) fn mismatch(&self, object: ObjectRef, own: Id<Resource>, other: Id<Resource>) -> Reason {
        let name = |organization| self.resources.name(organization).clone();
        Reason::OrganizationMismatch { object, organization: name(own), other: name(other) }
    }

    pub(super) fn resource_ref(&self, resource: Id<Resource>) -> ObjectRef {
        ObjectRef { kind: Kind::Resource, name: self.resources.name(resource).clone() }
    }

    pub(super) fn group_ref(&self, group: Id<Group>) -> ObjectRef {
        ObjectRef { kind: Kind::Group, name: self.groups.name(group).clone() }
    }

    fn role_ref(&self, role: Id<Role>) -> ObjectRef {
        ObjectRef { kind: Kind::Role, name: self.roles.name(role).clone() }
    }
}

impl Reason {
    /// The reason as the object itself has it, where [`Self`] tells it of a reference to the object.
    pub(super) fn unwrapped(self) -> Self {
        match self {
            Self::Inert { because, .. } => *because,
            other => other,
        }
    }
}

/// That `object` has no effect because of a reason of its own; what is plainly missing or going is told as it is.
pub(super) fn inert(object: ObjectRef, because: Reason) -> Reason {
    match because {
        Reason::NotFound { .. } | Reason::Terminating { .. } if is_about(&because, &object) => because,
        because => Reason::Inert { object, because: Box::new(because) },
    }
}

fn is_about(reason: &Reason, object: &ObjectRef) -> bool {
    matches!(reason, Reason::NotFound { object: about } | Reason::Terminating { object: about } if about == object)
}

/// What orders objects in a list.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct ObjectKey<'a> {
    kind: Kind,
    name: &'a Name,
}

impl Key for ObjectKey<'_> {
    fn parts(&self) -> impl Iterator<Item = &str> {
        let number = ["0/", "1/", "2/", "3/", "4/", "5/", "6/", "7/"][self.kind as usize];
        [number, self.name.as_str()].into_iter()
    }
}

fn existing<'a, R>(
    ids: impl Iterator<Item = Id<R>>,
    state: impl Fn(Id<R>) -> State,
    name: impl Fn(Id<R>) -> &'a Name,
) -> Vec<&'a Name> {
    ids.filter(|&id| state(id) != State::Absent).map(name).collect()
}
