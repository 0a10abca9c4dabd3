//! The grants on one resource: who has which role there.

use std::{ops::ControlFlow, sync::Arc};

use prefetch_index::prefetch_index;

use super::{
    by_subject::BySubject,
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
const QUALIFIED: u32 = 1 << 31;

impl SubjectId {
    /// The subject as a number that is never 0.
    pub(super) const fn pack(self) -> u32 {
        match self {
            Self::Membership(id) => id.get(),
            Self::Group(id) => id.get() | GROUP,
        }
    }

    /// The subject that [`Self::pack`] gave; none for 0.
    pub(super) fn unpack(number: u32) -> Option<Self> {
        if number & GROUP == 0 {
            Id::new(number).map(Self::Membership)
        } else {
            Id::new(number & !GROUP).map(Self::Group)
        }
    }

    pub(super) const fn is_group(self) -> bool {
        matches!(self, Self::Group(_))
    }
}

/// A subject's role on a resource, in eight bytes, so that a scan touches little memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Grant {
    subject: u32,
    role: u32,
}

impl Grant {
    /// A grant; one that is `qualified` counts only as far as what is kept for it elsewhere says.
    pub(super) fn new(subject: SubjectId, role: Id<Role>, qualified: bool) -> Self {
        Self { subject: subject.pack(), role: role.get() | if qualified { QUALIFIED } else { 0 } }
    }

    pub(super) fn subject(self) -> SubjectId {
        // INVARIANT: every grant in use was made by `new`, from ids that are not 0.
        #[expect(clippy::expect_used, reason = "unreachable, see the invariant")]
        SubjectId::unpack(self.subject).expect("a membership or a group")
    }

    pub(super) fn role(self) -> Id<Role> {
        // INVARIANT: as above.
        #[expect(clippy::expect_used, reason = "unreachable, see the invariant")]
        Id::new(self.role & !QUALIFIED).expect("a role")
    }

    pub(super) const fn is_qualified(self) -> bool {
        self.role & QUALIFIED != 0
    }

    /// The hash of the subject.
    pub(super) const fn hash(self) -> u64 {
        hash(self.subject)
    }
}

/// Spreads dense numbers over both ends of the word, as the hash table takes its tag from the top.
const fn hash(subject: u32) -> u64 {
    let product = (subject as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ (product >> 32)
}

const INLINE: usize = 6;
/// So many fill a line of the processor's cache.
const LINE: usize = 64 / size_of::<Grant>();
/// Above this many a look-up per subject costs less than a scan.
const SCANNED: usize = 32;
/// Above this many a filter would let nearly every one through.
const FILTERED: usize = 256;
/// So many subjects' grants are fetched at once.
const AT_ONCE: usize = 16;

/// A set of subjects that may be larger than what was put in, in the cache line of the resource: most look-ups for
/// subjects that have no grant end here.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Filter([u64; 2]);

impl Filter {
    const ALL: Self = Self([u64::MAX; 2]);

    /// The filter of all the subjects.
    fn of(grants: &BySubject) -> Self {
        if grants.len() > FILTERED {
            return Self::ALL;
        }
        let mut filter = Self::default();
        grants.iter().for_each(|grant| filter.insert(grant.hash()));
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

/// A multiset of grants: two objects may grant the same, and taking one away leaves the other.
///
/// Most resources have few or none, held beside the resource itself in one cache line. More are shared by the clones of
/// a resource until one of them changes.
#[derive(Clone, Debug)]
pub(super) enum Grants {
    Inline {
        len: u8,
        grants: [Grant; INLINE],
    },
    List(Arc<[Grant]>),
    /// Grants that are there already lie apart, so that no look-up meets them.
    Table {
        filter: Filter,
        grants: BySubject,
        repeated: Arc<BySubject>,
    },
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
            Self::Inline { grants, .. } => *self = Self::List(grants.iter().copied().chain([grant]).collect()),
            Self::List(list) if list.len() < SCANNED => *list = list.iter().copied().chain([grant]).collect(),
            Self::List(list) => {
                let list = std::mem::take(list);
                *self =
                    Self::Table { filter: Filter::default(), grants: BySubject::default(), repeated: Arc::default() };
                list.iter().chain([&grant]).for_each(|&grant| self.insert(grant));
            }
            Self::Table { grants, repeated, .. } if grants.contains(grant) => Arc::make_mut(repeated).insert(grant),
            Self::Table { filter, grants, .. } => {
                grants.insert(grant);
                filter.insert(grant.hash());
                if grants.len() > FILTERED {
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
                let Some(at) = list.iter().position(|&other| other == grant) else {
                    return;
                };
                let left = list[..at].iter().chain(&list[at + 1..]).copied();
                *self = if list.len() > INLINE + 1 { Self::List(left.collect()) } else { left.collect() };
            }
            Self::Table { filter, grants, repeated } => {
                if repeated.contains(grant) {
                    Arc::make_mut(repeated).remove(grant);
                } else {
                    if !grants.remove(grant) {
                        return;
                    }
                    *filter = Filter::of(grants);
                }
                if grants.len() + repeated.len() <= SCANNED / 2 {
                    *self = Self::List(grants.iter().chain(repeated.iter()).collect());
                }
            }
        }
    }

    /// Has what lies apart from the resource fetched, where it is known to be wanted, and does not wait for it.
    #[inline]
    pub(super) fn prefetch(&self) {
        if let Self::List(list) = self {
            prefetch_index(list, 0);
            prefetch_index(list, LINE);
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
            Self::Table { filter, grants, .. } => {
                for asked in asked.chunks(AT_ONCE) {
                    // Who passes is nobody's guess, so it is no branch.
                    let (mut passed, mut count) = ([(0, 0); AT_ONCE], 0);
                    for subject in asked {
                        let subject = subject.pack();
                        let hash = hash(subject);
                        passed[count] = (subject, hash);
                        count += usize::from(filter.may_contain(hash));
                    }
                    let passed = &passed[..count];
                    for &(_, hash) in passed {
                        grants.prefetch(hash);
                    }
                    for &(subject, hash) in passed {
                        grants.candidates(hash).filter(|grant| grant.subject == subject).try_for_each(&mut visit)?;
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
            Self::Table { grants, repeated, .. } => {
                let hash = hash(subject.pack());
                grants.candidates(hash).chain(repeated.candidates(hash)).filter(same).count()
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
            Self::Table { grants, repeated, .. } => Box::new(grants.iter().chain(repeated.iter())),
        }
    }
}

impl FromIterator<Grant> for Grants {
    fn from_iter<I: IntoIterator<Item = Grant>>(few: I) -> Self {
        let mut grants = Self::default();
        few.into_iter().for_each(|grant| grants.insert(grant));
        grants
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
        assert_eq!((grant.subject(), grant.role(), grant.is_qualified()), (group, role, true));
    }
}
