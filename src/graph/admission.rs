//! What a change that somebody proposes would do, before it is made.

use super::{
    Graph, MAX_DEPTH, PublishedGraph, Set,
    diagnose::MAX_WARNINGS,
    facts::{ENVIRONMENT_NAME, Fact, Kind, Name, Object, ObjectRef, Timestamp},
    query::Reason,
    records::{Permission, ResourceType},
    table::Id,
    trial::Trial,
};

/// Of the objects that a change would put in the wrong, so many are told.
const MAX_OTHERS: usize = 3;

/// A change that somebody proposes.
#[derive(Clone, Debug, PartialEq)]
pub enum Proposal {
    /// To create an object, or to give it this spec. An object that exists keeps its creation time unless it is
    /// told; one that does not yet is the youngest, whatever is told.
    Write(Object),
    /// To delete an object.
    Delete {
        /// Which.
        object: ObjectRef,
        /// Whether its deletion is to be refused while anything depends on it.
        restricted: bool,
    },
}

/// What speaks against a proposal: the first few reasons of each sort.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// Why it must be refused: what it would break can never become right by waiting. Empty: it is allowed.
    pub refusals: Vec<Reason>,
    /// What the proposer should know, such as references to what does not exist yet.
    pub warnings: Vec<Reason>,
}

impl PublishedGraph {
    /// Reviews a proposal against the objects as they are now, without changing anything that is visible.
    ///
    /// Nothing is said of an object under deletion, nor of an update that changes nothing.
    ///
    /// # Guarantees
    /// What it says of the object is what [`Graph::diagnose`] would say of it, were the proposal carried out; what
    /// the diagnosis said already before is no reason to refuse. No reader waits.
    ///
    /// # Assumptions
    /// The caller holds no guard of [`Self::read`]: like [`Self::apply`], this waits for readers to leave.
    #[must_use]
    pub fn review(&self, proposal: &Proposal, now: Timestamp) -> Review {
        let mut review = match proposal {
            Proposal::Write(object) if object.deleting => Review::default(),
            Proposal::Write(object) => self.review_write(object, now),
            Proposal::Delete { object, restricted } => self.review_deletion(object, *restricted),
        };
        review.refusals.truncate(MAX_WARNINGS);
        review.warnings.truncate(MAX_WARNINGS);
        review
    }

    fn review_write(&self, proposed: &Object, now: Timestamp) -> Review {
        let object = ObjectRef { kind: proposed.fact.kind(), name: proposed.name.clone() };
        let mut trial = Trial::of(self);
        let existing = trial.before.object(&object);
        let existing_fact = existing.as_ref().map(|existing| &existing.fact);
        if existing.as_ref().is_some_and(|existing| existing.deleting) {
            return Review::default();
        }
        let created = match &existing {
            Some(existing) => proposed.created.or(existing.created),
            None => Some(Timestamp::MAX),
        };
        trial.make(Object { created, ..proposed.clone() });
        if trial.after().object(&object).map(|object| object.fact).as_ref() == existing_fact {
            return Review::default();
        }
        Comparison { before: &trial.before, after: trial.after(), now }.review(&object, existing_fact)
    }

    fn review_deletion(&self, object: &ObjectRef, restricted: bool) -> Review {
        let users = {
            let graph = self.read();
            if graph.object(object).is_none_or(|existing| existing.deleting) {
                return Review::default();
            }
            graph.users_of(object)
        };
        let mut review = Review::default();
        if restricted && object.kind == Kind::Resource {
            let count = self.count_dependents(object);
            if count > 0 {
                review.refusals.push(Reason::HasDependents { object: object.clone(), count });
            }
        }
        let because = || Box::new(Reason::NotFound { object: object.clone() });
        review.warnings.extend(users.into_iter().map(|object| Reason::InUse { object, because: because() }));
        review
    }

    /// What would have to go before an object that is there, were it deleted.
    fn count_dependents(&self, object: &ObjectRef) -> usize {
        let mut trial = Trial::of(self);
        let Some(existing) = trial.before.object(object).filter(|existing| !existing.deleting) else {
            return 0;
        };
        trial.make(Object { deleting: true, ..existing });
        let deletions = trial.after().cascade(0, |other| other == object, |_| false).deletions;
        deletions.iter().find(|deletion| deletion.object == *object).map_or(0, |deletion| deletion.remaining)
    }
}

impl Graph {
    /// The first object of each kind that uses a type, or the default role, and that no cascade removes with it.
    fn users_of(&self, object: &ObjectRef) -> Vec<ObjectRef> {
        match object.kind {
            Kind::ResourceType => {
                let Some(id) = self.resource_types.id(&object.name) else {
                    return Vec::new();
                };
                let resources = self.resources.records().filter(|(_, record)| record.kind.resource_type() == Some(id));
                let resource = resources.map(|(id, _)| self.resources.name(id)).min();
                let roles = self.roles.records().filter(|(_, record)| record.scope == Some(id));
                let role = roles.map(|(id, _)| self.roles.name(id)).min();
                let found = [(Kind::Resource, resource), (Kind::Role, role)];
                let found = found.into_iter().filter_map(|(kind, name)| Some((kind, name?.clone())));
                found.map(|(kind, name)| ObjectRef { kind, name }).collect()
            }
            Kind::Role => {
                let id = self.roles.id(&object.name);
                let is_default = id.is_some() && self.settings.default_role == id;
                let environment = || ObjectRef { kind: Kind::Environment, name: ENVIRONMENT_NAME.into() };
                is_default.then(environment).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// The reasons of a diagnosis, all of them.
    fn reasons(&self, object: &ObjectRef, now: Timestamp) -> impl Iterator<Item = Reason> {
        let diagnosis = self.diagnose_up_to(usize::MAX, object, now).unwrap_or_default();
        diagnosis.inert.into_iter().chain(diagnosis.warnings)
    }
}

/// A graph as it is, and as it would be.
struct Comparison<'a> {
    before: &'a Graph,
    after: &'a Graph,
    now: Timestamp,
}

impl Comparison<'_> {
    /// What is to be said of an object that was written; `existing` is what it said before.
    fn review(&self, object: &ObjectRef, existing: Option<&Fact>) -> Review {
        let (mut refusals, mut warnings) = self.own_faults(object);
        for reason in self.new_duplicates(object) {
            if !refusals.contains(&reason) {
                refusals.push(reason);
            }
        }
        match existing {
            Some(Fact::Resource(_)) => refusals.extend(self.faults_below(&object.name)),
            Some(Fact::ResourceType(_)) => refusals.extend(self.faults_by_type(&object.name)),
            None if object.kind == Kind::ResourceType => warnings.extend(self.faults_by_type(&object.name)),
            _ => {}
        }
        Review { refusals, warnings }
    }

    /// What is wrong with the object itself: what a person had to mend and was not so before, and the rest.
    fn own_faults(&self, object: &ObjectRef) -> (Vec<Reason>, Vec<Reason>) {
        let known: Set<Reason> = self.before.reasons(object, self.now).collect();
        let reasons = self.after.reasons(object, self.now);
        reasons.partition(|reason| reason.needs_a_person() && !known.contains(reason))
    }

    /// Whom an object contradicts that it did not before, be it older or younger.
    fn new_duplicates(&self, object: &ObjectRef) -> impl Iterator<Item = Reason> {
        let known: Set<Name> = self.before.duplicates(object, self.now).into_iter().collect();
        let mut new = self.after.duplicates(object, self.now);
        new.retain(|name| !known.contains(name));
        new.sort_unstable();
        let kind = object.kind;
        new.into_iter().map(move |name| match kind {
            Kind::Resource => Reason::DuplicateExternalId { winner: name },
            kind => Reason::DuplicateAssignment { object: ObjectRef { kind, name } },
        })
    }

    /// What a resource that moved puts in the wrong: of all below it, what contradicts others now, or is too deep.
    fn faults_below(&self, resource: &Name) -> Vec<Reason> {
        let after = self.after;
        let parent = |graph: &Graph| {
            let id = graph.resources.id(resource)?;
            graph.resources[id].parent.map(|parent| graph.resources.name(parent).clone())
        };
        let Some(root) = after.resources.id(resource).filter(|_| parent(self.before) != parent(after)) else {
            return Vec::new();
        };
        let Some(depth) = after.depth(root) else {
            return Vec::new();
        };
        let mut faults = Vec::new();
        let mut open = vec![(root, depth)];
        while let Some((parent, depth)) = open.pop().filter(|_| faults.len() < MAX_OTHERS) {
            for child in after.children(parent) {
                open.push((child, depth + 1));
                if depth + 1 > MAX_DEPTH || after.resources[child].kind.is_contested() {
                    let concerned = [child].into_iter().chain(after.rivals_of(child));
                    let names = concerned.map(|id| after.resources.name(id).clone());
                    faults.extend(names.filter_map(|name| self.new_fault(Kind::Resource, name)));
                }
            }
        }
        faults.truncate(MAX_OTHERS);
        faults
    }

    /// What is newly wrong with another object.
    fn new_fault(&self, kind: Kind, name: Name) -> Option<Reason> {
        let object = ObjectRef { kind, name };
        let (faults, _) = self.own_faults(&object);
        let because = faults.into_iter().next().map(Box::new)?;
        Some(Reason::InUse { object, because })
    }

    /// What the declaration of a type puts in the wrong: roles that list a permission, resources below a parent.
    fn faults_by_type(&self, resource_type: &Name) -> Vec<Reason> {
        let Some(id) = self.after.resource_types.id(resource_type) else {
            return Vec::new();
        };
        let mut faults = self.role_faults();
        faults.extend(self.parent_faults(id));
        faults
    }

    /// The first roles of which a permission is refused that was not before.
    fn role_faults(&self) -> Vec<Reason> {
        let (before, after) = (self.before, self.after);
        let roles = after.roles.records().filter_map(|(id, record)| {
            let name = after.roles.name(id);
            let known = &before.roles[before.roles.id(name)?];
            let had = |permission: &Id<Permission>| {
                let permission = before.permissions.id(after.permissions.name(*permission));
                permission.is_some_and(|permission| known.permissions.contains(permission))
            };
            let mut lost = record.listed.iter().filter(|&&it| !record.permissions.contains(it) && had(&it));
            Some((name, after.refusal(record.resource_type?, *lost.next()?)?))
        });
        first_by_name(Kind::Role, roles)
    }

    /// The first resources of a type whose parent it does not allow, and did before.
    fn parent_faults(&self, resource_type: Id<ResourceType>) -> Vec<Reason> {
        let (before, after) = (self.before, self.after);
        let of_type =
            after.resources.records().filter(|(_, record)| record.kind.resource_type() == Some(resource_type));
        let resources = of_type.filter_map(|(id, _)| {
            let name = after.resources.name(id);
            let fault = after.parent_fault(id)?;
            let was_right = before.resources.id(name).is_some_and(|id| before.parent_fault(id).is_none());
            was_right.then_some((name, fault))
        });
        first_by_name(Kind::Resource, resources)
    }
}

fn first_by_name<'a>(kind: Kind, found: impl Iterator<Item = (&'a Name, Reason)>) -> Vec<Reason> {
    let mut found: Vec<_> = found.collect();
    found.sort_unstable_by_key(|&(name, _)| name);
    let first = found.into_iter().take(MAX_OTHERS);
    first
        .map(|(name, because)| Reason::InUse {
            object: ObjectRef { kind, name: name.clone() },
            because: Box::new(because),
        })
        .collect()
}
