//! The answers by the definition, which every engine is compared with.

use std::collections::{BTreeSet, HashSet};

use super::{PERMISSIONS_PER_TYPE, Question, Subject, TYPES, World};

impl World {
    /// The answer by the definition: some role of the member or its groups on the resource or above has it.
    pub fn allows(&self, question: Question) -> bool {
        let Question { member, permission, resource } = question;
        let subjects = self.subjects(member);
        self.chain(resource).any(|resource| {
            subjects.iter().any(|&subject| {
                let roles = self.roles_on.get(&(subject, resource)).map_or(&[][..], |roles| roles);
                roles.iter().any(|&role| self.role_permissions[role].contains(&permission))
            })
        })
    }

    fn chain(&self, resource: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(resource), |&id| (self.resources[id].0 > 0).then(|| self.resources[id].1))
    }

    /// The roles that the member of a question has on its resource or above, which an engine without a graph must be told.
    pub fn roles(&self, question: Question) -> BTreeSet<usize> {
        let subjects = self.subjects(question.member);
        let resources = self.chain(question.resource);
        let roles = resources
            .flat_map(|resource| subjects.iter().filter_map(move |&subject| self.roles_on.get(&(subject, resource))));
        roles.flatten().copied().collect()
    }

    /// How many permissions there are, in all types together.
    pub const PERMISSIONS: usize = TYPES.len() * PERMISSIONS_PER_TYPE;

    pub const fn members(&self) -> usize {
        self.member_organization.len()
    }

    pub const fn resources(&self) -> usize {
        self.resources.len()
    }

    pub fn children(&self, resource: usize) -> &[usize] {
        &self.children[resource]
    }

    /// The resource above one; an organization is its own.
    pub fn parent(&self, resource: usize) -> usize {
        self.resources[resource].1
    }

    pub fn organization_of(&self, resource: usize) -> usize {
        self.resources[resource].2
    }

    pub fn organization_of_member(&self, member: usize) -> usize {
        self.member_organization[member]
    }

    /// Whether the member or a group of the member's has a role with the permission on that very resource.
    pub fn allows_directly(&self, Question { member, permission, resource }: Question) -> bool {
        self.subjects(member).into_iter().any(|subject| {
            let roles = self.roles_on.get(&(subject, resource));
            roles.is_some_and(|roles| roles.iter().any(|&role| self.role_permissions[role].contains(&permission)))
        })
    }

    /// The numbers of the assignments that the member has, by itself and through groups.
    pub fn assignments_of(&self, member: usize) -> Vec<usize> {
        let subjects: HashSet<Subject> = self.subjects(member).into_iter().collect();
        (0..self.assignments.len()).filter(|&number| subjects.contains(&self.assignments[number].0)).collect()
    }

    /// The numbers of the assignments on that very resource.
    pub fn assignments_on(&self, resource: usize) -> Vec<usize> {
        (0..self.assignments.len()).filter(|&number| self.assignments[number].2 == resource).collect()
    }

    fn subjects(&self, member: usize) -> Vec<Subject> {
        let groups = self.member_groups[member].iter().map(|&group| Subject::Group(group));
        groups.chain([Subject::Member(member)]).collect()
    }
}
