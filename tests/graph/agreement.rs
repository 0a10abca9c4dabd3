//! What must agree: a graph that was changed step by step, one rebuilt from the objects that result, and brute force;
//! and in each of them checks, lists, explanations and diagnoses.

use std::{collections::BTreeSet, fmt::Debug};

use bailiwick::graph::{
    Graph,
    facts::{Fact, Kind, Name, ObjectRef, Timestamp},
    query::{
        Action, Asked, AssignmentItem, CheckRequest, Decision, Denial, Diagnosis, Given, GrantPath, GrantSource,
        ObjectFilter, Page, PageRequest, Reach, Reason, ResourceFilter, Subject, Target,
    },
};
use proptest::{prop_assert, prop_assert_eq, test_runner::TestCaseError};

use super::brute_force::{Grant, Meaning, Source, World, text_of};

pub type Agreed = Result<(), TestCaseError>;

/// More items than any list has.
const ALL: PageRequest<'static> = PageRequest { limit: 1_000_000, after: None };

/// Three views of the same objects.
pub struct Agreement<'a> {
    pub world: &'a World,
    pub incremental: &'a Graph,
    pub rebuilt: &'a Graph,
    /// What questions tell of themselves, which `world` knows.
    pub given: Given<'a>,
}

impl Agreement<'_> {
    fn asked(&self, now: Timestamp) -> Asked<'_> {
        Asked { now, given: Some(&self.given) }
    }

    /// The answer to a check.
    pub fn on_check(&self, request: &CheckRequest<'_>, now: Timestamp) -> Agreed {
        self.on_checks(request.subject, [request.action], request.resource, now)
    }

    /// The answers to checks that differ in the action only.
    pub fn on_checks<const N: usize>(
        &self,
        subject: Subject<'_>,
        actions: [Action<'_>; N],
        resource: Target<'_>,
        now: Timestamp,
    ) -> Agreed {
        for (action, grants) in actions.into_iter().zip(self.world.checks(subject, actions, resource, now)) {
            let request = CheckRequest { subject, action, resource };
            let question = (request, now, &grants);
            let decision = self.incremental.check(&request, self.asked(now));
            prop_assert_eq!(
                decision,
                self.rebuilt.check(&request, self.asked(now)),
                "rebuilt differs: {:#?}",
                question
            );
            let by_ids = self.incremental.resolve_check(&request);
            let by_ids = by_ids.map_or_else(Decision::Denied, |check| check.decide(self.asked(now)));
            prop_assert_eq!(decision, by_ids, "by ids it differs: {:#?}", question);
            prop_assert_eq!(decision.is_allowed(), !grants.is_empty(), "{:?}, brute force: {:#?}", decision, question);
            // Of a subject of which nothing is known, that may be said instead.
            match (decision, self.world.meaning(subject, &resource)) {
                (
                    Decision::Denied(Denial::AmbiguousResource | Denial::UnknownSubject | Denial::UndeclaredMembership),
                    Meaning::Ambiguous,
                ) => {}
                (Decision::Denied(Denial::AmbiguousResource), _) | (_, Meaning::Ambiguous) => {
                    return Err(TestCaseError::fail(format!("{decision:?} is wrong: {question:#?}")));
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub fn on_permissions(&self, subject: Subject<'_>, resource: Target<'_>, now: Timestamp) -> Agreed {
        let listed = self.incremental.permissions(subject, resource, self.asked(now));
        prop_assert_eq!(&listed, &self.rebuilt.permissions(subject, resource, self.asked(now)));
        let listed = listed.unwrap_or_default();
        let expected: Vec<Name> = self.world.permissions(subject, resource, now).into_iter().collect();
        prop_assert_eq!(listed, expected, "permissions of {:?} on {:?} at {}", subject, resource, now);
        Ok(())
    }

    pub fn on_resources(
        &self,
        subject: Subject<'_>,
        action: Action<'_>,
        filter: ResourceFilter<'_>,
        limit: usize,
        now: Timestamp,
    ) -> Agreed {
        let question = ("resources", subject, action, filter, now);
        let list =
            |graph: &Graph, page: PageRequest<'_>| graph.resources(subject, action, filter, page, self.asked(now));
        let listed = self.paged(&question, limit, list)?;
        for item in &listed {
            let Some(resource) = self.world.resource(&item.name) else {
                return Err(TestCaseError::fail(format!("{question:#?}: {item:?} is no resource")));
            };
            prop_assert_eq!(&item.resource_type, &resource.resource_type, "{:#?}", question);
            prop_assert_eq!(&item.external_id, &resource.external_id, "{:#?}", question);
            prop_assert_eq!(&item.parent, &resource.parent, "{:#?}", question);
            prop_assert_eq!(Some(item.organization.clone()), self.world.organization_of(&item.name), "{:#?}", question);
        }
        let expected = self.world.resources(subject, action, filter.resource_type, filter.parent, now);
        let names: Vec<Name> = listed.into_iter().map(|item| item.name).collect();
        prop_assert_eq!(names, expected.into_iter().collect::<Vec<_>>(), "{:#?}", question);
        Ok(())
    }

    pub fn on_memberships(
        &self,
        resource: Target<'_>,
        action: Action<'_>,
        reach: Reach,
        limit: usize,
        now: Timestamp,
    ) -> Agreed {
        let question = ("memberships", resource, action, reach, now);
        let list =
            |graph: &Graph, page: PageRequest<'_>| graph.memberships(resource, action, reach, page, self.asked(now));
        let listed = self.paged(&question, limit, list)?;
        for item in &listed {
            let declaration = self.world.declaration(&item.name);
            prop_assert_eq!(item.user.as_ref(), declaration.map(|it| &it.user), "{:#?}", question);
            prop_assert_eq!(item.organization.as_ref(), declaration.map(|it| &it.organization), "{:#?}", question);
        }
        let expected = self.world.memberships(resource, action, reach, now);
        let names: Vec<Name> = listed.into_iter().map(|item| item.name).collect();
        prop_assert_eq!(names, expected.into_iter().collect::<Vec<_>>(), "{:#?}", question);
        Ok(())
    }

    /// An explanation gives the answer of the check, and all its grants as paths.
    pub fn on_explanation(&self, request: &CheckRequest<'_>, now: Timestamp) -> Agreed {
        let explanation = self.incremental.explain(request, self.asked(now));
        let question = (request, now, &explanation);
        prop_assert_eq!(
            &explanation,
            &self.rebuilt.explain(request, self.asked(now)),
            "rebuilt differs: {:#?}",
            question
        );
        prop_assert_eq!(
            explanation.decision,
            self.incremental.check(request, self.asked(now)),
            "check differs: {:#?}",
            question
        );
        prop_assert_eq!(explanation.decision.is_allowed(), !explanation.paths.is_empty(), "{:#?}", question);
        prop_assert!(!explanation.summary.is_empty(), "{:#?}", question);
        prop_assert!(!explanation.decision.is_allowed() || explanation.near_misses.is_empty(), "{:#?}", question);
        for miss in &explanation.near_misses {
            prop_assert!(!miss.message.is_empty(), "{:#?}", question);
        }

        let allowing = self.world.check(request, now);
        let mut shown = BTreeSet::new();
        for path in &explanation.paths {
            shown.insert(self.verify(path, request, &allowing, &question)?);
        }
        // Where a user has several memberships in the organization, those of the one that is shown.
        let expected: BTreeSet<Grant> = allowing
            .into_iter()
            .filter(|(membership, _)| explanation.membership.as_ref() == Some(membership))
            .map(|(_, grant)| grant)
            .collect();
        prop_assert_eq!(shown, expected, "other grants than brute force: {:#?}", question);
        Ok(())
    }

    /// The grant that a path shows, if every step of the path is so.
    fn verify(
        &self,
        path: &GrantPath,
        request: &CheckRequest<'_>,
        allowing: &BTreeSet<(Name, Grant)>,
        question: &impl Debug,
    ) -> Result<Grant, TestCaseError> {
        let Meaning::Found { resource, .. } = self.world.meaning(request.subject, &request.resource) else {
            return Err(TestCaseError::fail(format!("a path to nothing: {question:#?}")));
        };
        prop_assert_eq!(path.resources.first(), Some(&resource), "begins elsewhere: {:#?}", question);
        for pair in path.resources.windows(2) {
            let Some(lower) = self.world.resource(&pair[0]) else {
                return Err(TestCaseError::fail(format!("no resource {}: {question:#?}", pair[0])));
            };
            prop_assert_eq!(lower.parent.as_ref(), Some(&pair[1]), "no such step: {:#?}", question);
        }
        let permissions = self.world.permissions_meant(request.action, &resource);
        prop_assert!(permissions.contains(&path.permission), "another permission: {:#?}", question);
        prop_assert!(self.world.role_has(&path.role, &path.permission), "not in the role: {:#?}", question);
        let grant = Grant {
            source: Source::from(&path.source),
            role: path.role.clone(),
            resource: path.resources.last().cloned().unwrap_or_default(),
            expires_at: path.expires_at,
            condition: text_of(path.condition.as_ref()),
        };
        if let GrantSource::GroupRoleAssignment { assignment, groups } = &path.source {
            let starts = self.world.group_assignment(assignment).map(|it| &it.group) == groups.first();
            let arrives = allowing
                .iter()
                .any(|(membership, allowed)| *allowed == grant && self.world.passes_on(membership, groups));
            prop_assert!(starts && arrives, "no such path of groups: {:#?}", question);
        }
        Ok(grant)
    }

    /// Every object has effect exactly where brute force says so, and is diagnosed alike however it came about.
    pub fn on_diagnoses(&self, now: Timestamp) -> Agreed {
        for told in self.world.objects() {
            let object = ObjectRef { kind: told.fact.kind(), name: told.name.clone() };
            let diagnosis = self.incremental.diagnose(&object, now);
            prop_assert_eq!(&diagnosis, &self.rebuilt.diagnose(&object, now), "rebuilt differs: {} at {}", object, now);
            prop_assert_eq!(
                diagnosis.as_ref().map(Diagnosis::is_effective),
                Some(self.world.is_effective(object.kind, &object.name, now)),
                "brute force differs: {} at {}: {:?}",
                object,
                now,
                diagnosis
            );
            let warnings = diagnosis.unwrap_or_default().warnings;
            let duplicate = warnings.into_iter().find_map(|warning| match warning {
                Reason::DuplicateAssignment { object } => Some(object.name),
                _ => None,
            });
            let expected = self.world.older_duplicate(told, now);
            prop_assert_eq!(duplicate, expected, "brute force knows another duplicate of {} at {}", object, now);
        }
        Ok(())
    }

    /// The list of objects and their numbers.
    pub fn on_objects(&self, limit: usize, now: Timestamp) -> Agreed {
        let list = |graph: &Graph, page: PageRequest<'_>| Ok(graph.objects(ObjectFilter::default(), page, now));
        let listed = self.paged(&"objects", limit, list)?;
        let keys: Vec<_> = listed.iter().map(|item| (item.object.kind, &item.object.name)).collect();
        prop_assert_eq!(
            keys,
            self.world.objects().map(|object| (object.fact.kind(), &object.name)).collect::<Vec<_>>()
        );
        for item in &listed {
            let diagnosis = self.incremental.diagnose(&item.object, now);
            prop_assert_eq!(Some(&item.diagnosis), diagnosis.as_ref(), "{} is listed otherwise", item.object);
        }
        for kind in Kind::ALL {
            let objects = || self.world.all(kind);
            let invalid = objects().filter(|object| matches!(object.fact, Fact::Invalid { .. })).count();
            prop_assert_eq!(self.incremental.count(kind), objects().count(), "count of {}", kind);
            prop_assert_eq!(self.incremental.count_invalid(kind), invalid, "count of invalid {}", kind);

            let filter = ObjectFilter { kind: Some(kind), only_problems: true };
            let list = |graph: &Graph, page: PageRequest<'_>| Ok(graph.objects(filter, page, now));
            let problems = self.paged(&("problems", kind), limit, list)?;
            let expected: Vec<_> = listed
                .iter()
                .filter(|item| item.object.kind == kind)
                .filter(|item| !item.diagnosis.is_effective() || !item.diagnosis.warnings.is_empty())
                .cloned()
                .collect();
            prop_assert_eq!(problems, expected, "problems of {}", kind);
        }
        Ok(())
    }

    /// The effective assignments of a membership are its effective grants.
    pub fn on_assignments_of_membership(&self, membership: &str, limit: usize, now: Timestamp) -> Agreed {
        let question = ("assignments of membership", membership, now);
        let list = |graph: &Graph, page: PageRequest<'_>| graph.assignments_of_membership(membership, page, now);
        let listed = self.paged(&question, limit, list)?;
        let effective: BTreeSet<Grant> =
            listed.iter().filter(|item| item.inert.is_empty()).filter_map(shown_by).collect();
        prop_assert_eq!(effective, self.world.effective_grants(membership, now), "{:#?}: {:#?}", question, listed);
        for item in &listed {
            prop_assert_eq!(item.membership.as_deref(), Some(membership), "{:#?}", question);
        }
        Ok(())
    }

    /// The effective assignments on a resource are those objects that are effective and concern it.
    pub fn on_assignments_of_resource(&self, resource: &str, limit: usize, now: Timestamp) -> Agreed {
        let question = ("assignments of resource", resource, now);
        let target = Target::Name(resource);
        let list = |graph: &Graph, page: PageRequest<'_>| graph.assignments_of_resource(target, page, now);
        let listed = self.paged(&question, limit, list)?;
        let effective = || listed.iter().filter(|item| item.inert.is_empty());
        for item in &listed {
            prop_assert_eq!(item.resource.as_deref(), Some(resource), "{:#?}: {:?}", question, item);
        }

        let of_memberships: BTreeSet<(Name, Grant)> = effective()
            .filter(|item| !matches!(item.source, GrantSource::GroupRoleAssignment { .. }))
            .filter_map(|item| Some((item.membership.clone()?, shown_by(item)?)))
            .collect();
        let expected: BTreeSet<(Name, Grant)> = self
            .world
            .membership_names()
            .into_iter()
            .flat_map(|membership| {
                let grants = self.world.effective_grants(&membership, now);
                grants.into_iter().map(move |grant| (membership.clone(), grant))
            })
            .filter(|(_, grant)| &*grant.resource == resource)
            .filter(|(_, grant)| !matches!(grant.source, Source::GroupRoleAssignment(_)))
            .collect();
        prop_assert_eq!(of_memberships, expected, "{:#?}: {:#?}", question, listed);

        let of_groups: BTreeSet<Name> = effective()
            .filter_map(|item| match &item.source {
                GrantSource::GroupRoleAssignment { assignment, .. } => Some(assignment.clone()),
                _ => None,
            })
            .collect();
        let expected: BTreeSet<Name> = self
            .world
            .all(Kind::GroupRoleAssignment)
            .map(|object| &object.name)
            .filter(|name| self.world.is_effective(Kind::GroupRoleAssignment, name, now))
            .filter(|name| self.world.resource_of_group_assignment(name).as_deref() == Some(resource))
            .filter(|name| {
                let condition = self.world.group_assignment(name).and_then(|it| text_of(it.condition.as_ref()));
                self.world.holds(condition.as_deref(), now)
            })
            .cloned()
            .collect();
        prop_assert_eq!(of_groups, expected, "{:#?}: {:#?}", question, listed);
        Ok(())
    }

    /// A whole list, found the same in pages and in the graph that was rebuilt. Where there is no list: empty.
    fn paged<T: Clone + Debug + PartialEq>(
        &self,
        question: &impl Debug,
        limit: usize,
        list: impl Fn(&Graph, PageRequest<'_>) -> Result<Page<T>, Denial>,
    ) -> Result<Vec<T>, TestCaseError> {
        let whole = list(self.incremental, ALL);
        prop_assert_eq!(&whole, &list(self.rebuilt, ALL), "rebuilt differs: {:#?}", question);
        let Ok(whole) = whole else { return Ok(Vec::new()) };
        prop_assert_eq!(&whole.next, &None, "{:#?} has no next page", question);

        let mut pieced = Vec::new();
        let mut after = None;
        loop {
            let page = list(self.incremental, PageRequest { limit, after: after.as_deref() })
                .map_err(|denial| TestCaseError::fail(format!("{question:#?}: page after {after:?}: {denial:?}")))?;
            prop_assert!(page.items.len() <= limit, "{:#?}: too long a page", question);
            prop_assert!(pieced.len() <= whole.items.len(), "{:#?}: pages without end", question);
            pieced.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        prop_assert_eq!(&pieced, &whole.items, "in pages of {} differs: {:#?}", limit, question);
        Ok(whole.items)
    }
}

/// The grant that an assignment shows; none where it is on no resource.
fn shown_by(item: &AssignmentItem) -> Option<Grant> {
    Some(Grant {
        source: Source::from(&item.source),
        role: item.role.clone(),
        resource: item.resource.clone()?,
        expires_at: item.expires_at,
        condition: text_of(item.condition.as_ref()),
    })
}
