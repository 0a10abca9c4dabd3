//! The resources of a subject.

use super::super::{
    Graph, MAX_DEPTH, Map, Set,
    access::{Scratch, with_scratch},
    check::contains_any,
    grants::SubjectId,
    page::page_of,
    permission_set::PermissionSet,
    query::{Action, Asked, Denial, Page, PageRequest, ResourceFilter, ResourceItem, Subject, Target},
    records::{Membership, Resource, ResourceType},
    resolve::{Permissions, Question},
    table::Id,
};

impl Graph {
    /// The resources on which a check would be allowed (rules 18-21, with the whole environment where no parent is
    /// given), by object name. A user's are those of all the user's memberships.
    ///
    /// # Guarantees
    /// The cost grows with the whole list, of which a page is cut, and with the assignments that the subject has. Where
    /// only one type is wanted it grows with the resources of all types below which that type is found; of the children
    /// of a parent, with all of them where anything comes down from above that some type may be listed by.
    ///
    /// # Errors
    /// Where the subject or the parent cannot be found or used.
    pub fn resources<'a>(
        &self,
        subject: Subject<'_>,
        action: Action<'_>,
        filter: ResourceFilter<'_>,
        page: PageRequest<'_>,
        asked: impl Into<Asked<'a>>,
    ) -> Result<Page<ResourceItem>, Denial> {
        let asked = asked.into();
        with_scratch(|scratch| {
            let mut wanted = Wanted::new(self, action, filter.resource_type);
            let mut found = match filter.parent {
                Some(parent) => self.allowed_children(subject, &mut wanted, parent, scratch, asked)?,
                None => self.allowed_resources(subject, &mut wanted, scratch, asked)?,
            };
            found.sort_unstable();
            found.dedup();
            let named = found.into_iter().map(|id| (self.resources.name(id).clone(), id));
            Ok(page_of(named, page, |id| self.resource_item(id, &mut scratch.path)))
        })
    }

    fn allowed_children(
        &self,
        subject: Subject<'_>,
        wanted: &mut Wanted<'_>,
        parent: Target<'_>,
        scratch: &mut Scratch,
        asked: Asked<'_>,
    ) -> Result<Vec<Id<Resource>>, Denial> {
        let Question { resource: parent, organization, asker } = self.resolve(subject, parent, scratch)?;
        let mut found = Vec::new();
        if scratch.path.len() > MAX_DEPTH {
            return Ok(found);
        }
        let Scratch { path, subjects, .. } = scratch;
        for membership in self.memberships_of(asker, organization) {
            if self.able(membership, organization).is_err() {
                continue;
            }
            subjects.gather(self, membership, organization);
            let inherited = self.effective_permissions(membership, path, organization, subjects, asked);
            let candidates: Vec<_> = if inherited.intersects(&wanted.permissions) {
                self.children(parent).collect()
            } else {
                // Nothing comes from above: only children with grants of their own can be in the list.
                let granted = self.anchors(membership, &wanted.permissions).into_iter();
                granted.filter(|&id| self.resources[id].parent == Some(parent)).collect()
            };
            found.extend(candidates.into_iter().filter(|&child| {
                let resource_type = self.resources[child].kind.resource_type();
                let own = || self.effective_permissions(membership, &[child], organization, subjects, asked);
                self.is_sound_below(child, parent)
                    && resource_type.is_some_and(|resource_type| {
                        wanted.is_of_type(resource_type)
                            && (wanted.allows(resource_type, &inherited) || wanted.allows(resource_type, &own()))
                    })
            }));
        }
        Ok(found)
    }

    fn allowed_resources(
        &self,
        subject: Subject<'_>,
        wanted: &mut Wanted<'_>,
        scratch: &mut Scratch,
        asked: Asked<'_>,
    ) -> Result<Vec<Id<Resource>>, Denial> {
        let mut tops = Vec::new();
        for membership in self.all_memberships(subject)? {
            // Of which organization `subjects` holds the groups.
            let mut gathered = None;
            for anchor in self.anchors(membership, &wanted.permissions) {
                let Some(organization) = self.chain(anchor, &mut scratch.path) else {
                    continue;
                };
                if !self.may_list(membership, subject, organization) {
                    continue;
                }
                let Scratch { path, subjects, .. } = &mut *scratch;
                if gathered.replace(organization) != Some(organization) {
                    subjects.gather(self, membership, organization);
                }
                let permissions = self.effective_permissions(membership, &path[..1], organization, subjects, asked);
                if permissions.intersects(&wanted.permissions) {
                    tops.push(Top { resource: anchor, depth: path.len() - 1, permissions });
                }
            }
        }
        let mut found = Vec::new();
        let alike = matches!(wanted.action, Action::Permission(_));
        if alike {
            // What is allowed on a resource is allowed everywhere below it.
            let all: Set<Id<Resource>> = tops.iter().map(|top| top.resource).collect();
            let mut visited = Set::default();
            tops.retain(|top| {
                let attached = self.chain(top.resource, &mut scratch.path).is_some();
                attached && visited.insert(top.resource) && !scratch.path[1..].iter().any(|above| all.contains(above))
            });
        }
        let mut types = Map::default();
        for top in &tops {
            if !alike {
                types.clear(); // What is allowed by a name differs from type to type, and so from top to top.
            }
            self.collect_below(top, wanted, &mut types, &mut found);
        }
        Ok(found)
    }

    /// Whether what a membership has in an organization is listed for the subject.
    fn may_list(&self, membership: Id<Membership>, subject: Subject<'_>, organization: Id<Resource>) -> bool {
        let stands_for_subject = match subject {
            Subject::Membership(_) => true,
            Subject::User(user) => self.stands_for(membership, user, organization),
        };
        stands_for_subject && self.able(membership, organization).is_ok()
    }

    /// Whether a question of a user about a resource in the organization is put to that membership.
    fn stands_for(&self, membership: Id<Membership>, user: &str, organization: Id<Resource>) -> bool {
        let declared = |user| self.memberships_of_user_in(user, organization).next().is_some();
        self.declared(membership).is_some() || !self.users.id(user).is_some_and(declared)
    }

    /// The resources on which a membership may have grants, effective or not, of roles with any of the permissions.
    fn anchors(&self, membership: Id<Membership>, permissions: &PermissionSet) -> Vec<Id<Resource>> {
        let mut anchors: Vec<_> = self.memberships[membership].organization.into_iter().collect();
        let mut add = |subject| {
            let table = self.assignments(subject);
            let terms = self.assignments_of(subject).filter_map(|id| table[id].terms());
            let fitting = terms.filter(|terms| self.roles[terms.role].permissions.intersects(permissions));
            anchors.extend(fitting.filter_map(|terms| self.placed(terms)));
        };
        add(SubjectId::Membership(membership));
        for group in self.all_groups(membership) {
            add(SubjectId::Group(group));
        }
        anchors.sort_unstable();
        anchors.dedup();
        anchors
    }

    /// Adds an attached resource and the attached resources below it that are wanted and on which what is permitted at
    /// the top allows the action.
    /// `types` keeps what is found with each type.
    fn collect_below(
        &self,
        top: &Top,
        wanted: &mut Wanted<'_>,
        types: &mut Map<Id<ResourceType>, Finds>,
        found: &mut Vec<Id<Resource>>,
    ) {
        let mut open = vec![(top.resource, top.depth)];
        while let Some((resource, depth)) = open.pop() {
            let Some(resource_type) = self.resources[resource].kind.resource_type() else {
                continue;
            };
            let finds = *types.entry(resource_type).or_insert_with(|| Finds {
                here: wanted.is_of_type(resource_type) && wanted.allows(resource_type, &top.permissions),
                below: wanted.may_be_below(resource_type, &top.permissions),
            });
            if finds.here {
                found.push(resource);
            }
            if finds.below && depth < MAX_DEPTH {
                let children = self.children(resource).filter(|&child| self.is_sound_below(child, resource));
                open.extend(children.map(|child| (child, depth + 1)));
            }
        }
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
}

/// A resource on which something is allowed, as far as that allows it below.
struct Top {
    resource: Id<Resource>,
    depth: usize,
    permissions: PermissionSet,
}

/// What is found with the resources of a type.
#[derive(Clone, Copy)]
struct Finds {
    /// They are wanted themselves.
    here: bool,
    /// There may be others below them that are.
    below: bool,
}

/// Of which types.
#[derive(Clone, Copy)]
enum Types {
    All,
    One(Id<ResourceType>),
    None,
}

/// Which resources a list wants.
struct Wanted<'a> {
    graph: &'a Graph,
    action: Action<'a>,
    types: Types,
    /// All that allow the action on whatever type.
    permissions: PermissionSet,
    by_type: Map<Id<ResourceType>, Permissions>,
    text: String,
}

impl<'a> Wanted<'a> {
    fn new(graph: &'a Graph, action: Action<'a>, resource_type: Option<&str>) -> Self {
        let mut text = String::new();
        let mut permissions = PermissionSet::default();
        let types = match action {
            Action::Permission(_) => None,
            Action::Name(_) => Some(graph.resource_types.ids()),
        };
        for resource_type in types.into_iter().flatten().map(Some).chain([None]) {
            let allowing = graph.permissions_for(action, resource_type, &mut text);
            allowing.into_iter().flatten().for_each(|permission| permissions.insert(permission));
        }
        let types = match resource_type.map(|name| graph.resource_types.id(name)) {
            None => Types::All,
            Some(Some(only)) => Types::One(only),
            Some(None) => Types::None,
        };
        Self { graph, action, types, permissions, by_type: Map::default(), text }
    }

    fn is_of_type(&self, resource_type: Id<ResourceType>) -> bool {
        match self.types {
            Types::All => true,
            Types::One(only) => only == resource_type,
            Types::None => false,
        }
    }

    /// Whether the permissions allow the action on resources of the type.
    fn allows(&mut self, resource_type: Id<ResourceType>, permissions: &PermissionSet) -> bool {
        let Self { graph, action, by_type, text, .. } = self;
        let allowing =
            by_type.entry(resource_type).or_insert_with(|| graph.permissions_for(*action, Some(resource_type), text));
        contains_any(permissions, *allowing)
    }

    /// Whether a resource that is wanted and on which the permissions allow the action may lie below one of the type.
    fn may_be_below(&mut self, resource_type: Id<ResourceType>, permissions: &PermissionSet) -> bool {
        let graph = self.graph;
        let mut below = graph.resource_types[resource_type].seen_below.clone();
        let mut next = 0;
        while let Some(&current) = below.get(next) {
            if self.is_of_type(current) && self.allows(current, permissions) {
                return true;
            }
            for &further in &graph.resource_types[current].seen_below {
                if !below.contains(&further) {
                    below.push(further);
                }
            }
            next += 1;
        }
        false
    }
}
