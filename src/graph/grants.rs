//! The grants on one resource: who has which role there.

use std::ops::ControlFlow;

use hashbrown::HashTable;
use smallvec::SmallVec;

use super::{
    records::{Group, Membership, Role},
    table::Id,
};

/// A membership or a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum SubjectId {
    Membership(Id<Membership>),
    Group(Id<Group>),
}

const GROUP: u32 = 1 << 31;
const EXPIRES: u32 = 1 << 31;

/// A subject's role on a resource, in eight bytes, so that a scan touches little memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Grant {
    subject: u32,
    role: u32,
}

impl Grant {
    /// A grant; one that `expires` counts only until the time kept for it elsewhere.
    pub(super) fn new(subject: SubjectId, role: Id<Role>, expires: bool) -> Self {
        Self { subject: pack(subject), role: role.get() | if expires { EXPIRES } else { 0 } }
    }

    pub(super) fn subject(self) -> SubjectId {
        // INVARIANT: every grant in use was made by `new`, from ids that are not 0.
        #[expect(clippy::expect_used, reason = "unreachable, see the invariant")]
        if self.subject & GROUP == 0 {
            SubjectId::Membership(Id::new(self.subject).expect("a membership"))
        } else {
            SubjectId::Group(Id::new(self.subject & !GROUP).expect("a group"))
        }
    }

    pub(super) fn role(self) -> Id<Role> {
        // INVARIANT: as above.
        #[expect(clippy::expect_used, reason = "unreachable, see the invariant")]
        Id::new(self.role & !EXPIRES).expect("a role")
    }

    pub(super) const fn expires(self) -> bool {
        self.role & EXPIRES != 0
    }
}

const fn pack(subject: SubjectId) -> u32 {
    match subject {
        SubjectId::Membership(id) => id.get(),
        SubjectId::Group(id) => id.get() | GROUP,
    }
}

/// Spreads dense numbers over both ends of the word, as the hash table takes its tag from the top.
fn hash(subject: u32) -> u64 {
    let product = u64::from(subject).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ (product >> 32)
}

const INLINE: usize = 6;
/// Above this many a look-up per subject costs less than a scan.
const SCANNED: usize = 32;
/// Above this many subjects a filter would let nearly every one through.
const FILTERED: usize = 256;

/// A set of subjects that may be larger than what was put in, in the cache line of the resource: most look-ups for
/// subjects that have no grant end here.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Filter([u64; 2]);

impl Filter {
    const ALL: Self = Self([u64::MAX; 2]);

    /// The filter of all the subjects.
    fn of(holders: &HashTable<Holder>) -> Self {
        if holders.len() > FILTERED {
            return Self::ALL;
        }
        let mut filter = Self::default();
        holders.iter().for_each(|holder| filter.insert(hash(holder.subject)));
        filter
    }

    fn insert(&mut self, hash: u64) {
        let (word, bit) = Self::place(hash);
        self.0[word] |= bit;
    }

    fn may_contain(self, hash: u64) -> bool {
        let (word, bit) = Self::place(hash);
        self.0[word] & bit != 0
    }

    const fn place(hash: u64) -> (usize, u64) {
        ((hash >> 57) as usize & 1, 1 << (hash >> 58))
    }
}

/// A subject among many on one resource. What it has there lies together, so that finding it is one look-up.
#[derive(Debug)]
pub(super) struct Holder {
    subject: u32,
    /// Each role, marked as in [`Grant`] where it expires, and how many grants of it there are.
    roles: SmallVec<[(u32, u32); 4]>,
}

impl Holder {
    fn grants(&self) -> impl Iterator<Item = (Grant, u32)> + '_ {
        self.roles.iter().map(|&(role, count)| (Grant { subject: self.subject, role }, count))
    }
}

/// A multiset of grants: two objects may grant the same, and taking one away leaves the other.
///
/// Most resources have few or none, held beside the resource itself in one cache line.
#[derive(Debug)]
pub(super) enum Grants {
    Inline { len: u8, grants: [Grant; INLINE] },
    List(Vec<Grant>),
    Table { filter: Filter, holders: HashTable<Holder> },
}

impl Default for Grants {
    fn default() -> Self {
        Self::Inline { len: 0, grants: [Grant::default(); INLINE] }
    }
}

impl Grants {
    pub(super) fn insert(&mut self, grant: Grant) {
        match self {
            Self::Inline { len, grants } if usize::from(*len) < INLINE => {
                grants[usize::from(*len)] = grant;
                *len += 1;
            }
            Self::Inline { grants, .. } => {
                let mut list = Vec::with_capacity(2 * INLINE);
                list.extend_from_slice(grants);
                list.push(grant);
                *self = Self::List(list);
            }
            Self::List(list) if list.len() < SCANNED => list.push(grant),
            Self::List(list) => {
                let all: Vec<Grant> = list.iter().copied().chain([grant]).collect();
                *self = Self::Table { filter: Filter::default(), holders: HashTable::new() };
                for grant in all {
                    self.insert(grant);
                }
            }
            Self::Table { filter, holders } => {
                let Grant { subject, role } = grant;
                let hash_of = |holder: &Holder| hash(holder.subject);
                let same = |holder: &Holder| holder.subject == subject;
                let holder = holders.entry(hash(subject), same, hash_of);
                let holder = holder.or_insert_with(|| Holder { subject, roles: SmallVec::new() }).into_mut();
                match holder.roles.iter_mut().find(|(other, _)| *other == role) {
                    Some((_, count)) => *count += 1,
                    None => holder.roles.push((role, 1)),
                }
                filter.insert(hash(subject));
                if holders.len() > FILTERED {
                    *filter = Filter::ALL;
                }
            }
        }
    }

    /// Takes away one grant that equals this one.
    pub(super) fn remove(&mut self, grant: Grant) {
        match self {
            Self::Inline { len, grants } => {
                let used = usize::from(*len);
                if let Some(at) = grants[..used].iter().position(|&other| other == grant) {
                    grants.swap(at, used - 1);
                    *len -= 1;
                }
            }
            Self::List(list) => {
                if let Some(at) = list.iter().position(|&other| other == grant) {
                    list.swap_remove(at);
                }
                if let Some(&grants) = list.first_chunk::<INLINE>().filter(|_| list.len() == INLINE) {
                    #[expect(clippy::cast_possible_truncation, reason = "INLINE is small")]
                    let len = INLINE as u8;
                    *self = Self::Inline { len, grants };
                }
            }
            Self::Table { filter, holders } => {
                let Grant { subject, role } = grant;
                let Ok(mut entry) = holders.find_entry(hash(subject), |holder| holder.subject == subject) else {
                    return;
                };
                let roles = &mut entry.get_mut().roles;
                let Some(at) = roles.iter().position(|(other, _)| *other == role) else {
                    return;
                };
                roles[at].1 -= 1;
                if roles[at].1 > 0 {
                    return;
                }
                roles.swap_remove(at);
                if roles.is_empty() {
                    entry.remove();
                    *filter = Filter::of(holders);
                }
                let grants = holders.iter().flat_map(Holder::grants).map(|(_, count)| count as usize);
                if holders.len() <= SCANNED / 2 && grants.sum::<usize>() <= SCANNED / 2 {
                    *self = Self::List(self.iter().collect());
                }
            }
        }
    }

    /// The grants of those subjects, equal ones once or more often: by scanning for any that `is_asked`, or, where there are many grants, by
    /// looking up each of `asked`. Both must mean the same subjects.
    #[inline]
    pub(super) fn try_for_each_of(
        &self,
        asked: &[SubjectId],
        is_asked: impl Fn(SubjectId) -> bool,
        mut visit: impl FnMut(Grant) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let scanned = match self {
            Self::Inline { len, grants } => &grants[..usize::from(*len)],
            Self::List(list) => list,
            Self::Table { filter, holders } => {
                for &subject in asked {
                    let subject = pack(subject);
                    let hash = hash(subject);
                    if filter.may_contain(hash)
                        && let Some(holder) = holders.find(hash, |holder| holder.subject == subject)
                    {
                        holder.grants().try_for_each(|(grant, _)| visit(grant))?;
                    }
                }
                return ControlFlow::Continue(());
            }
        };
        scanned.iter().filter(|grant| is_asked(grant.subject())).try_for_each(|&grant| visit(grant))
    }

    /// How many grants of the role the subject has.
    pub(super) fn count(&self, subject: SubjectId, role: Id<Role>) -> usize {
        let same = |grant: &Grant| grant.subject() == subject && grant.role() == role;
        match self {
            Self::Inline { len, grants } => grants[..usize::from(*len)].iter().filter(|grant| same(grant)).count(),
            Self::List(list) => list.iter().filter(|grant| same(grant)).count(),
            Self::Table { holders, .. } => {
                let subject = pack(subject);
                let holder = holders.find(hash(subject), |holder| holder.subject == subject);
                let grants = holder.into_iter().flat_map(Holder::grants);
                grants.filter(|(grant, _)| grant.role() == role).map(|(_, count)| count as usize).sum()
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// All grants, in no particular order.
    pub(super) fn iter(&self) -> Box<dyn Iterator<Item = Grant> + '_> {
        match self {
            Self::Inline { len, grants } => Box::new(grants[..usize::from(*len)].iter().copied()),
            Self::List(list) => Box::new(list.iter().copied()),
            Self::Table { holders, .. } => Box::new(
                holders
                    .iter()
                    .flat_map(Holder::grants)
                    .flat_map(|(grant, count)| std::iter::repeat_n(grant, count as usize)),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(subject: u32) -> Grant {
        let subject = Id::new(subject).map(SubjectId::Membership).unwrap();
        Grant::new(subject, Id::new(1).unwrap(), false)
    }

    #[test]
    fn grows_and_shrinks_through_every_shape_as_a_multiset() {
        let mut grants = Grants::default();
        for round in 0..2 {
            for subject in 1..=200 {
                grants.insert(grant(subject));
            }
            assert_eq!(grants.iter().count(), 200 * (round + 1));
        }
        let twice = grant(7);
        for subject in 1..=200 {
            grants.remove(grant(subject));
            let mut found = 0;
            let outcome = grants.try_for_each_of(
                &[twice.subject()],
                |subject| subject == twice.subject(),
                |_| {
                    found += 1;
                    ControlFlow::Continue(())
                },
            );
            assert!(outcome.is_continue());
            assert!(found > 0, "one grant of two is left");
            let left = grants.iter().filter(|&grant| grant == twice).count();
            assert_eq!(left, if subject < 7 { 2 } else { 1 });
        }
        for subject in 1..=200 {
            grants.remove(grant(subject));
            assert_eq!(grants.iter().count(), 200 - subject as usize);
        }
        assert!(matches!(grants, Grants::Inline { len: 0, .. }));
    }

    #[test]
    fn a_grant_gives_back_what_it_was_made_of() {
        let role = Id::new(5).unwrap();
        let group = SubjectId::Group(Id::new(9).unwrap());
        let grant = Grant::new(group, role, true);
        assert_eq!((grant.subject(), grant.role(), grant.expires()), (group, role, true));
    }
}
