//! Checks, and the lists that say what checks would say.

use std::ops::ControlFlow;

use super::{
    Graph, MAX_DEPTH, Map, Set,
    access::{Scratch, Subjects, with_scratch},
    facts::{Name, Timestamp},
    grants::SubjectId,
    page::paginate,
    permission_set::PermissionSet,
    query::{
        Action, CheckRequest, Decision, Denial, MembershipItem, Page, PageRequest, Reach, ResourceFilter, ResourceItem,
        Subject, Target,
    },
    records::{Group, Membership, Resource, ResourceType, Role},
    resolve::{Permissions, Question},
    table::Id,
};

impl Graph {
    /// May the subject do this? Rules 1-6.
    ///
    /// # Guarantees
    /// Allocates nothing once the calling thread has asked of a graph as large as this one. The cost is at most one
    /// probe for the membership and each of its groups, for each resource from the one asked about to its
    /// organization, whatever the number of grants.
    #[must_use]
    pub fn check(&self, request: &CheckRequest<'_>, now: Timestamp) -> Decision {
        with_scratch(|scratch| match self.resolve(request.subject, request.resource, scratch) {
            Ok(question) => {
                let resource_type = self.resources[question.resource].kind.resource_type();
                let permissions = self.permissions_for(request.action, resource_type, &mut scratch.text);
                self.decide(&question, permissions, scratch, now)
            }
            Err(denial) => Decision::Denied(denial),
        })
    }

    /// The answer to a question whose chain is in `scratch.path`.
    pub(super) fn decide(
        &self,
        question: &Question,
        permissions: Permissions,
        scratch: &mut Scratch,
        now: Timestamp,
    ) -> Decision {
        let Scratch { path, subjects, .. } = scratch;
        let mut least = None;
        for membership in self.memberships_of(question.asker, question.organization) {
            match self.has_any(membership, permissions, path, question.organization, subjects, now) {
                Ok(()) => return Decision::Allowed,
                // Of several memberships of a user, the denial that is nearest to a yes, in whatever order they come.
                Err(denial) => least = Some(least.map_or(denial, |least: Denial| least.min(denial))),
            }
        }
        Decision::Denied(least.unwrap_or(Denial::NotAMember))
    }

    /// Whether a membership has one of the permissions on a resource of `path`, part of a chain of the organization.
    fn has_any(
        &self,
        membership: Id<Membership>,
        permissions: Permissions,
        path: &[Id<Resource>],
        organization: Id<Resource>,
        subjects: &mut Subjects,
        now: Timestamp,
    ) -> Result<(), Denial> {
        self.able(membership, organization)?;
        if permissions == [None, None] {
            return Err(Denial::NoGrant);
        }
        subjects.gather(self, membership, organization);
        let found = self.try_for_each_effective_role(membership, subjects, path, organization, now, |_, role| {
            if self.role_has(role, permissions) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if found.is_break() { Ok(()) } else { Err(Denial::NoGrant) }
    }

    /// Whether a role has one of the permissions.
    pub(super) fn role_has(&self, role: Id<Role>, permissions: Permissions) -> bool {
        contains_any(&self.roles[role].permissions, permissions)
    }

    /// Every permission that the subject has on the resource (rules 15, 16), sorted.
    ///
    /// # Errors
    /// Where the subject or the resource cannot be found or used.
    pub fn permissions(&self, subject: Subject<'_>, resource: Target<'_>, now: Timestamp) -> Result<Vec<Name>, Denial> {
        with_scratch(|scratch| {
            let Question { organization, asker, .. } = self.resolve(subject, resource, scratch)?;
            let Scratch { path, subjects, .. } = scratch;
            let mut all = PermissionSet::default();
            let mut outcome = Err(Denial::NotAMember);
            for membership in self.memberships_of(asker, organization) {
                let able = self.able(membership, organization);
                if able.is_ok() {
                    all.extend(&self.effective_permissions(membership, path, organization, subjects, now));
                }
                outcome = match (outcome, able) {
                    (Err(one), Err(other)) => Err(one.min(other)),
                    _ => Ok(()),
                };
            }
            outcome?;
            let mut names: Vec<Name> =
                all.numbers().filter_map(Id::new).map(|id| self.permissions.name(id).clone()).collect();
            names.sort_unstable();
            Ok(names)
        })
    }

    /// What the effective roles of an able membership on the resources of `path` permit together.
    fn effective_permissions(
        &self,
        membership: Id<Membership>,
        path: &[Id<Resource>],
        organization: Id<Resource>,
        subjects: &mut Subjects,
        now: Timestamp,
    ) -> PermissionSet {
        let mut all = PermissionSet::default();
        subjects.gather(self, membership, organization);
        let visited = self.try_for_each_effective_role(membership, subjects, path, organization, now, |_, role| {
            all.extend(&self.roles[role].permissions);
            ControlFlow::Continue(())
        });
        debug_assert!(visited.is_continue());
        all
    }

    /// The resources on which a check would be allowed (rules 18-21, with the whole environment where no parent is
    /// given), by object name. A user's are those of all the user's memberships.
    ///
    /// # Errors
    /// Where the subject or the parent cannot be found or used.
    pub fn resources(
        &self,
        subject: Subject<'_>,
        action: Action<'_>,
        filter: ResourceFilter<'_>,
        page: PageRequest<'_>,
        now: Timestamp,
    ) -> Result<Page<ResourceItem>, Denial> {
        with_scratch(|scratch| {
            let wanted_type = filter.resource_type.map(|name| self.resource_types.id(name));
            let mut found = match filter.parent {
                Some(parent) => self.allowed_children(subject, action, parent, scratch, now)?,
                None => self.allowed_resources(subject, action, scratch, now)?,
            };
            if let Some(wanted_type) = wanted_type {
                found.retain(|&resource| {
                    wanted_type.is_some() && self.resources[resource].kind.resource_type() == wanted_type
                });
            }
            let (ids, next) = paginate(found, |id| self.resources.name(id), page);
            let items = ids.into_iter().filter_map(|id| self.resource_item(id, &mut scratch.path)).collect();
            Ok(Page { items, next })
        })
    }

    fn allowed_children(
        &self,
        subject: Subject<'_>,
        action: Action<'_>,
        parent: Target<'_>,
        scratch: &mut Scratch,
        now: Timestamp,
    ) -> Result<Vec<Id<Resource>>, Denial> {
        let Question { resource: parent, organization, asker } = self.resolve(subject, parent, scratch)?;
        let children = self.children(parent);
        let allowed = children.filter(|&child| {
            let attached = self.chain(child, &mut scratch.path).is_some();
            let resource_type = self.resources[child].kind.resource_type();
            let permissions = self.permissions_for(action, resource_type, &mut scratch.text);
            let question = Question { resource: child, organization, asker };
            attached && self.decide(&question, permissions, scratch, now).is_allowed()
        });
        Ok(allowed.collect())
    }

    fn allowed_resources(
        &self,
        subject: Subject<'_>,
        action: Action<'_>,
        scratch: &mut Scratch,
        now: Timestamp,
    ) -> Result<Vec<Id<Resource>>, Denial> {
        let mut found = Set::default();
        for membership in self.all_memberships(subject)? {
            for anchor in self.anchors(membership) {
                let Some(organization) = self.chain(anchor, &mut scratch.path) else {
                    continue;
                };
                let stands_for_user = match subject {
                    Subject::Membership(_) => true,
                    Subject::User(user) => self.stands_for(membership, user, organization),
                };
                if !stands_for_user || self.able(membership, organization).is_err() {
                    continue;
                }
                let Scratch { path, subjects, text } = scratch;
                let here = &path[..1];
                let permissions = self.effective_permissions(membership, here, organization, subjects, now);
                let depth = path.len() - 1;
                self.collect_below(anchor, depth, action, &permissions, text, &mut found);
            }
        }
        Ok(found.into_iter().collect())
    }

    /// Whether a question of a user about a resource in the organization is put to that membership.
    fn stands_for(&self, membership: Id<Membership>, user: &str, organization: Id<Resource>) -> bool {
        let declared = |user| self.memberships_of_user_in(user, organization).next().is_some();
        self.declared(membership).is_some() || !self.users.id(user).is_some_and(declared)
    }

    /// The resources on which a membership may have grants, effective or not.
    fn anchors(&self, membership: Id<Membership>) -> Set<Id<Resource>> {
        let record = &self.memberships[membership];
        let mut anchors = Set::default();
        anchors.extend(record.organization);
        let mut add = |subject| {
            let table = self.assignments(subject);
            anchors.extend(self.assignments_of(subject).filter_map(|id| self.placed(table[id].terms()?)));
        };
        add(SubjectId::Membership(membership));
        let mut groups: Vec<Id<Group>> = record.groups.to_vec();
        let mut seen: Set<Id<Group>> = groups.iter().copied().collect();
        while let Some(group) = groups.pop() {
            add(SubjectId::Group(group));
            groups.extend(self.groups[group].supergroups.iter().filter(|&&above| seen.insert(above)));
        }
        anchors
    }

    /// Adds an attached resource and the attached resources below it on which the permissions allow the action.
    fn collect_below(
        &self,
        anchor: Id<Resource>,
        depth: usize,
        action: Action<'_>,
        permissions: &PermissionSet,
        text: &mut String,
        found: &mut Set<Id<Resource>>,
    ) {
        let mut by_type = Map::<Id<ResourceType>, bool>::default();
        let mut open = vec![(anchor, depth)];
        while let Some((resource, depth)) = open.pop() {
            let Some(resource_type) = self.resources[resource].kind.resource_type() else {
                continue;
            };
            let allowed = *by_type
                .entry(resource_type)
                .or_insert_with(|| contains_any(permissions, self.permissions_for(action, Some(resource_type), text)));
            match action {
                // What is allowed here is allowed everywhere below, so below a resource that was found all were.
                Action::Permission(_) if !allowed || !found.insert(resource) => continue,
                Action::Name(_) if allowed => {
                    found.insert(resource);
                }
                _ => {}
            }
            if depth < MAX_DEPTH {
                let children = self.children(resource);
                open.extend(children.filter(|&child| self.is_sound_below(child, resource)).map(|id| (id, depth + 1)));
            }
        }
    }

    /// The memberships for which a check on the resource would be allowed (rules 22-25), by name.
    ///
    /// # Errors
    /// Where the resource cannot be found or used.
    pub fn memberships(
        &self,
        resource: Target<'_>,
        action: Action<'_>,
        reach: Reach,
        page: PageRequest<'_>,
        now: Timestamp,
    ) -> Result<Page<MembershipItem>, Denial> {
        with_scratch(|scratch| {
            let Scratch { path, subjects, text } = scratch;
            let (resource, organization) = self.resolve_target(resource, path)?;
            let resource_type = self.resources[resource].kind.resource_type();
            let permissions = self.permissions_for(action, resource_type, text);
            if reach == Reach::Direct {
                path.truncate(1);
            }
            let mut candidates = self.grantees(path, permissions);
            if path.contains(&organization) {
                candidates.extend(self.declared_in(organization));
            }
            let allowed = candidates
                .into_iter()
                .filter(|&membership| self.has_any(membership, permissions, path, organization, subjects, now).is_ok());
            let (ids, next) = paginate(allowed.collect(), |id| self.memberships.name(id), page);
            Ok(Page { items: ids.into_iter().map(|id| self.membership_item(id)).collect(), next })
        })
    }

    /// Everybody who, directly or through groups, is assigned a role with one of the permissions on those resources.
    fn grantees(&self, resources: &[Id<Resource>], permissions: Permissions) -> Set<Id<Membership>> {
        let mut memberships = Set::default();
        let mut groups = Vec::new();
        let mut seen = Set::default();
        let grants = resources.iter().flat_map(|&resource| self.resources[resource].grants.iter());
        for grant in grants.filter(|grant| self.role_has(grant.role(), permissions)) {
            match grant.subject() {
                SubjectId::Membership(membership) => {
                    memberships.insert(membership);
                }
                SubjectId::Group(group) => groups.extend(seen.insert(group).then_some(group)),
            }
        }
        while let Some(group) = groups.pop() {
            let record = &self.groups[group];
            memberships.extend(record.members.iter());
            groups.extend(record.subgroups.iter().filter(|&&below| seen.insert(below)));
        }
        memberships
    }

    fn resource_item(&self, resource: Id<Resource>, path: &mut Vec<Id<Resource>>) -> Option<ResourceItem> {
        let organization = self.chain(resource, path)?;
        let record = &self.resources[resource];
        Some(ResourceItem {
            name: self.resources.name(resource).clone(),
            resource_type: self.resource_types.name(record.kind.resource_type()?).clone(),
            external_id: self.external_id(resource).cloned()?,
            organization: self.resources.name(organization).clone(),
            parent: record.parent.map(|parent| self.resources.name(parent).clone()),
        })
    }

    fn membership_item(&self, membership: Id<Membership>) -> MembershipItem {
        let declared = self.declared(membership);
        let organization = self.memberships[membership].organization;
        MembershipItem {
            name: self.memberships.name(membership).clone(),
            user: declared.and_then(|declared| declared.user).map(|user| self.users.name(user).clone()),
            organization: organization.map(|organization| self.resources.name(organization).clone()),
        }
    }
}

fn contains_any(set: &PermissionSet, permissions: Permissions) -> bool {
    permissions.into_iter().flatten().any(|permission| set.contains(permission))
}
