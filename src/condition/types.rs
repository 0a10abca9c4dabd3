//! What is known of values before there are any.

use super::program::Arithmetic;

/// The type of a value. Of what questions tell nothing is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Unknown,
    Null,
    Bool,
    Int,
    Double,
    String,
    Timestamp,
    Duration,
    /// A list and the type of its elements.
    List(Box<Self>),
    /// Keys are strings, values may be anything.
    Map,
}

impl Type {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Unknown => "a value",
            Self::Null => "null",
            Self::Bool => "a bool",
            Self::Int => "an int",
            Self::Double => "a double",
            Self::String => "a string",
            Self::Timestamp => "a timestamp",
            Self::Duration => "a duration",
            Self::List(_) => "a list",
            Self::Map => "a map",
        }
    }

    /// Whether a value of this type may be of the other.
    pub(super) fn may_be(&self, other: &Self) -> bool {
        *self == Self::Unknown || self == other
    }

    const fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Double)
    }

    /// Whether values of the two types may be equal.
    pub(super) fn may_equal(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => true,
            (Self::List(one), Self::List(other)) => one.may_equal(other),
            _ => self == other || (self.is_number() && other.is_number()),
        }
    }

    /// Whether one of the two may be less than the other.
    pub(super) fn may_compare(&self, other: &Self) -> bool {
        let ordered = |it: &Self| !matches!(it, Self::Null | Self::List(_) | Self::Map);
        ordered(self) && ordered(other) && self.may_equal(other)
    }

    /// The type of what is one or the other.
    pub(super) fn or(self, other: &Self) -> Self {
        if self == *other { self } else { Self::Unknown }
    }

    /// The type of the result of a calculation. None: it cannot be made.
    pub(super) fn calculated(&self, by: Arithmetic, other: &Self) -> Option<Self> {
        use Arithmetic::{Add, Divide, Multiply, Remainder, Subtract};

        let result = |one: &Self, other: &Self| match (by, one, other) {
            (_, Self::Int, Self::Int) => Some(Self::Int),
            (Add | Subtract | Multiply | Divide, Self::Double, Self::Double) => Some(Self::Double),
            (Add, Self::String, Self::String) => Some(Self::String),
            (Add | Subtract, Self::Timestamp, Self::Duration) | (Add, Self::Duration, Self::Timestamp) => {
                Some(Self::Timestamp)
            }
            (Subtract, Self::Timestamp, Self::Timestamp) | (Add | Subtract, Self::Duration, Self::Duration) => {
                Some(Self::Duration)
            }
            (Add | Subtract | Multiply | Divide | Remainder, ..) => None,
        };
        let candidates = [Self::Int, Self::Double, Self::String, Self::Timestamp, Self::Duration];
        let mut results = candidates.iter().filter(|one| self.may_be(one)).flat_map(|one| {
            candidates.iter().filter(|&it| other.may_be(it)).filter_map(move |other| result(one, other))
        });
        let first = results.next()?;
        Some(results.fold(first, |of, other| of.or(&other)))
    }
}
