//! Conditions on role assignments: expressions of the Common Expression Language (CEL).
//!
//! A condition is compiled once, when its object is read, and evaluated by every question that meets its grant. What it
//! may say and what it may cost is judged when it is compiled, so that the admission webhook, a folder of manifests and
//! the watches of a cluster take exactly the same ones; `docs/conditions.md` tells it to people.
//!
//! Everything fails closed: what cannot be evaluated does not hold.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `syntax` | from a text to an expression of which only the form is known |
//! | `compile` | from that to a program, or what is wrong with it |
//! | `types` | what is known of values before there are any |
//! | `program` | what a text is compiled to |
//! | `evaluate` | running it, within a budget |
//! | `value` | the values of an evaluation: how they compare and what can be calculated with them |
//! | `shared` | one of each text for all assignments |
//! | `given` | what a question tells of itself |

mod compile;
mod evaluate;
mod given;
mod program;
mod shared;
mod syntax;
mod types;
mod value;

#[cfg(test)]
mod tests;

use std::fmt;

use jiff::Timestamp;

pub use given::{Given, Properties};

use evaluate::Evaluation;
use program::Node;
use value::Value;

/// How many characters a condition has at the most.
pub const MAX_LENGTH: usize = 1024;

/// How many bytes the JSON of one object of properties has at the most: conditions that look into a longer one fail.
pub const MAX_PROPERTIES: usize = 64 * 1024;

/// How many steps one evaluation takes at the most: one for every part of the expression that is reached, each time it
/// is reached, and for every 64 bytes of text that are compared, searched or joined.
pub const MAX_STEPS: u32 = 50_000;

/// How many elements a list of a question is taken to have where the cost of a condition is judged in advance.
pub const ASSUMED_ELEMENTS: u32 = 64;

/// A condition that can be evaluated. Two are equal if their texts are.
pub struct Condition {
    text: Box<str>,
    program: Node,
    /// How many variables are there at a time.
    variables: usize,
}

impl Condition {
    /// Compiles a condition.
    ///
    /// # Errors
    /// What is wrong with it: its syntax, a name or a function that is unknown, operands that do not fit, a result that
    /// is no truth value, or that it might cost too much.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let (program, variables) = compile::compile(text)?;
        Ok(Self { text: text.into(), program, variables })
    }

    /// The expression.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it holds at that instant for a question that tells this of itself.
    ///
    /// # Guarantees
    /// It takes [`MAX_STEPS`] steps at the most, whatever the question tells.
    ///
    /// # Errors
    /// Why it does not hold.
    pub fn holds(&self, now: Timestamp, given: Option<&Given<'_>>) -> Result<(), Unmet> {
        let mut evaluation = Evaluation::new(now, given, self.variables);
        match evaluation.value(&self.program) {
            Ok(Value::Bool(true)) => Ok(()),
            Ok(Value::Bool(false)) => Err(Unmet::False),
            Ok(other) => Err(Unmet::Failed(Fault::NotABool { found: other.type_name() })),
            Err(fault) => Err(Unmet::Failed(fault)),
        }
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Condition {}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condition({:?})", self.text)
    }
}

/// Why a text is no condition, in words that a person can act on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(String);

/// Why a condition does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unmet {
    /// It says no.
    #[error("does not hold")]
    False,
    /// It cannot be evaluated.
    #[error("failed: {0}")]
    Failed(Fault),
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Fault {
    /// A map, such as the properties of a question, has no such key.
    #[error("there is no `{key}`")]
    NoSuchKey {
        /// The key.
        key: String,
    },
    /// A list is shorter.
    #[error("a list has no element {index}")]
    NoSuchElement {
        /// The index.
        index: i64,
    },
    /// The operands or arguments are of types that this does not take.
    #[error("{operation} does not take {found}")]
    TypeMismatch {
        /// The operator or function.
        operation: &'static str,
        /// The types that it was given.
        found: String,
    },
    /// The result of the condition is no truth value.
    #[error("its result is {found}, not true or false")]
    NotABool {
        /// The type of the result.
        found: &'static str,
    },
    /// A text that cannot be converted.
    #[error("a value cannot be made into {wanted}")]
    Conversion {
        /// The type that was wanted.
        wanted: &'static str,
    },
    /// A number, an instant or a duration that is out of range, or a division by zero.
    #[error("a result is out of range")]
    OutOfRange,
    /// What the question tells is longer than is looked into.
    #[error("`{root}` has more than {MAX_PROPERTIES} bytes")]
    TooLong {
        /// What it tells it of.
        root: &'static str,
    },
    /// What the question tells cannot be read.
    #[error("`{root}` is no JSON object that can be used")]
    Unreadable {
        /// What it tells it of.
        root: &'static str,
    },
    /// The evaluation was broken off.
    #[error("it takes more than {MAX_STEPS} steps")]
    TooCostly,
}
