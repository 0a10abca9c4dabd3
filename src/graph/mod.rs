//! The authorization engine: pure, synchronous, without I/O. It is told facts and answers questions.
//!
//! - [`facts`]: what it is told.
//! - [`query`]: what it can be asked, and the answers.
//! - [`Graph`]: one environment.
//! - [`Environments`]: all of them, published to readers on any thread.

pub mod facts;
pub mod query;

mod environments;

pub use environments::{Environments, PublishedGraph};

use facts::{Change, Kind, Name, ObjectRef, Timestamp};
use query::{
    AssignmentItem, CheckRequest, Decision, Denial, Diagnosis, Explanation, MembershipItem, ObjectFilter, ObjectItem,
    Page, PageRequest, Reach, ResourceFilter, ResourceItem, Subject, Target,
};

/// The authorization graph of one environment.
#[derive(Debug, Default)]
pub struct Graph {}

#[allow(unused_variables, clippy::unused_self, reason = "bodies are on their way")]
impl Graph {
    /// Applies changes in order.
    pub fn apply(&mut self, changes: &[Change]) {
        unimplemented!()
    }

    /// May the subject do this? Rules 1-6; allocates nothing.
    #[must_use]
    pub fn check(&self, request: &CheckRequest<'_>, now: Timestamp) -> Decision {
        unimplemented!()
    }

    /// Why a check is answered as it is.
    #[must_use]
    pub fn explain(&self, request: &CheckRequest<'_>, now: Timestamp) -> Explanation {
        unimplemented!()
    }

    /// Every permission that the subject has on the resource (rules 15, 16), sorted.
    ///
    /// # Errors
    /// Where the subject or the resource cannot be found or used.
    pub fn permissions(&self, subject: Subject<'_>, resource: Target<'_>, now: Timestamp) -> Result<Vec<Name>, Denial> {
        unimplemented!()
    }

    /// The resources on which a check would be allowed (rules 18-21, with the whole environment where no parent is
    /// given), by object name. A user's are those of all the user's memberships.
    ///
    /// # Errors
    /// Where the subject or the parent cannot be found or used.
    pub fn resources(
        &self,
        subject: Subject<'_>,
        action: query::Action<'_>,
        filter: ResourceFilter<'_>,
        page: PageRequest<'_>,
        now: Timestamp,
    ) -> Result<Page<ResourceItem>, Denial> {
        unimplemented!()
    }

    /// The memberships for which a check on the resource would be allowed (rules 22-25), by name.
    ///
    /// # Errors
    /// Where the resource cannot be found or used.
    pub fn memberships(
        &self,
        resource: Target<'_>,
        action: query::Action<'_>,
        reach: Reach,
        page: PageRequest<'_>,
        now: Timestamp,
    ) -> Result<Page<MembershipItem>, Denial> {
        unimplemented!()
    }

    /// Every assignment of a membership, its own and through groups, effective or not (rules 35, 36).
    ///
    /// # Errors
    /// Where the membership is unknown.
    pub fn assignments_of_membership(
        &self,
        membership: &str,
        page: PageRequest<'_>,
        now: Timestamp,
    ) -> Result<Page<AssignmentItem>, Denial> {
        unimplemented!()
    }

    /// Every assignment on that very resource, effective or not (rule 37).
    ///
    /// # Errors
    /// Where the resource is unknown.
    pub fn assignments_of_resource(
        &self,
        resource: Target<'_>,
        page: PageRequest<'_>,
        now: Timestamp,
    ) -> Result<Page<AssignmentItem>, Denial> {
        unimplemented!()
    }

    /// Whether an object has effect, and why not; none: there is no such object.
    #[must_use]
    pub fn diagnose(&self, object: &ObjectRef, now: Timestamp) -> Option<Diagnosis> {
        unimplemented!()
    }

    /// The objects of the environment with their diagnoses, by kind and name.
    #[must_use]
    pub fn objects(&self, filter: ObjectFilter, page: PageRequest<'_>, now: Timestamp) -> Page<ObjectItem> {
        unimplemented!()
    }

    /// How many objects of a kind there are.
    #[must_use]
    pub fn count(&self, kind: Kind) -> usize {
        unimplemented!()
    }

    /// How many of them have a spec that cannot be used.
    #[must_use]
    pub fn count_invalid(&self, kind: Kind) -> usize {
        unimplemented!()
    }
}
