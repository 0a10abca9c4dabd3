//! Lists that say what checks would say.

mod memberships;
mod resources;

use std::ops::ControlFlow;

use super::{
    Graph,
    access::{Subjects, with_scratch},
    facts::Name,
    permission_set::PermissionSet,
    query::{Asked, Denial, Subject, Target},
    records::{Membership, Resource},
    resolve::Question,
    table::Id,
};

impl Graph {
    /// Every permission that the subject has on the resource (rules 15, 16), sorted.
    ///
    /// # Errors
    /// Where the subject or the resource cannot be found or used.
    pub fn permissions<'a>(
        &self,
        subject: Subject<'_>,
        resource: Target<'_>,
        asked: impl Into<Asked<'a>>,
    ) -> Result<Vec<Name>, Denial> {
        let asked = asked.into();
        with_scratch(|scratch| {
            let Question { organization, asker, .. } = self.resolve(subject, resource, scratch)?;
            let mut all = PermissionSet::default();
            let mut outcome = None;
            for membership in self.memberships_of(asker, organization) {
                let able = self.able(membership, organization);
                if able.is_ok() {
                    scratch.subjects.gather(self, membership, organization);
                    all.extend(&self.effective_permissions(
                        membership,
                        &scratch.path,
                        organization,
                        &scratch.subjects,
                        asked,
                    ));
                }
                outcome = match (outcome, able) {
                    (None, able) => Some(able),
                    (Some(Err(one)), Err(other)) => Some(Err(one.min(other))),
                    _ => Some(Ok(())),
                };
            }
            outcome.unwrap_or(Err(Denial::NotAMember))?;
            let mut names: Vec<Name> =
                all.numbers().filter_map(Id::new).map(|id| self.permissions.name(id).clone()).collect();
            names.sort_unstable();
            Ok(names)
        })
    }

    /// What the effective roles of an able membership, of which `subjects` holds the groups, on the resources of `path`
    /// permit together.
    fn effective_permissions(
        &self,
        membership: Id<Membership>,
        path: &[Id<Resource>],
        organization: Id<Resource>,
        subjects: &Subjects,
        asked: Asked<'_>,
    ) -> PermissionSet {
        let mut all = PermissionSet::default();
        let visited = self.try_for_each_effective_role(membership, subjects, path, organization, asked, |_, role| {
            all.extend(&self.roles[role].permissions);
            ControlFlow::Continue(())
        });
        debug_assert!(visited.is_continue());
        all
    }
}
