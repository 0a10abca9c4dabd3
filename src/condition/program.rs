//! What a text is compiled to: an expression of which every name and function is known.

use jiff::{SignedDuration, Timestamp, tz::Offset};
use regex::bytes::Regex;

/// A part of an expression.
#[derive(Debug)]
pub(super) enum Node {
    Literal(Literal),
    Root(Root),
    Now,
    /// The variable of a quantifier, by its place among those that are there.
    Variable(usize),
    List(Box<[Self]>),
    /// The value of a key that is a name.
    Select(Box<Self>, Box<str>),
    /// Whether there is such a key.
    Has(Box<Self>, Box<str>),
    Not(Box<Self>),
    Negate(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    /// If, then, else.
    Choice(Box<[Self; 3]>),
    Equal(Box<Self>, Box<Self>),
    Compare(Comparison, Box<Self>, Box<Self>),
    Calculate(Arithmetic, Box<Self>, Box<Self>),
    Index(Box<Self>, Box<Self>),
    In(Box<Self>, Box<Self>),
    Call(Function, Box<Self>, Option<Box<Self>>),
    Matches(Box<Self>, Box<Regex>),
    Quantify(Quantifier, Box<Ranged>),
}

#[derive(Debug)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    String(Box<str>),
    Timestamp(Timestamp),
    Duration(SignedDuration),
}

/// What a question tells of itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Root {
    Subject,
    Resource,
    Action,
    Context,
}

impl Root {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject.properties",
            Self::Resource => "resource.properties",
            Self::Action => "action.properties",
            Self::Context => "context",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// A function of one value, or of a value and a text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    Int,
    Double,
    String,
    Timestamp,
    Duration,
    /// A part of an instant as clocks and calendars at that distance from UTC have it.
    Part(Part, Offset),
}

impl Function {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Size => "`size`",
            Self::Contains => "`contains`",
            Self::StartsWith => "`startsWith`",
            Self::EndsWith => "`endsWith`",
            Self::Int => "`int`",
            Self::Double => "`double`",
            Self::String => "`string`",
            Self::Timestamp => "`timestamp`",
            Self::Duration => "`duration`",
            Self::Part(..) => "a part of an instant",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    Year,
    /// From 0.
    Month,
    /// Of the month, from 1.
    Date,
    /// Of the month, from 0.
    DayOfMonth,
    /// From 0, which is Sunday.
    DayOfWeek,
    /// From 0.
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

/// How many of the elements must be as the predicate says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Quantifier {
    All,
    Some,
    One,
}

#[derive(Debug)]
pub(super) struct Ranged {
    /// The list of the elements, or the map of which the keys are these.
    pub(super) range: Node,
    pub(super) predicate: Node,
    /// The place of the variable that is each of the elements in turn.
    pub(super) variable: usize,
}
