//! How a membership comes to belong to groups.

use super::super::{
    Graph, Set,
    facts::Name,
    query::Reason,
    records::{Group, Membership},
    table::Id,
};

/// A group that lists a membership, directly or through subgroups.
#[derive(Clone, Debug)]
pub(super) struct Affiliation {
    pub(super) group: Id<Group>,
    /// From the group down to the one that lists the membership.
    pub(super) groups: Vec<Name>,
    /// Why the membership nevertheless does not belong to it.
    pub(super) fault: Option<Reason>,
}

impl Graph {
    /// The groups that list a membership, and those that these are nested in, nearest first; by a sound way where
    /// there is one.
    pub(super) fn affiliations(&self, membership: Id<Membership>) -> Vec<Affiliation> {
        let mut affiliations = Vec::new();
        let mut reached = Set::<Id<Group>>::default();
        for sound_only in [true, false] {
            let mut queue: Vec<(Id<Group>, Vec<Id<Group>>)> = self
                .by_name(&self.memberships[membership].groups)
                .into_iter()
                .map(|group| (group, vec![group]))
                .collect();
            let mut visited = Set::<Id<Group>>::default();
            let mut next = 0;
            while let Some((group, way)) = queue.get(next).cloned() {
                next += 1;
                if visited.contains(&group) {
                    continue;
                }
                let sound = self.group_fault(group).is_none() && self.link_of(&way).is_none();
                if sound_only && !sound {
                    continue; // Another way may be sound.
                }
                visited.insert(group);
                if reached.insert(group) {
                    let fault = way.iter().find_map(|&id| self.group_fault(id)).or_else(|| self.link_of(&way));
                    let groups = way.iter().rev().map(|&id| self.groups.name(id).clone()).collect();
                    affiliations.push(Affiliation { group, groups, fault });
                }
                for above in self.by_name(&self.groups[group].supergroups) {
                    let longer = way.iter().copied().chain([above]).collect();
                    queue.push((above, longer));
                }
            }
        }
        affiliations
    }

    /// What is wrong with the links of a way up through groups: they are of different organizations.
    fn link_of(&self, way: &[Id<Group>]) -> Option<Reason> {
        way.windows(2).find_map(|pair| {
            let (below, above) = (self.groups[pair[0]].organization?, self.groups[pair[1]].organization?);
            (below != above).then(|| self.mismatch(self.group_ref(pair[0]), below, above))
        })
    }

    fn by_name(&self, groups: &[Id<Group>]) -> Vec<Id<Group>> {
        let mut groups = groups.to_vec();
        groups.sort_unstable_by_key(|&group| self.groups.name(group));
        groups
    }
}
