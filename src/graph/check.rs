//! Checks.

use std::ops::ControlFlow;

use super::{
    Graph,
    access::{Scratch, Subjects, with_scratch},
    permission_set::PermissionSet,
    query::{Asked, CheckRequest, Decision, Denial},
    records::{Membership, Resource, Role},
    resolve::{Asker, Permissions, Question},
    table::Id,
};

impl Graph {
    /// May the subject do this? Rules 1-6.
    ///
    /// # Guarantees
    /// Allocates nothing once the calling thread has asked of a graph as large as this one, unless it meets a grant with a
    /// condition; each of these is evaluated once, within its budget. Else the cost is at most one
    /// probe for the membership and each of its groups, for each resource from the one asked about to its
    /// organization, whatever the number of grants.
    #[must_use]
    pub fn check<'a>(&self, request: &CheckRequest<'_>, asked: impl Into<Asked<'a>>) -> Decision {
        let asked = asked.into();
        with_scratch(|scratch| match self.look_up(request, scratch) {
            Ok((question, permissions)) => self.decide(&question, permissions, scratch, asked),
            Err(denial) => Decision::Denied(denial),
        })
    }

    /// Looks up what a check names, to decide it as often as one likes.
    ///
    /// # Errors
    /// Why the answer is no whatever is granted, as [`check`](Self::check) tells it.
    pub fn resolve_check(&self, request: &CheckRequest<'_>) -> Result<ResolvedCheck<'_>, Denial> {
        let looked_up = with_scratch(|scratch| self.look_up(request, scratch));
        looked_up.map(|(question, permissions)| ResolvedCheck { graph: self, question, permissions })
    }

    /// What a check means, whose chain is left in `scratch.path`.
    #[inline]
    fn look_up(&self, request: &CheckRequest<'_>, scratch: &mut Scratch) -> Result<(Question, Permissions), Denial> {
        let question = self.resolve(request.subject, request.resource, scratch)?;
        let resource_type = self.resources[question.resource].kind.resource_type();
        let permissions = self.permissions_for(request.action, resource_type, &mut scratch.text);
        Ok((question, permissions))
    }

    /// The answer to a question whose chain is in `scratch.path`.
    pub(super) fn decide(
        &self,
        question: &Question,
        permissions: Permissions,
        scratch: &mut Scratch,
        asked: Asked<'_>,
    ) -> Decision {
        let Scratch { path, subjects, .. } = scratch;
        let mut least = None;
        for membership in self.memberships_of(question.asker, question.organization) {
            match self.has_any(membership, permissions, path, question.organization, subjects, asked) {
                Ok(()) => return Decision::Allowed,
                // Of several memberships of a user, the denial that is nearest to a yes, in whatever order they come.
                Err(denial) => least = Some(least.map_or(denial, |least: Denial| least.min(denial))),
            }
        }
        Decision::Denied(least.unwrap_or(Denial::NotAMember))
    }

    /// Whether a membership has one of the permissions on a resource of `path`, part of a chain of the organization.
    pub(super) fn has_any(
        &self,
        membership: Id<Membership>,
        permissions: Permissions,
        path: &[Id<Resource>],
        organization: Id<Resource>,
        subjects: &mut Subjects,
        asked: Asked<'_>,
    ) -> Result<(), Denial> {
        self.able(membership, organization)?;
        if permissions == [None, None] {
            return Err(Denial::NoGrant);
        }
        subjects.gather(self, membership, organization);
        let found = self.try_for_each_effective_role(membership, subjects, path, organization, asked, |_, role| {
            if self.role_has(role, permissions) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if found.is_break() { Ok(()) } else { Err(Denial::NoGrant) }
    }

    /// Whether a role has one of the permissions.
    pub(super) fn role_has(&self, role: Id<Role>, permissions: Permissions) -> bool {
        contains_any(&self.roles[role].permissions, permissions)
    }
}

/// A check of one graph whose names have been looked up: what remains to be paid is the decision. For whoever embeds the graph and asks
/// the same again, and to tell what either part costs.
#[derive(Debug)]
pub struct ResolvedCheck<'g> {
    graph: &'g Graph,
    question: Question,
    permissions: Permissions,
}

impl ResolvedCheck<'_> {
    /// The answer, which is that of [`Graph::check`].
    #[must_use]
    pub fn decide<'a>(&self, asked: impl Into<Asked<'a>>) -> Decision {
        let Self { graph, question, permissions } = self;
        if let Asker::One(membership) = question.asker {
            graph.memberships.prefetch(membership);
        }
        with_scratch(|scratch| match graph.chain(question.resource, &mut scratch.path) {
            Some(_) => graph.decide(question, *permissions, scratch, asked.into()),
            None => Decision::Denied(Denial::DetachedResource),
        })
    }
}

/// Whether a set has one of the permissions.
pub(super) fn contains_any(set: &PermissionSet, permissions: Permissions) -> bool {
    permissions.into_iter().flatten().any(|permission| set.contains(permission))
}
