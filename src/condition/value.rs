//! The values of an evaluation: how they compare and what can be calculated with them.

use std::{borrow::Cow, cmp::Ordering};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Json};

use super::{
    Fault,
    program::{Arithmetic, Literal},
};

/// A value, which borrows from the condition and from the question.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    String(Cow<'a, str>),
    Timestamp(Timestamp),
    Duration(SignedDuration),
    List(Elements<'a>),
    Map(&'a Map<String, Json>),
}

/// The elements of a list.
#[derive(Clone, Debug)]
pub(super) enum Elements<'a> {
    Given(&'a [Json]),
    Written(Vec<Value<'a>>),
}

impl<'a> Elements<'a> {
    pub(super) const fn len(&self) -> usize {
        match self {
            Self::Given(elements) => elements.len(),
            Self::Written(elements) => elements.len(),
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<Value<'a>> {
        match self {
            Self::Given(elements) => elements.get(index).map(Value::from),
            Self::Written(elements) => elements.get(index).cloned(),
        }
    }
}

impl<'a> From<&'a Json> for Value<'a> {
    fn from(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(it) => Self::Bool(*it),
            Json::Number(it) => it.as_i64().map_or_else(|| Self::Double(it.as_f64().unwrap_or(f64::NAN)), Self::Int),
            Json::String(it) => Self::String(Cow::Borrowed(it)),
            Json::Array(it) => Self::List(Elements::Given(it)),
            Json::Object(it) => Self::Map(it),
        }
    }
}

impl<'a> From<&'a Literal> for Value<'a> {
    fn from(literal: &'a Literal) -> Self {
        match literal {
            Literal::Null => Self::Null,
            Literal::Bool(it) => Self::Bool(*it),
            Literal::Int(it) => Self::Int(*it),
            Literal::Double(it) => Self::Double(*it),
            Literal::String(it) => Self::String(Cow::Borrowed(it)),
            Literal::Timestamp(it) => Self::Timestamp(*it),
            Literal::Duration(it) => Self::Duration(*it),
        }
    }
}

impl Value<'_> {
    pub(super) const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a bool",
            Self::Int(_) => "an int",
            Self::Double(_) => "a double",
            Self::String(_) => "a string",
            Self::Timestamp(_) => "a timestamp",
            Self::Duration(_) => "a duration",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// Which of the two is the greater. None: they cannot be compared, or one of them is no number.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(one), Self::Bool(other)) => Some(one.cmp(other)),
            (Self::Int(one), Self::Int(other)) => Some(one.cmp(other)),
            (Self::Double(one), Self::Double(other)) => one.partial_cmp(other),
            (Self::Int(one), Self::Double(other)) => compare_numbers(*one, *other),
            (Self::Double(one), Self::Int(other)) => compare_numbers(*other, *one).map(Ordering::reverse),
            (Self::String(one), Self::String(other)) => Some(one.cmp(other)),
            (Self::Timestamp(one), Self::Timestamp(other)) => Some(one.cmp(other)),
            (Self::Duration(one), Self::Duration(other)) => Some(one.cmp(other)),
            _ => None,
        }
    }

    /// Whether there is an order among values of these types.
    pub(super) const fn is_comparable(&self, other: &Self) -> bool {
        matches!(
            (self, other),
            (Self::Bool(_), Self::Bool(_))
                | (Self::Int(_) | Self::Double(_), Self::Int(_) | Self::Double(_))
                | (Self::String(_), Self::String(_))
                | (Self::Timestamp(_), Self::Timestamp(_))
                | (Self::Duration(_), Self::Duration(_))
        )
    }

    pub(super) fn calculate(self, by: Arithmetic, other: Self) -> Result<Self, Fault> {
        use Arithmetic::{Add, Divide, Multiply, Remainder, Subtract};

        let result = match (by, self, other) {
            (Add, Self::Int(one), Self::Int(other)) => one.checked_add(other).map(Self::Int),
            (Subtract, Self::Int(one), Self::Int(other)) => one.checked_sub(other).map(Self::Int),
            (Multiply, Self::Int(one), Self::Int(other)) => one.checked_mul(other).map(Self::Int),
            (Divide, Self::Int(one), Self::Int(other)) => one.checked_div(other).map(Self::Int),
            (Remainder, Self::Int(one), Self::Int(other)) => one.checked_rem(other).map(Self::Int),
            (Add, Self::Double(one), Self::Double(other)) => Some(Self::Double(one + other)),
            (Subtract, Self::Double(one), Self::Double(other)) => Some(Self::Double(one - other)),
            (Multiply, Self::Double(one), Self::Double(other)) => Some(Self::Double(one * other)),
            (Divide, Self::Double(one), Self::Double(other)) => Some(Self::Double(one / other)),
            (Add, Self::String(one), Self::String(other)) => Some(Self::String(one + other)),
            (Add, Self::Timestamp(at), Self::Duration(by)) | (Add, Self::Duration(by), Self::Timestamp(at)) => {
                at.checked_add(by).ok().map(Self::Timestamp)
            }
            (Subtract, Self::Timestamp(at), Self::Duration(by)) => at.checked_sub(by).ok().map(Self::Timestamp),
            (Subtract, Self::Timestamp(one), Self::Timestamp(other)) => Some(Self::Duration(one.duration_since(other))),
            (Add, Self::Duration(one), Self::Duration(other)) => one.checked_add(other).map(Self::Duration),
            (Subtract, Self::Duration(one), Self::Duration(other)) => one.checked_sub(other).map(Self::Duration),
            (by, one, other) => return Err(mismatch(by.sign(), &[&one, &other])),
        };
        result.ok_or(Fault::OutOfRange)
    }
}

impl Arithmetic {
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Add => "`+`",
            Self::Subtract => "`-`",
            Self::Multiply => "`*`",
            Self::Divide => "`/`",
            Self::Remainder => "`%`",
        }
    }
}

/// That an operator or a function does not take values of these types.
pub(super) fn mismatch(operation: &'static str, found: &[&Value<'_>]) -> Fault {
    let found: Vec<_> = found.iter().map(|value| value.type_name()).collect();
    Fault::TypeMismatch { operation, found: found.join(" and ") }
}

/// Compares without rounding, as not every integer is a double.
fn compare_numbers(int: i64, double: f64) -> Option<Ordering> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;

    if double.is_nan() {
        None
    } else if double >= BEYOND {
        Some(Ordering::Less)
    } else if double < -BEYOND {
        Some(Ordering::Greater)
    } else {
        #[expect(clippy::cast_possible_truncation, reason = "it was made sure that the whole part fits")]
        let whole = double.trunc() as i64;
        Some(int.cmp(&whole).then_with(|| 0.0_f64.total_cmp(&(double.fract() + 0.0))))
    }
}
