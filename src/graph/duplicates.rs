//! Objects that say what another one says already.

use super::{
    Graph,
    facts::{Kind, Name, ObjectRef, Timestamp},
    records::Assignment,
    table::{Id, Table},
};

impl Graph {
    /// The names of the objects of which only one should say what this one says, without itself: resources of the
    /// same type and external id in the organization, assignments that grant the same.
    pub(super) fn duplicates(&self, object: &ObjectRef, now: Timestamp) -> Vec<Name> {
        match object.kind {
            Kind::Resource => {
                let id = self.resources.id(&object.name);
                let rivals = id.into_iter().flat_map(|id| self.rivals_of(id));
                rivals.map(|rival| self.resources.name(rival).clone()).collect()
            }
            Kind::GroupRoleAssignment => self.duplicates_in(&self.group_assignments, &object.name, now),
            Kind::MembershipRoleAssignment => self.duplicates_in(&self.membership_assignments, &object.name, now),
            _ => Vec::new(),
        }
    }

    fn duplicates_in(&self, table: &Table<Assignment>, name: &Name, now: Timestamp) -> Vec<Name> {
        let duplicates = table.id(name).into_iter().flat_map(|id| self.duplicates_of(table, id, now));
        duplicates.map(|other| table.name(other).clone()).collect()
    }

    /// The other assignments that grant the same role on the same resource to the same subject on the same condition, for
    /// an assignment that has not expired: those that have not either.
    pub(super) fn duplicates_of<'a>(
        &'a self,
        table: &'a Table<Assignment>,
        id: Id<Assignment>,
        now: Timestamp,
    ) -> impl Iterator<Item = Id<Assignment>> + 'a {
        let counts = move |id: Id<Assignment>| {
            let terms = table[id].terms();
            terms.is_some_and(|terms| !self.qualification(terms.subject, id).is_over(now))
        };
        let grant = move |id: Id<Assignment>| {
            let terms = table[id].terms()?;
            let condition = self.qualification(terms.subject, id).condition;
            Some((terms.subject, terms.role, self.placed(terms)?, condition))
        };
        grant(id).filter(|_| counts(id)).into_iter().flat_map(move |wanted| {
            let (subject, role, resource, _) = wanted;
            // Hardly any has a duplicate, and a subject may have very many assignments.
            let others = self.resources[resource].grants.count(subject, role).saturating_sub(1);
            let candidates = (others > 0).then(|| self.assignments_of(subject)).into_iter().flatten();
            let same = move |other: &Id<Assignment>| *other != id && grant(*other).as_ref() == Some(&wanted);
            candidates.filter(same).take(others).filter(move |&other| counts(other))
        })
    }
}
