//! Who and what a question means.

use std::fmt::Write as _;

use prefetch_index::prefetch_index;
use smallvec::SmallVec;

use super::{
    Graph,
    access::Scratch,
    query::{Action, Denial, Subject, Target},
    records::{Membership, Permission, Resource, ResourceType, Standing, State, User},
    table::{Id, Sought},
};

/// What a question is about: an attached resource and the memberships to ask for there.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) resource: Id<Resource>,
    pub(super) organization: Id<Resource>,
    pub(super) asker: Asker,
}

/// The memberships that a subject stands for in one organization.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asker {
    One(Id<Membership>),
    /// All that are declared for the user in the organization; there is one at least.
    Declared(Id<User>),
}

/// A resource that is looked for by type and id.
#[derive(Clone, Copy, Debug)]
struct Wanted<'a> {
    resource_type: Id<ResourceType>,
    id: &'a str,
    /// The resource whose object has the id as its name, be that meant or not.
    named: Option<Id<Resource>>,
}

/// The permissions that allow an action: its name as it is, and with the resource's type before it.
pub(super) type Permissions = [Option<Id<Permission>>; 2];

/// A subject as far as it is known without a resource.
#[derive(Clone, Copy, Debug)]
enum Who {
    Declared { membership: Id<Membership>, organization: Option<Id<Resource>> },
    Undeclared(Id<Membership>),
    User { user: Option<Id<User>>, opaque: Option<Id<Membership>> },
}

impl Graph {
    /// Finds what is meant, leaving the resource's chain in `scratch.path`.
    pub(super) fn resolve(
        &self,
        subject: Subject<'_>,
        target: Target<'_>,
        scratch: &mut Scratch,
    ) -> Result<Question, Denial> {
        let (named, member) = (self.seek_named(target), self.seek_member(subject));
        if let Some(likely) = named.likely_id() {
            self.details.prefetch(likely.index());
        }
        member.likely_id();
        let who = self.who(subject, member);
        let named = named.id();
        let (resource, organization) = match (target, &who) {
            (Target::Id { resource_type, id, organization: None }, Ok(who)) => {
                let resource_type = self.resource_types.id(resource_type).ok_or(Denial::UnknownResource)?;
                self.find_for(*who, Wanted { resource_type, id, named }, &mut scratch.path)?
            }
            _ => self.find_target(target, named, &mut scratch.path)?,
        };
        Ok(Question { resource, organization, asker: self.asker(who?, organization)? })
    }

    /// Finds a resource without regard to who asks, leaving its chain in `path`.
    pub(super) fn resolve_target(
        &self,
        target: Target<'_>,
        path: &mut Vec<Id<Resource>>,
    ) -> Result<(Id<Resource>, Id<Resource>), Denial> {
        self.find_target(target, self.seek_named(target).id(), path)
    }

    /// Begins to look for the resource whose object has the name that the target gives, be that meant or not.
    fn seek_named<'a>(&'a self, target: Target<'a>) -> Sought<'a, Resource> {
        let (Target::Name(name) | Target::Id { id: name, .. }) = target;
        self.resources.seek(name)
    }

    fn find_target(
        &self,
        target: Target<'_>,
        named: Option<Id<Resource>>,
        path: &mut Vec<Id<Resource>>,
    ) -> Result<(Id<Resource>, Id<Resource>), Denial> {
        match target {
            Target::Name(_) => {
                let resource = named.filter(|&id| self.resource_exists(id));
                let resource = resource.ok_or(Denial::UnknownResource)?;
                let organization = self.chain(resource, path).ok_or(Denial::DetachedResource)?;
                Ok((resource, organization))
            }
            Target::Id { resource_type, id, organization } => {
                let resource_type = self.resource_types.id(resource_type).ok_or(Denial::UnknownResource)?;
                let wanted = Wanted { resource_type, id, named };
                match organization {
                    Some(organization) => {
                        let organization = self.find_organization(organization).ok_or(Denial::UnknownOrganization)?;
                        self.find_in(wanted, organization, path)
                            .map(|resource| (resource, organization))
                            .ok_or(Denial::UnknownResource)
                    }
                    None => self.find_anywhere(wanted, path),
                }
            }
        }
    }

    /// Begins to look for the membership whose name the subject gives, be that meant or not.
    fn seek_member<'a>(&'a self, subject: Subject<'a>) -> Sought<'a, Membership> {
        let (Subject::Membership(name) | Subject::User(name)) = subject;
        self.memberships.seek(name)
    }

    fn who(&self, subject: Subject<'_>, member: Sought<'_, Membership>) -> Result<Who, Denial> {
        match subject {
            Subject::Membership(_) => {
                let membership = member.id().ok_or(Denial::UnknownSubject)?;
                let Membership { standing, organization, ref groups, .. } = self.memberships[membership];
                // If they are many, they lie apart.
                prefetch_index(groups, 0);
                Ok(match standing {
                    Standing::Undeclared => Who::Undeclared(membership),
                    _ => Who::Declared { membership, organization },
                })
            }
            Subject::User(id) => {
                let undeclared =
                    |&membership: &Id<Membership>| self.memberships[membership].standing == Standing::Undeclared;
                let who = (self.users.id(id), member.id().filter(undeclared));
                match who {
                    (None, None) => Err(Denial::UnknownSubject),
                    (user, opaque) => Ok(Who::User { user, opaque }),
                }
            }
        }
    }

    fn asker(&self, who: Who, organization: Id<Resource>) -> Result<Asker, Denial> {
        match who {
            Who::Declared { membership, .. } | Who::Undeclared(membership) => Ok(Asker::One(membership)),
            Who::User { user, opaque } => {
                let declared = user.filter(|&user| self.memberships_of_user_in(user, organization).next().is_some());
                let asker = declared.map(Asker::Declared).or(opaque.map(Asker::One));
                asker.ok_or(Denial::NotAMember)
            }
        }
    }

    /// The memberships that are declared for a user in an organization, usable or not.
    pub(super) fn memberships_of_user_in(
        &self,
        user: Id<User>,
        organization: Id<Resource>,
    ) -> impl Iterator<Item = Id<Membership>> + '_ {
        self.declared_for(user)
            .filter(move |&membership| self.memberships[membership].organization == Some(organization))
    }

    /// The memberships to ask for.
    pub(super) fn memberships_of(
        &self,
        asker: Asker,
        organization: Id<Resource>,
    ) -> impl Iterator<Item = Id<Membership>> + '_ {
        let (one, user) = match asker {
            Asker::One(membership) => (Some(membership), None),
            Asker::Declared(user) => (None, Some(user)),
        };
        one.into_iter().chain(user.into_iter().flat_map(move |user| self.memberships_of_user_in(user, organization)))
    }

    /// Finds the resource that a subject means by type and id, naming no organization.
    fn find_for(
        &self,
        who: Who,
        wanted: Wanted<'_>,
        path: &mut Vec<Id<Resource>>,
    ) -> Result<(Id<Resource>, Id<Resource>), Denial> {
        match who {
            Who::Declared { organization, .. } => {
                let organization = organization.ok_or(Denial::UnusableMembership)?;
                self.find_in(wanted, organization, path)
                    .map(|resource| (resource, organization))
                    .ok_or(Denial::UnknownResource)
            }
            Who::Undeclared(_) => self.find_anywhere(wanted, path),
            Who::User { user, .. } => {
                let mut found: Option<(Id<Resource>, Id<Resource>)> = None;
                for membership in user.into_iter().flat_map(|user| self.declared_for(user)) {
                    let Some(organization) = self.memberships[membership].organization else {
                        continue;
                    };
                    if found.is_some_and(|(_, other)| other == organization) {
                        continue;
                    }
                    if let Some(resource) = self.find_in(wanted, organization, path) {
                        if found.is_some() {
                            return Err(Denial::AmbiguousResource);
                        }
                        found = Some((resource, organization));
                    }
                }
                match found {
                    // The last search may have been another.
                    Some((resource, organization)) => {
                        self.chain(resource, path);
                        Ok((resource, organization))
                    }
                    None => self.find_anywhere(wanted, path),
                }
            }
        }
    }

    /// The attached organization that has the external id, or else the name.
    fn find_organization(&self, id: &str) -> Option<Id<Resource>> {
        let candidates = self.candidates(self.organization_type, id);
        candidates.chain(self.resources.id(id)).find(|&candidate| self.is_attached_organization(candidate))
    }

    /// The attached resource of the type in the organization that has the external id, or else the name.
    fn find_in(
        &self,
        Wanted { resource_type, id, named }: Wanted<'_>,
        organization: Id<Resource>,
        path: &mut Vec<Id<Resource>>,
    ) -> Option<Id<Resource>> {
        // What is attached was last noted in its organization; so nothing else is worth a walk.
        let noted = |&named: &Id<Resource>| self.last_organization(named) == Some(organization);
        let named = named.filter(noted).filter(|&named| self.is_of_type(named, resource_type));
        let named = named.filter(|&named| self.chain(named, path) == Some(organization));
        if named.is_some_and(|named| self.resources[named].kind.is_named_as_known()) {
            return named; // Of several that have the external id, one alone is attached.
        }
        self.external_ids
            .get_listed(self.key(resource_type, id, organization), self.keys())
            .find(|&rival| self.chain(rival, path) == Some(organization))
            .or_else(|| named.filter(|&named| self.chain(named, path) == Some(organization)))
    }

    /// The attached resource of the type that has the id in the only organization that has one.
    fn find_anywhere(
        &self,
        wanted: Wanted<'_>,
        path: &mut Vec<Id<Resource>>,
    ) -> Result<(Id<Resource>, Id<Resource>), Denial> {
        let Wanted { resource_type, id, named } = wanted;
        let named = named.filter(|&named| self.is_of_type(named, resource_type));
        let candidates = self.candidates(resource_type, id).chain(named);
        let mut found: Option<(Id<Resource>, Id<Resource>)> = None;
        for candidate in candidates {
            match (self.chain(candidate, path), found) {
                (Some(organization), None) => found = Some((candidate, organization)),
                (Some(organization), Some((_, other))) if organization != other => {
                    return Err(Denial::AmbiguousResource);
                }
                _ => {}
            }
        }
        let (resource, organization) = found.ok_or_else(|| self.not_found_anywhere(wanted))?;
        self.chain(resource, path);
        Ok((resource, organization))
    }

    fn is_of_type(&self, resource: Id<Resource>, resource_type: Id<ResourceType>) -> bool {
        self.resources[resource].kind.resource_type() == Some(resource_type)
    }

    /// Why a resource of the type and id is not found: there is none, or none that is attached.
    fn not_found_anywhere(&self, Wanted { resource_type, id, named }: Wanted<'_>) -> Denial {
        let unusable = |named| matches!(self.resource_state(named), State::Deleting | State::Invalid);
        let detached = self.candidates(resource_type, id).next().is_some()
            || named.is_some_and(|named| self.is_of_type(named, resource_type) || unusable(named));
        if detached { Denial::DetachedResource } else { Denial::UnknownResource }
    }

    /// The permissions that allow an action on a resource of that type.
    pub(super) fn permissions_for(
        &self,
        action: Action<'_>,
        resource_type: Option<Id<ResourceType>>,
        text: &mut String,
    ) -> Permissions {
        match action {
            Action::Permission(slug) => [self.permissions.id(slug), None],
            Action::Name(name) => {
                let qualified = resource_type.and_then(|resource_type| {
                    text.clear();
                    // INVARIANT: writing to a String does not fail.
                    let _ = write!(text, "{}:{name}", self.resource_types.name(resource_type));
                    self.permissions.id(text)
                });
                [self.permissions.id(name), qualified]
            }
        }
    }

    /// Every membership of a user that could be asked for in some organization.
    pub(super) fn all_memberships(&self, subject: Subject<'_>) -> Result<SmallVec<[Id<Membership>; 2]>, Denial> {
        Ok(match self.who(subject, self.seek_member(subject))? {
            Who::Declared { membership, .. } | Who::Undeclared(membership) => SmallVec::from_slice(&[membership]),
            Who::User { user, opaque } => {
                user.into_iter().flat_map(|user| self.declared_for(user)).chain(opaque).collect()
            }
        })
    }
}
