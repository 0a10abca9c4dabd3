//! Groups, and which of them are on a cycle.

use super::super::{
    Graph, Set,
    facts::{Fact, Name, Object},
    grants::SubjectId,
    records::{Group, GroupReach, State},
    table::Id,
};

impl Graph {
    pub(super) fn acquire_group(&mut self, name: &Name) -> Id<Group> {
        let id = self.groups.acquire(name);
        self.group_reach.reserve(self.groups.capacity());
        self.first_assignment_of_group.reserve(self.groups.capacity());
        id
    }

    pub(super) fn insert_group(&mut self, object: &Object, state: State) {
        let id = self.acquire_group(&object.name);
        self.groups[id].state = state;
        let (State::There, Fact::Group(spec)) = (state, &object.fact) else {
            return;
        };
        let organization = self.acquire_resource(&spec.organization);
        let members: Vec<_> = by_name(&spec.members).map(|name| self.acquire_membership(name)).collect();
        for &member in &members {
            self.memberships[member].groups.push(id);
        }
        let subgroups: Vec<_> = by_name(&spec.subgroups).map(|name| self.acquire_group(name)).collect();
        for &subgroup in &subgroups {
            self.groups[subgroup].supergroups.push(id);
            self.refresh_reach(subgroup);
        }
        let record = &mut self.groups[id];
        record.organization = Some(organization);
        record.members = members.into();
        record.subgroups = subgroups.into();
        self.stale.group_cycles |= !record.subgroups.is_empty() || !record.supergroups.is_empty();
        self.refresh_reach(id);
        self.note_group(organization, id);
        self.place_implicit_assignments(SubjectId::Group(id));
    }

    pub(super) fn remove_group(&mut self, name: &Name) -> bool {
        let Some(id) = self.groups.id(name).filter(|&id| self.groups[id].state != State::Absent) else {
            return false;
        };
        self.withdraw_implicit_assignments(SubjectId::Group(id));
        let record = &mut self.groups[id];
        self.stale.group_cycles |= !record.subgroups.is_empty() || !record.supergroups.is_empty();
        record.state = State::Absent;
        record.on_cycle = false;
        let organization = record.organization.take();
        let members = std::mem::take(&mut record.members);
        let subgroups = std::mem::take(&mut record.subgroups);
        self.refresh_reach(id);
        if let Some(organization) = organization {
            self.forget_group(organization, id);
            self.resources.release(organization);
        }
        for &member in &*members {
            self.memberships[member].groups.retain(|other| *other != id);
            self.memberships.release(member);
        }
        for &subgroup in &*subgroups {
            self.groups[subgroup].supergroups.retain(|other| *other != id);
            self.refresh_reach(subgroup);
            self.groups.release(subgroup);
        }
        self.groups.release(id);
        true
    }

    /// Marks the groups that are on a cycle of subgroups: those that share a strongly connected component with
    /// another, or list themselves (Tarjan's algorithm, without recursion: nesting may be deep).
    pub(super) fn refresh_group_cycles(&mut self) {
        let mut numbers = vec![Number::default(); self.groups.capacity()];
        let mut visited = 0;
        let mut component_stack: Vec<Id<Group>> = Vec::new();
        let mut calls: Vec<(Id<Group>, usize)> = Vec::new();
        let mut on_cycle = Set::default();
        let nested = self.groups.records().filter(|(_, record)| !record.subgroups.is_empty()).map(|(id, _)| id);
        for start in nested {
            if numbers[start.index()].visit == 0 {
                calls.push((start, 0));
            }
            while let Some((group, next)) = calls.last_mut() {
                let group = *group;
                if *next == 0 {
                    visited += 1;
                    numbers[group.index()] = Number { visit: visited, low: visited, open: true };
                    component_stack.push(group);
                }
                let subgroup = self.groups[group].subgroups.get(*next).copied();
                *next += 1;
                if let Some(subgroup) = subgroup {
                    let Number { visit, open, .. } = numbers[subgroup.index()];
                    if visit == 0 {
                        calls.push((subgroup, 0));
                    } else if open {
                        let number = &mut numbers[group.index()];
                        number.low = number.low.min(visit);
                    }
                    continue;
                }
                calls.pop();
                let Number { visit, low, .. } = numbers[group.index()];
                if let Some((caller, _)) = calls.last() {
                    let number = &mut numbers[caller.index()];
                    number.low = number.low.min(low);
                }
                if low == visit {
                    let from = component_stack.iter().rposition(|&other| other == group).unwrap_or_default();
                    let component = component_stack.split_off(from);
                    for member in &component {
                        numbers[member.index()].open = false;
                    }
                    if component.len() > 1 || self.groups[group].subgroups.contains(&group) {
                        on_cycle.extend(component);
                    }
                }
            }
        }
        let changed = self.groups.records().filter(|(id, record)| record.on_cycle != on_cycle.contains(id));
        for group in changed.map(|(id, _)| id).collect::<Vec<_>>() {
            let record = &mut self.groups[group];
            record.on_cycle = !record.on_cycle;
            self.refresh_reach(group);
        }
    }

    fn refresh_reach(&mut self, group: Id<Group>) {
        self.group_reach[group] = GroupReach::from(&self.groups[group]);
    }
}

/// What Tarjan's algorithm knows of a group; not visited yet where `visit` is 0.
#[derive(Clone, Copy, Default)]
struct Number {
    visit: u32,
    low: u32,
    open: bool,
}

/// A set of names in the order of the names.
fn by_name(names: &[Name]) -> impl Iterator<Item = &Name> {
    let mut names: Vec<&Name> = names.iter().collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter()
}
