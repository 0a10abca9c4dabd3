//! How far a graph has come.

use super::facts::Kind;

/// Up to where the changes of each kind are in a graph, in the numbers of its source: of a cluster the resource versions.
///
/// A number says that the graph has every change of the kind up to it that concerns the environment. The graph does not use it:
/// it is published with the graph, so that who reads one state knows which.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Revision([u64; Kind::ALL.len()]);

impl Revision {
    /// Up to where the changes of a kind are in; 0: nothing is said of it.
    #[must_use]
    pub const fn of(&self, kind: Kind) -> u64 {
        self.0[kind as usize]
    }

    /// Says so.
    pub const fn set(&mut self, kind: Kind, number: u64) {
        self.0[kind as usize] = number;
    }

    /// Says so, unless more was said.
    pub fn raise(&mut self, kind: Kind, number: u64) {
        let known = &mut self.0[kind as usize];
        *known = number.max(*known);
    }

    /// What it says of each kind.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, u64)> + '_ {
        Kind::ALL.into_iter().map(|kind| (kind, self.of(kind)))
    }
}

impl FromIterator<(Kind, u64)> for Revision {
    fn from_iter<I: IntoIterator<Item = (Kind, u64)>>(numbers: I) -> Self {
        let mut revision = Self::default();
        for (kind, number) in numbers {
            revision.raise(kind, number);
        }
        revision
    }
}
