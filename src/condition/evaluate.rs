//! Running a program, within a budget.

use std::{borrow::Cow, cmp::Ordering, sync::LazyLock};

use jiff::{SignedDuration, Timestamp, tz::Offset};
use regex::bytes::Regex;
use serde_json::{Map, Value as Json};

use super::{
    Fault, MAX_STEPS,
    given::Given,
    program::{Comparison, Function, Node, Part, Quantifier, Ranged, Root},
    value::{Elements, Value, mismatch},
};

/// How many bytes of a text are looked at in one step.
const BYTES_A_STEP: usize = 64;

/// How many steps it takes to match one byte against a pattern.
pub(super) const STEPS_A_MATCHED_BYTE: u32 = 8;

/// How many bytes a text that is matched against a pattern has at the most.
pub(super) const MAX_MATCHED: usize = 1024;

/// What a question tells that tells nothing.
static NOTHING: LazyLock<Map<String, Json>> = LazyLock::new(Map::new);

type Evaluated<'a> = Result<Value<'a>, Fault>;

/// One run of a program.
#[derive(Debug)]
pub(super) struct Evaluation<'a> {
    now: Timestamp,
    given: Option<&'a Given<'a>>,
    variables: Vec<Value<'a>>,
    steps_left: u32,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(now: Timestamp, given: Option<&'a Given<'a>>, variables: usize) -> Self {
        Self { now, given, variables: vec![Value::Null; variables], steps_left: MAX_STEPS }
    }

    /// The value of a part of the program.
    ///
    /// The recursion is as deep as the program, which is bounded.
    pub(super) fn value(&mut self, node: &'a Node) -> Evaluated<'a> {
        self.spend(1)?;
        match node {
            Node::Literal(literal) => Ok(literal.into()),
            Node::Root(root) => self.root(*root),
            Node::Now => Ok(Value::Timestamp(self.now)),
            Node::Variable(place) => {
                let value = self.variables.get(*place).cloned().ok_or(Fault::OutOfRange)?;
                self.spend_on(&value)?;
                Ok(value)
            }
            Node::List(elements) => {
                let elements: Result<_, _> = elements.iter().map(|element| self.value(element)).collect();
                Ok(Value::List(Elements::Written(elements?)))
            }
            Node::Select(operand, key) => {
                let found = self.entry(operand, key)?;
                found.map(Value::from).ok_or_else(|| no_such(key))
            }
            Node::Has(operand, key) => self.entry(operand, key).map(|found| Value::Bool(found.is_some())),
            Node::Not(operand) => self.truth(operand).map(|it| Value::Bool(!it)),
            Node::Negate(operand) => match self.value(operand)? {
                Value::Int(it) => it.checked_neg().map(Value::Int).ok_or(Fault::OutOfRange),
                Value::Double(it) => Ok(Value::Double(-it)),
                other => Err(mismatch("`-`", &[&other])),
            },
            Node::And(one, other) => self.decided_by(false, one, other),
            Node::Or(one, other) => self.decided_by(true, one, other),
            Node::Choice(choice) => {
                let [condition, then, otherwise] = &**choice;
                if self.truth(condition)? { self.value(then) } else { self.value(otherwise) }
            }
            Node::Equal(one, other) => {
                let (one, other) = (self.value(one)?, self.value(other)?);
                self.equal(&one, &other).map(Value::Bool)
            }
            Node::Compare(comparison, one, other) => {
                let (one, other) = (self.value(one)?, self.value(other)?);
                self.compare(*comparison, &one, &other).map(Value::Bool)
            }
            Node::Calculate(arithmetic, one, other) => {
                let (one, other) = (self.value(one)?, self.value(other)?);
                self.spend_on(&one)?;
                self.spend_on(&other)?;
                one.calculate(*arithmetic, other)
            }
            Node::Index(operand, index) => {
                let (operand, index) = (self.value(operand)?, self.value(index)?);
                self.spend_on(&index)?;
                element(&operand, &index)
            }
            Node::In(element, range) => {
                let (element, range) = (self.value(element)?, self.value(range)?);
                self.is_in(&element, &range).map(Value::Bool)
            }
            Node::Call(function, operand, argument) => {
                let operand = self.value(operand)?;
                let argument = argument.as_ref().map(|argument| self.value(argument)).transpose()?;
                self.call(*function, operand, argument)
            }
            Node::Matches(operand, pattern) => self.matches(operand, pattern).map(Value::Bool),
            Node::Quantify(quantifier, ranged) => self.quantify(*quantifier, ranged).map(Value::Bool),
        }
    }

    fn spend(&mut self, steps: u32) -> Result<(), Fault> {
        // What is left is spent by what is too much, so that nothing goes on after that.
        let left = self.steps_left.checked_sub(steps);
        self.steps_left = left.unwrap_or(0);
        left.map(|_| ()).ok_or(Fault::TooCostly)
    }

    /// Pays for looking at the whole of a text, or for a copy of a list that is written out with all that is in it.
    fn spend_on(&mut self, value: &Value<'_>) -> Result<(), Fault> {
        match value {
            Value::String(text) => self.spend_on_text(text),
            Value::List(Elements::Written(elements)) => elements.iter().try_for_each(|element| {
                self.spend(1)?;
                self.spend_on(element)
            }),
            _ => Ok(()),
        }
    }

    fn spend_on_text(&mut self, text: &str) -> Result<(), Fault> {
        self.spend(u32::try_from(text.len() / BYTES_A_STEP).unwrap_or(u32::MAX))
    }

    fn root(&self, root: Root) -> Evaluated<'a> {
        let properties = self.given.and_then(|given| match root {
            Root::Subject => given.subject,
            Root::Resource => given.resource,
            Root::Action => given.action,
            Root::Context => given.context,
        });
        properties.map_or(Ok(&*NOTHING), |properties| properties.read(root.name())).map(Value::Map)
    }

    /// What a map has under a key.
    fn entry(&mut self, operand: &'a Node, key: &str) -> Result<Option<&'a Json>, Fault> {
        match self.value(operand)? {
            Value::Map(map) => Ok(map.get(key)),
            other => Err(mismatch("the selection of a key", &[&other])),
        }
    }

    fn truth(&mut self, node: &'a Node) -> Result<bool, Fault> {
        match self.value(node)? {
            Value::Bool(it) => Ok(it),
            other => Err(mismatch("a logical operator", &[&other])),
        }
    }

    /// A conjunction (`decisive` is false) or disjunction (true): either side may decide, even if the other fails.
    fn decided_by(&mut self, decisive: bool, one: &'a Node, other: &'a Node) -> Evaluated<'a> {
        let first = self.truth(one);
        if first == Ok(decisive) {
            return Ok(Value::Bool(decisive));
        }
        match self.truth(other) {
            Ok(second) if second == decisive => Ok(Value::Bool(decisive)),
            second => first.and(second).map(Value::Bool),
        }
    }

    /// As deep as what the question tells, which the reader of JSON bounds.
    fn equal(&mut self, one: &Value<'_>, other: &Value<'_>) -> Result<bool, Fault> {
        match (one, other) {
            (Value::Null, Value::Null) => Ok(true),
            (Value::List(one), Value::List(other)) => {
                if one.len() != other.len() {
                    return Ok(false);
                }
                for index in 0..one.len() {
                    let (Some(one), Some(other)) = (one.get(index), other.get(index)) else { return Ok(false) };
                    self.spend(1)?;
                    if !self.equal(&one, &other)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Map(one), Value::Map(other)) => {
                if one.len() != other.len() {
                    return Ok(false);
                }
                for (key, one) in *one {
                    self.spend(1)?;
                    self.spend_on_text(key)?;
                    let Some(other) = other.get(key) else { return Ok(false) };
                    if !self.equal(&one.into(), &other.into())? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            _ => {
                self.spend_on(one)?;
                Ok(one.compare(other) == Some(Ordering::Equal))
            }
        }
    }

    fn compare(&mut self, comparison: Comparison, one: &Value<'_>, other: &Value<'_>) -> Result<bool, Fault> {
        if !one.is_comparable(other) {
            return Err(mismatch("a comparison", &[one, other]));
        }
        self.spend_on(one)?;
        // What is no number is neither less nor greater.
        Ok(one.compare(other).is_some_and(|ordering| match comparison {
            Comparison::Less => ordering.is_lt(),
            Comparison::LessOrEqual => ordering.is_le(),
            Comparison::Greater => ordering.is_gt(),
            Comparison::GreaterOrEqual => ordering.is_ge(),
        }))
    }

    fn is_in(&mut self, element: &Value<'_>, range: &Value<'_>) -> Result<bool, Fault> {
        match (element, range) {
            (element, Value::List(elements)) => {
                for index in 0..elements.len() {
                    let Some(other) = elements.get(index) else { break };
                    self.spend(1)?;
                    if self.equal(element, &other)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            (Value::String(key), Value::Map(map)) => {
                self.spend_on_text(key)?;
                Ok(map.contains_key(&**key))
            }
            (element, range) => Err(mismatch("`in`", &[element, range])),
        }
    }

    fn matches(&mut self, operand: &'a Node, pattern: &Regex) -> Result<bool, Fault> {
        match self.value(operand)? {
            Value::String(text) if text.len() > MAX_MATCHED => Err(Fault::TooCostly),
            Value::String(text) => {
                let bytes = u32::try_from(text.len()).unwrap_or(u32::MAX);
                self.spend(bytes.saturating_mul(STEPS_A_MATCHED_BYTE))?;
                Ok(pattern.is_match(text.as_bytes()))
            }
            other => Err(mismatch("`matches`", &[&other])),
        }
    }

    /// As conjunctions and disjunctions, one element may decide even if the predicate fails for another; of exactly one
    /// all must be known.
    fn quantify(&mut self, quantifier: Quantifier, ranged: &'a Ranged) -> Result<bool, Fault> {
        let Ranged { range, predicate, variable } = ranged;
        let elements = match self.value(range)? {
            Value::List(elements) => elements,
            Value::Map(map) => {
                self.spend(u32::try_from(map.len()).unwrap_or(u32::MAX))?;
                Elements::Written(map.keys().map(|key| Value::String(Cow::Borrowed(key))).collect())
            }
            other => return Err(mismatch("`all`, `exists` or `exists_one`", &[&other])),
        };
        let (mut fault, mut found) = (None, 0);
        for index in 0..elements.len() {
            if let (Some(element), Some(variable)) = (elements.get(index), self.variables.get_mut(*variable)) {
                *variable = element;
            }
            match (quantifier, self.truth(predicate)) {
                (Quantifier::All, Ok(false)) => return Ok(false),
                (Quantifier::Some, Ok(true)) => return Ok(true),
                (Quantifier::One, Err(fault)) | (_, Err(fault @ Fault::TooCostly)) => return Err(fault),
                (_, Ok(it)) => found += u32::from(it),
                (_, Err(other)) => fault = fault.or(Some(other)),
            }
        }
        match fault {
            Some(fault) => Err(fault),
            None => Ok(match quantifier {
                Quantifier::All => true,
                Quantifier::Some => false,
                Quantifier::One => found == 1,
            }),
        }
    }

    fn call(&mut self, function: Function, operand: Value<'a>, argument: Option<Value<'a>>) -> Evaluated<'a> {
        if let Value::String(text) = &operand {
            self.spend_on_text(text)?;
        }
        match (function, operand, argument) {
            (Function::Size, Value::String(text), None) => size(text.chars().count()),
            (Function::Size, Value::List(elements), None) => size(elements.len()),
            (Function::Size, Value::Map(map), None) => size(map.len()),
            (Function::Contains, Value::String(text), Some(Value::String(part))) => {
                Ok(Value::Bool(text.contains(&*part)))
            }
            (Function::StartsWith, Value::String(text), Some(Value::String(part))) => {
                Ok(Value::Bool(text.starts_with(&*part)))
            }
            (Function::EndsWith, Value::String(text), Some(Value::String(part))) => {
                Ok(Value::Bool(text.ends_with(&*part)))
            }
            (Function::Part(part, offset), Value::Timestamp(at), None) => Ok(Value::Int(part_of(part, offset, at))),
            (Function::Int, operand, None) => to_int(operand),
            (Function::Double, operand, None) => to_double(operand),
            (Function::String, operand, None) => to_string(operand),
            (Function::Timestamp, operand, None) => to_timestamp(operand),
            (Function::Duration, operand, None) => to_duration(operand),
            (function, operand, Some(argument)) => Err(mismatch(function.name(), &[&operand, &argument])),
            (function, operand, None) => Err(mismatch(function.name(), &[&operand])),
        }
    }
}

fn element<'a>(operand: &Value<'a>, index: &Value<'a>) -> Evaluated<'a> {
    match (operand, index) {
        (Value::List(elements), Value::Int(index)) => {
            let found = usize::try_from(*index).ok().and_then(|index| elements.get(index));
            found.ok_or(Fault::NoSuchElement { index: *index })
        }
        (Value::Map(map), Value::String(key)) => map.get(&**key).map(Value::from).ok_or_else(|| no_such(key)),
        (operand, index) => Err(mismatch("`[]`", &[operand, index])),
    }
}

/// Of the key, which may come from the question, no more is told than a person would read.
fn no_such(key: &str) -> Fault {
    Fault::NoSuchKey { key: key.chars().take(64).collect() }
}

fn size<'a>(size: usize) -> Evaluated<'a> {
    i64::try_from(size).map(Value::Int).map_err(|_| Fault::OutOfRange)
}

fn to_int(value: Value<'_>) -> Evaluated<'_> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;

    match value {
        Value::Int(_) => Ok(value),
        #[expect(clippy::cast_possible_truncation, reason = "the fraction is cut off, and the rest fits")]
        Value::Double(it) if (-BEYOND..BEYOND).contains(&it) => Ok(Value::Int(it as i64)),
        Value::Double(_) => Err(Fault::OutOfRange),
        Value::String(text) => text.parse().map(Value::Int).map_err(|_| Fault::Conversion { wanted: "an int" }),
        Value::Timestamp(at) => Ok(Value::Int(at.as_second())),
        other => Err(mismatch("`int`", &[&other])),
    }
}

fn to_double(value: Value<'_>) -> Evaluated<'_> {
    match value {
        Value::Double(_) => Ok(value),
        #[expect(clippy::cast_precision_loss, reason = "the nearest double is asked for")]
        Value::Int(it) => Ok(Value::Double(it as f64)),
        Value::String(text) => text.parse().map(Value::Double).map_err(|_| Fault::Conversion { wanted: "a double" }),
        other => Err(mismatch("`double`", &[&other])),
    }
}

fn to_string(value: Value<'_>) -> Evaluated<'_> {
    let text = match value {
        Value::String(_) => return Ok(value),
        Value::Bool(it) => it.to_string(),
        Value::Int(it) => it.to_string(),
        Value::Double(it) => it.to_string(),
        Value::Timestamp(at) => at.to_string(),
        other => return Err(mismatch("`string`", &[&other])),
    };
    Ok(Value::String(Cow::Owned(text)))
}

fn to_timestamp(value: Value<'_>) -> Evaluated<'_> {
    match value {
        Value::Timestamp(_) => Ok(value),
        Value::Int(seconds) => Timestamp::from_second(seconds).map(Value::Timestamp).map_err(|_| Fault::OutOfRange),
        Value::String(text) => {
            timestamp(&text).map(Value::Timestamp).ok_or(Fault::Conversion { wanted: "a timestamp" })
        }
        other => Err(mismatch("`timestamp`", &[&other])),
    }
}

fn to_duration(value: Value<'_>) -> Evaluated<'_> {
    match value {
        Value::Duration(_) => Ok(value),
        Value::String(text) => duration(&text).map(Value::Duration).ok_or(Fault::Conversion { wanted: "a duration" }),
        other => Err(mismatch("`duration`", &[&other])),
    }
}

/// An instant as RFC 3339 has it.
pub(super) fn timestamp(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// A duration as in `1h30m` or `2.5s`.
pub(super) fn duration(text: &str) -> Option<SignedDuration> {
    text.parse().ok()
}

fn part_of(part: Part, offset: Offset, at: Timestamp) -> i64 {
    let local = offset.to_datetime(at);
    match part {
        Part::Year => local.year().into(),
        Part::Month => i64::from(local.month()) - 1,
        Part::Date => local.day().into(),
        Part::DayOfMonth => i64::from(local.day()) - 1,
        Part::DayOfWeek => local.weekday().to_sunday_zero_offset().into(),
        Part::DayOfYear => i64::from(local.day_of_year()) - 1,
        Part::Hours => local.hour().into(),
        Part::Minutes => local.minute().into(),
        Part::Seconds => local.second().into(),
        Part::Milliseconds => local.millisecond().into(),
    }
}
