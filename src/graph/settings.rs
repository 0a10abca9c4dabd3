//! What the `Environment` object says, resolved.

use smallvec::SmallVec;

use super::{
    Graph, Map,
    facts::{Environment, IdentitySource, Name, RoleMapping, Undeclared},
    object::{name_in, names_in},
    records::{Claims, Resource, Role},
    table::{Id, Table},
};

/// The settings of the environment. The defaults hold where no `Environment` is there.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) multiple_roles: bool,
    pub(super) default_role: Option<Id<Role>>,
    pub(super) role_priority: Vec<Id<Role>>,
    pub(super) denies_undeclared_memberships: bool,
    pub(super) denies_undeclared_types: bool,
    /// By source and group of the identity provider.
    mappings: Map<(IdentitySource, Name), SmallVec<[Mapping; 1]>>,
}

/// The role of a group of the identity provider.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mapping {
    pub(super) role: Id<Role>,
    /// None: in every organization.
    organization: Option<Id<Resource>>,
}

impl Settings {
    /// The settings of an `Environment` whose spec cannot be used: nothing is allowed that it might have denied.
    pub(super) fn most_restrictive() -> Self {
        Self { denies_undeclared_memberships: true, denies_undeclared_types: true, ..Self::default() }
    }

    /// Resolves what an `Environment` says, with a reference to each name in it.
    pub(super) fn acquire(spec: &Environment, graph: &mut Graph) -> Self {
        let mut mappings = Map::<_, SmallVec<_>>::default();
        for mapping in &spec.role_mappings {
            mappings.entry((mapping.source, mapping.group.clone())).or_default().push(Mapping {
                role: graph.roles.acquire(&mapping.role),
                organization: mapping.organization.as_ref().map(|name| graph.acquire_resource(name)),
            });
        }
        Self {
            multiple_roles: spec.multiple_roles,
            default_role: spec.default_role.as_ref().map(|role| graph.roles.acquire(role)),
            role_priority: spec.role_priority.iter().map(|role| graph.roles.acquire(role)).collect(),
            denies_undeclared_memberships: spec.undeclared_memberships == Undeclared::Deny,
            denies_undeclared_types: spec.undeclared_resource_types == Undeclared::Deny,
            mappings,
        }
    }

    /// What the `Environment` said. Mappings of the same group are in the order in which it told them.
    pub(super) fn as_told(&self, graph: &Graph) -> Environment {
        let undeclared = |denies| if denies { Undeclared::Deny } else { Undeclared::Allow };
        let mut role_mappings: Vec<RoleMapping> = Vec::new();
        for ((source, group), mappings) in &self.mappings {
            role_mappings.extend(mappings.iter().map(|mapping| RoleMapping {
                source: *source,
                group: group.clone(),
                role: graph.roles.name(mapping.role).clone(),
                organization: name_in(&graph.resources, mapping.organization),
            }));
        }
        role_mappings.sort_by(|a, b| (a.source, &a.group).cmp(&(b.source, &b.group)));
        Environment {
            multiple_roles: self.multiple_roles,
            default_role: name_in(&graph.roles, self.default_role),
            role_priority: names_in(&graph.roles, self.role_priority.iter().copied()),
            undeclared_memberships: undeclared(self.denies_undeclared_memberships),
            undeclared_resource_types: undeclared(self.denies_undeclared_types),
            role_mappings,
        }
    }

    /// Gives back the references that [`Self::acquire`] took.
    pub(super) fn release(&self, roles: &mut Table<Role>, mut release_resource: impl FnMut(Id<Resource>)) {
        let Self { default_role, role_priority, mappings, .. } = self;
        default_role.iter().chain(role_priority).for_each(|&role| roles.release(role));
        for mapping in mappings.values().flatten() {
            roles.release(mapping.role);
            mapping.organization.into_iter().for_each(&mut release_resource);
        }
    }

    /// How many of the references to that role [`Self::acquire`] took.
    pub(super) fn references_to(&self, role: Id<Role>) -> usize {
        let named = self.default_role.iter().chain(&self.role_priority).filter(|&&named| named == role);
        named.count() + self.mappings_to(role)
    }

    /// How many mappings give that role.
    pub(super) fn mappings_to(&self, role: Id<Role>) -> usize {
        self.mappings.values().flatten().filter(|mapping| mapping.role == role).count()
    }

    /// The roles that the identity provider's groups give a membership of that organization, each with the source and
    /// the group.
    pub(super) fn mapped_roles<'a>(
        &'a self,
        claims: &'a Claims,
        organization: Option<Id<Resource>>,
    ) -> impl Iterator<Item = (IdentitySource, &'a Name, Id<Role>)> {
        let groups = |source, groups: &'a [Name]| groups.iter().map(move |group| (source, group));
        let directory = groups(IdentitySource::Directory, &claims.directory_groups);
        directory.chain(groups(IdentitySource::Sso, &claims.sso_groups)).flat_map(move |(source, group)| {
            let mappings = self.mappings.get(&(source, group.clone())).map_or(&[][..], |mappings| mappings);
            let applies = move |mapping: &&Mapping| mapping.organization.is_none_or(|only| organization == Some(only));
            mappings.iter().filter(applies).map(move |mapping| (source, group, mapping.role))
        })
    }
}
