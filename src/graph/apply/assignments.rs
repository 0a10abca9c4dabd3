//! Role assignments of memberships and of groups.

use smallvec::smallvec;

use super::super::{
    Graph,
    facts::{Fact, GroupRoleAssignment, Kind, MembershipRoleAssignment, Name, Object},
    grants::{Grant, SubjectId},
    links,
    qualification::Qualification,
    records::{Assignment, State, Terms},
    table::{Id, Table},
};

impl Graph {
    fn assignments_mut(&mut self, subject: SubjectId) -> &mut Table<Assignment> {
        match subject {
            SubjectId::Membership(_) => &mut self.membership_assignments,
            SubjectId::Group(_) => &mut self.group_assignments,
        }
    }

    fn assignments_of_kind(&mut self, kind: Kind) -> &mut Table<Assignment> {
        match kind {
            Kind::GroupRoleAssignment => &mut self.group_assignments,
            _ => &mut self.membership_assignments,
        }
    }

    pub(super) fn insert_assignment(&mut self, object: &Object, state: State) {
        let table = self.assignments_of_kind(object.fact.kind());
        let id = table.acquire(&object.name);
        table[id] = Assignment::new(state, object.created.into());
        if state != State::There {
            return;
        }
        let (subject, role, resource, expires_at, condition) = match &object.fact {
            Fact::GroupRoleAssignment(GroupRoleAssignment { group, role, resource, expires_at, condition }) => {
                (SubjectId::Group(self.acquire_group(group)), role, resource, *expires_at, condition)
            }
            Fact::MembershipRoleAssignment(MembershipRoleAssignment {
                membership,
                role,
                resource,
                expires_at,
                condition,
            }) => (SubjectId::Membership(self.acquire_membership(membership)), role, resource, *expires_at, condition),
            _ => return,
        };
        let qualification = Qualification { expires_at, condition: condition.clone() };
        let role = self.roles.acquire(role);
        let resource = resource.as_ref().map(|resource| self.acquire_resource(resource));
        let first = self.first_assignment(subject);
        let table = self.assignments_mut(subject);
        table[id].set_terms(Terms { subject, role, resource }, !qualification.is_none());
        links::link(table, |record| &mut record.of_subject, first, id);
        self.set_first_assignment(subject, Some(id));
        if !qualification.is_none() {
            self.qualifications.insert((subject.is_group(), id), qualification);
        }
        self.place(subject, id);
    }

    pub(super) fn remove_assignment(&mut self, kind: Kind, name: &Name) -> bool {
        let table = self.assignments_of_kind(kind);
        let Some(id) = table.id(name) else {
            return false;
        };
        if let Some(Terms { subject, role, resource }) = table[id].terms() {
            self.withdraw(subject, id);
            if self.assignments(subject)[id].is_qualified() {
                self.qualifications.remove(&(subject.is_group(), id));
            }
            let first = self.first_assignment(subject);
            let left = links::unlink(self.assignments_mut(subject), |record| &mut record.of_subject, first, id);
            if left != first {
                self.set_first_assignment(subject, left);
            }
            match subject {
                SubjectId::Membership(membership) => self.memberships.release(membership),
                SubjectId::Group(group) => self.groups.release(group),
            }
            self.roles.release(role);
            if let Some(resource) = resource {
                self.resources.release(resource);
            }
        }
        let table = self.assignments_of_kind(kind);
        table[id] = Assignment::default();
        table.release(id);
        true
    }

    fn set_first_assignment(&mut self, subject: SubjectId, first: Option<Id<Assignment>>) {
        match subject {
            SubjectId::Membership(id) => self.membership_details[id].first_assignment = first,
            SubjectId::Group(id) => self.first_assignment_of_group[id] = first,
        }
    }

    /// Puts the grant of an assignment where it belongs.
    fn place(&mut self, subject: SubjectId, id: Id<Assignment>) {
        let Some(terms) = self.assignments(subject)[id].terms() else {
            return;
        };
        let Some(resource) = self.placed(terms) else {
            return;
        };
        let qualification = self.qualification(subject, id);
        let is_qualified = !qualification.is_none();
        self.resources[resource].grants.insert(Grant::new(subject, terms.role, is_qualified));
        if is_qualified {
            let key = (resource, subject, terms.role);
            if let Some(all) = self.qualified.get_mut(&key) {
                let at = all.partition_point(|other| other.goes_before(&qualification));
                all.insert(at, qualification);
            } else {
                self.qualified.insert(key, smallvec![qualification]);
            }
        }
    }

    /// Takes the grant of an assignment away from where it lies.
    fn withdraw(&mut self, subject: SubjectId, id: Id<Assignment>) {
        let Some(terms) = self.assignments(subject)[id].terms() else {
            return;
        };
        let Some(resource) = self.placed(terms) else {
            return;
        };
        let qualification = self.qualification(subject, id);
        let is_qualified = !qualification.is_none();
        self.resources[resource].grants.remove(Grant::new(subject, terms.role, is_qualified));
        if is_qualified {
            let key = (resource, subject, terms.role);
            if let Some(all) = self.qualified.get_mut(&key) {
                if let Some(at) = all.iter().position(|other| *other == qualification) {
                    all.remove(at);
                }
                if all.is_empty() {
                    self.qualified.remove(&key);
                }
            }
        }
    }

    /// Places the assignments that name no resource, now that the subject's organization is known.
    pub(super) fn place_implicit_assignments(&mut self, subject: SubjectId) {
        for id in self.implicit_assignments(subject) {
            self.place(subject, id);
        }
    }

    /// Withdraws the assignments that name no resource, before the subject's organization is forgotten.
    pub(super) fn withdraw_implicit_assignments(&mut self, subject: SubjectId) {
        for id in self.implicit_assignments(subject) {
            self.withdraw(subject, id);
        }
    }

    fn implicit_assignments(&self, subject: SubjectId) -> Vec<Id<Assignment>> {
        let table = self.assignments(subject);
        let implicit = |id: &Id<Assignment>| table[*id].terms().is_some_and(|terms| terms.resource.is_none());
        self.assignments_of(subject).filter(implicit).collect()
    }
}
