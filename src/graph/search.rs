//! Searches: the subjects, the resources and the actions for which a check would say yes.
//!
//! They are asked in the words of a check, and whoever puts what they find into that very check is allowed. So a
//! resource that an id alone does not lead to is told of with its organization, and where several organizations have
//! the resource that is asked about, everybody is found for whom it is not ambiguous.

use super::{
    Graph,
    access::{Scratch, with_scratch},
    facts::Name,
    page::page_of,
    query::{
        Action, Asked, CheckRequest, Denial, FoundResource, Page, PageRequest, Reach, ResourceFilter, ResourceItem,
        Subject, SubjectKind, Target,
    },
    records::Resource,
    table::Id,
};

impl Graph {
    /// The subjects of a kind for which a check would be allowed: names of memberships or ids of users, sorted.
    ///
    /// # Guarantees
    /// The cost grows like that of [`Graph::memberships`] for all that the target may mean.
    ///
    /// # Errors
    /// Where the resource cannot be found or used, whoever asks.
    pub fn search_subjects<'a>(
        &self,
        kind: SubjectKind,
        action: Action<'_>,
        resource: Target<'_>,
        page: PageRequest<'_>,
        asked: impl Into<Asked<'a>>,
    ) -> Result<Page<Name>, Denial> {
        const ALL: PageRequest<'_> = PageRequest { limit: usize::MAX, after: None };

        let asked = asked.into();
        let mut candidates = Vec::new();
        for meant in self.all_meant(resource)? {
            let meant = Target::Name(self.resources.name(meant));
            candidates.extend(self.memberships(meant, action, Reach::All, ALL, asked)?.items.into_iter().map(|item| {
                match kind {
                    SubjectKind::Membership => item.name,
                    // An undeclared membership is that of the user whose id is its name.
                    SubjectKind::User => item.user.unwrap_or(item.name),
                }
            }));
        }
        let keyed = candidates.into_iter().map(|candidate| (candidate.clone(), candidate));
        Ok(page_of(keyed, page, |candidate| {
            let request = CheckRequest { subject: kind.subject(&candidate), action, resource };
            self.check(&request, asked).is_allowed().then_some(candidate)
        }))
    }

    /// Every attached resource that some subject may mean by the target.
    fn all_meant(&self, target: Target<'_>) -> Result<Vec<Id<Resource>>, Denial> {
        with_scratch(|Scratch { path, .. }| match (self.resolve_target(target, path), target) {
            (Ok((resource, _)), _) => Ok(vec![resource]),
            (Err(Denial::AmbiguousResource), Target::Id { resource_type, id, organization: None }) => {
                let known = self.resource_types.id(resource_type).into_iter();
                let known = known.flat_map(|resource_type| self.candidates(resource_type, id));
                let mut all: Vec<_> = known.chain(self.resources.id(id)).collect();
                all.retain(|&candidate| self.chain(candidate, path).is_some());
                Ok(all)
            }
            (Err(denial), _) => Err(denial),
        })
    }

    /// The resources of a type, and of an organization where one is given (its name or external id), on which a check
    /// would be allowed, by the object's name.
    ///
    /// # Guarantees
    /// The cost is that of [`Graph::resources`]. A page may have fewer items than its limit, or none, and yet a next one.
    ///
    /// # Errors
    /// Where the subject cannot be found or used.
    pub fn search_resources<'a>(
        &self,
        subject: Subject<'_>,
        action: Action<'_>,
        resource_type: &str,
        organization: Option<&str>,
        page: PageRequest<'_>,
        asked: impl Into<Asked<'a>>,
    ) -> Result<Page<FoundResource>, Denial> {
        let filter = ResourceFilter { resource_type: Some(resource_type), parent: None };
        let Page { items, next } = self.resources(subject, action, filter, page, asked)?;
        let items = with_scratch(|scratch| {
            items.into_iter().filter_map(|item| self.found_resource(subject, organization, item, scratch)).collect()
        });
        Ok(Page { items, next })
    }

    /// How a subject asks about a resource; none: it cannot, or the resource is not of the organization that is wanted.
    fn found_resource(
        &self,
        subject: Subject<'_>,
        wanted: Option<&str>,
        item: ResourceItem,
        scratch: &mut Scratch,
    ) -> Option<FoundResource> {
        let resource = self.resources.id(&item.name);
        let mut leads_to_it = |organization| {
            let target = Target::Id { resource_type: &item.resource_type, id: &item.external_id, organization };
            let question = self.resolve(subject, target, scratch);
            question.is_ok_and(|question| Some(question.resource) == resource)
        };
        if wanted.is_some() && !leads_to_it(wanted) {
            return None;
        }
        let organization = if leads_to_it(None) {
            None
        } else {
            // Its name may be the external id of another.
            let external_id =
                self.resources.id(&item.organization).and_then(|organization| self.external_id(organization));
            let names = [Some(&item.organization), external_id];
            Some(names.into_iter().flatten().find(|name| leads_to_it(Some(name)))?.clone())
        };
        let ResourceItem { resource_type, external_id, .. } = item;
        Some(FoundResource { resource_type, id: external_id, organization })
    }

    /// The names of the actions for which a check of the subject on the resource would be allowed, sorted: what follows
    /// the resource's type and a colon in a permission, else the permission.
    ///
    /// # Errors
    /// Where the subject or the resource cannot be found or used.
    pub fn search_actions<'a>(
        &self,
        subject: Subject<'_>,
        resource: Target<'_>,
        page: PageRequest<'_>,
        asked: impl Into<Asked<'a>>,
    ) -> Result<Page<Name>, Denial> {
        let permissions = self.permissions(subject, resource, asked)?;
        let meant = with_scratch(|scratch| self.resolve(subject, resource, scratch))?.resource;
        let resource_type = self.resources[meant].kind.resource_type().map(|id| self.resource_types.name(id));
        let names = permissions.into_iter().map(|permission| {
            let of_type = resource_type.and_then(|it| permission.strip_prefix(it.as_str())?.strip_prefix(':'));
            match of_type {
                Some(name) if !name.is_empty() => Name::new(name),
                _ => permission,
            }
        });
        Ok(page_of(names.map(|name| (name.clone(), name)), page, Some))
    }
}
