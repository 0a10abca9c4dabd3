//! From a text to a program, or what is wrong with it.

use jiff::tz::Offset;
use regex::bytes::RegexBuilder;

use super::{
    ASSUMED_ELEMENTS, Invalid, MAX_LENGTH, MAX_STEPS, evaluate,
    evaluate::STEPS_A_MATCHED_BYTE,
    program::{Arithmetic, Comparison, Function, Literal, Node, Part, Quantifier, Ranged, Root},
    syntax::{self, Expression, MAX_DEPTH, Operator},
    types::Type,
};

/// How many bytes a compiled regular expression takes at the most.
const MAX_PATTERN: usize = 16 * 1024;

/// How many bytes the texts are taken to have that are matched, where the cost is judged in advance.
const ASSUMED_MATCHED: u32 = 64;

/// Compiles a condition, and says how many variables are there at a time.
pub(super) fn compile(text: &str) -> Result<(Node, usize), Invalid> {
    let length = text.chars().count();
    if text.trim().is_empty() {
        return Err(Invalid("is empty".to_owned()));
    }
    if length > MAX_LENGTH {
        return Err(Invalid(format!("has {length} characters: use at most {MAX_LENGTH}")));
    }
    let parsed = syntax::parse(text)?;
    let mut compiler = Compiler::default();
    let Compiled { node, of, cost } = compiler.compile(&parsed)?;
    if !of.may_be(&Type::Bool) {
        return Err(Invalid(format!("is {}: it must be true or false", of.name())));
    }
    if cost > MAX_STEPS {
        return Err(Invalid(format!(
            "may take {cost} steps for lists of {ASSUMED_ELEMENTS} elements, but {MAX_STEPS} are the most; nest fewer \
             `all`, `exists` and `exists_one`"
        )));
    }
    Ok((node, compiler.variables))
}

/// A part of the program.
struct Compiled {
    node: Node,
    of: Type,
    /// How many steps it takes at the most, if lists have as many elements as is assumed and texts are short.
    cost: u32,
}

impl Compiled {
    /// How many elements it has, if it is a list.
    fn elements(&self) -> u32 {
        match &self.node {
            Node::List(elements) => u32::try_from(elements.len()).unwrap_or(u32::MAX),
            _ => ASSUMED_ELEMENTS,
        }
    }

    /// The same, if it may be where its elements are not seen: there, a list is taken to have as many as is assumed.
    fn unseen(self) -> Outcome {
        match &self.node {
            Node::List(elements) if self.elements() > ASSUMED_ELEMENTS => Err(Invalid(format!(
                "has a list of {} elements in another list or in a choice, where {ASSUMED_ELEMENTS} are the most",
                elements.len()
            ))),
            _ => Ok(self),
        }
    }
}

#[derive(Default)]
struct Compiler<'a> {
    /// The variables of the quantifiers around, the innermost last.
    scope: Vec<(&'a str, Type)>,
    /// The most that were there at a time.
    variables: usize,
    depth: usize,
}

type Outcome = Result<Compiled, Invalid>;

impl<'a> Compiler<'a> {
    fn compile(&mut self, expression: &'a Expression<'a>) -> Outcome {
        if self.depth == MAX_DEPTH {
            return Err(syntax::too_deep());
        }
        self.depth += 1;
        let compiled = match expression {
            Expression::Null => Ok(literal(Literal::Null, Type::Null)),
            Expression::Bool(it) => Ok(literal(Literal::Bool(*it), Type::Bool)),
            Expression::Int(it) => Ok(literal(Literal::Int(*it), Type::Int)),
            Expression::Double(it) => Ok(literal(Literal::Double(*it), Type::Double)),
            Expression::String(it) => Ok(literal(Literal::String(it.as_str().into()), Type::String)),
            Expression::Name(name) => self.name(name),
            Expression::List(elements) => self.list(elements),
            Expression::Select(operand, key) => self.select(operand, key, false),
            Expression::Index(operands) => {
                let [operand, index] = self.both(operands)?;
                indexed(operand, index)
            }
            Expression::Not(operand) => not(self.compile(operand)?),
            Expression::Negate(operand) => negated(self.compile(operand)?),
            Expression::Binary(operator, operands) => {
                let [one, other] = self.both(operands)?;
                binary(*operator, one, other)
            }
            Expression::Choice(choice) => self.choice(choice),
            Expression::Call { target: None, name: "has", arguments } => match &arguments[..] {
                [Expression::Select(operand, key)] => self.select(operand, key, true),
                _ => Err(Invalid("calls `has` with something else than a selection such as context.key".to_owned())),
            },
            Expression::Call { target: Some(target), name, arguments } => match (*name, &arguments[..]) {
                ("all", [Expression::Name(variable), predicate]) => {
                    self.quantify(Quantifier::All, target, variable, predicate)
                }
                ("exists", [Expression::Name(variable), predicate]) => {
                    self.quantify(Quantifier::Some, target, variable, predicate)
                }
                ("exists_one" | "existsOne", [Expression::Name(variable), predicate]) => {
                    self.quantify(Quantifier::One, target, variable, predicate)
                }
                ("map" | "filter", _) => {
                    Err(Invalid("uses `map` or `filter`; use `all`, `exists` or `exists_one`".to_owned()))
                }
                (name, arguments) => self.called_on(target, name, arguments),
            },
            Expression::Call { target: None, name, arguments } => self.called(name, arguments),
        };
        self.depth -= 1;
        compiled
    }

    fn both(&mut self, [one, other]: &'a [Expression<'a>; 2]) -> Result<[Compiled; 2], Invalid> {
        Ok([self.compile(one)?, self.compile(other)?])
    }

    fn list(&mut self, elements: &'a [Expression<'a>]) -> Outcome {
        let (mut nodes, mut of, mut cost) = (Vec::new(), None, 1_u32);
        for element in elements {
            let element = self.compile(element)?.unseen()?;
            cost = cost.saturating_add(element.cost);
            of = Some(of.map_or_else(|| element.of.clone(), |of: Type| of.or(&element.of)));
            nodes.push(element.node);
        }
        let of = Type::List(Box::new(of.unwrap_or(Type::Unknown)));
        Ok(Compiled { node: Node::List(nodes.into()), of, cost })
    }

    fn choice(&mut self, [condition, then, otherwise]: &'a [Expression<'a>; 3]) -> Outcome {
        let condition = self.compile(condition)?;
        let (then, otherwise) = (self.compile(then)?.unseen()?, self.compile(otherwise)?.unseen()?);
        if !condition.of.may_be(&Type::Bool) {
            return Err(Invalid(format!("has {} before `?`", condition.of.name())));
        }
        let cost = 1_u32.saturating_add(condition.cost).saturating_add(then.cost.max(otherwise.cost));
        let of = then.of.or(&otherwise.of);
        let node = Node::Choice(Box::new([condition.node, then.node, otherwise.node]));
        Ok(Compiled { node, of, cost })
    }

    fn name(&self, name: &str) -> Outcome {
        if let Some(place) = self.scope.iter().rposition(|(variable, _)| *variable == name) {
            let of = self.scope[place].1.clone();
            let cost = if matches!(of, Type::List(_)) { 1 + ASSUMED_ELEMENTS } else { 1 };
            return Ok(Compiled { node: Node::Variable(place), of, cost });
        }
        match name {
            "now" => Ok(leaf(Node::Now, Type::Timestamp)),
            "context" => Ok(leaf(Node::Root(Root::Context), Type::Map)),
            "subject" | "resource" | "action" => {
                Err(Invalid(format!("uses `{name}` itself, of which only `{name}.properties` is known")))
            }
            _ => Err(Invalid(format!(
                "uses `{name}`, which is unknown: there are subject.properties, resource.properties, \
                 action.properties, context and now"
            ))),
        }
    }

    /// The value of a key, or whether it is there.
    fn select(&mut self, operand: &'a Expression<'a>, field: &str, test: bool) -> Outcome {
        if let Some(root) = self.root(operand) {
            return if field != "properties" {
                Err(Invalid(format!("uses `{root}.{field}`, but of `{root}` only `{root}.properties` is known")))
            } else if test {
                Err(Invalid(format!("asks for has({root}.properties), which always is there; name a property")))
            } else {
                let root = match root {
                    "subject" => Root::Subject,
                    "resource" => Root::Resource,
                    _ => Root::Action,
                };
                Ok(leaf(Node::Root(root), Type::Map))
            };
        }
        let Compiled { node, of, cost } = self.compile(operand)?;
        if !of.may_be(&Type::Map) {
            return Err(Invalid(format!("selects `{field}` of {}", of.name())));
        }
        let (operand, key) = (Box::new(node), field.into());
        let (node, of) =
            if test { (Node::Has(operand, key), Type::Bool) } else { (Node::Select(operand, key), Type::Unknown) };
        Ok(Compiled { node, of, cost: cost.saturating_add(1) })
    }

    /// What has `properties`.
    fn root(&self, expression: &Expression<'a>) -> Option<&'a str> {
        match expression {
            Expression::Name(name) if matches!(*name, "subject" | "resource" | "action") => {
                let is_variable = self.scope.iter().any(|(variable, _)| variable == name);
                (!is_variable).then_some(name)
            }
            _ => None,
        }
    }

    fn called(&mut self, name: &str, arguments: &'a [Expression<'a>]) -> Outcome {
        match (name, arguments) {
            ("size", [of]) => size(self.compile(of)?),
            ("matches", [of, pattern]) => matches(self.compile(of)?, literal_text(pattern)),
            (_, [of]) => converted(name, self.compile(of)?, literal_text(of)),
            _ => Err(unknown_function(name)),
        }
    }

    fn called_on(&mut self, target: &'a Expression<'a>, name: &str, arguments: &'a [Expression<'a>]) -> Outcome {
        let target = self.compile(target)?;
        match (name, part_named(name), arguments) {
            ("size", _, []) => size(target),
            ("matches", _, [pattern]) => matches(target, literal_text(pattern)),
            ("contains", _, [part]) => of_texts(Function::Contains, target, self.compile(part)?),
            ("startsWith", _, [start]) => of_texts(Function::StartsWith, target, self.compile(start)?),
            ("endsWith", _, [end]) => of_texts(Function::EndsWith, target, self.compile(end)?),
            (_, Some(part), []) => part_of(part, target, Some("UTC")),
            (_, Some(part), [zone]) => part_of(part, target, literal_text(zone)),
            _ => Err(unknown_function(name)),
        }
    }

    fn quantify(
        &mut self,
        quantifier: Quantifier,
        range: &'a Expression<'a>,
        variable: &'a str,
        predicate: &'a Expression<'a>,
    ) -> Outcome {
        let range = self.compile(range)?;
        let elements = range.elements();
        // The keys of a map are gathered first.
        let keys = if matches!(range.of, Type::List(_)) { 0 } else { elements };
        let of = match range.of {
            Type::List(of) => *of,
            Type::Map => Type::String,
            Type::Unknown => Type::Unknown,
            other => return Err(Invalid(format!("looks for the elements of {}", other.name()))),
        };
        let place = self.scope.len();
        self.scope.push((variable, of));
        self.variables = self.variables.max(self.scope.len());
        let predicate = self.compile(predicate);
        self.scope.pop();
        let predicate = predicate?;
        if !predicate.of.may_be(&Type::Bool) {
            return Err(Invalid(format!("has {} as a predicate", predicate.of.name())));
        }
        let cost = predicate.cost.saturating_mul(elements).saturating_add(range.cost).saturating_add(1 + keys);
        let ranged = Ranged { range: range.node, predicate: predicate.node, variable: place };
        Ok(Compiled { node: Node::Quantify(quantifier, Box::new(ranged)), of: Type::Bool, cost })
    }
}

const fn leaf(node: Node, of: Type) -> Compiled {
    Compiled { node, of, cost: 1 }
}

const fn literal(literal: Literal, of: Type) -> Compiled {
    leaf(Node::Literal(literal), of)
}

fn literal_text<'a>(expression: &'a Expression<'_>) -> Option<&'a str> {
    match expression {
        Expression::String(text) => Some(text),
        _ => None,
    }
}

fn not(operand: Compiled) -> Outcome {
    let Compiled { node, of, cost } = operand;
    if !of.may_be(&Type::Bool) {
        return Err(Invalid(format!("puts `!` on {}", of.name())));
    }
    Ok(Compiled { node: Node::Not(Box::new(node)), of: Type::Bool, cost: cost.saturating_add(1) })
}

fn negated(operand: Compiled) -> Outcome {
    let Compiled { node, of, cost } = operand;
    if !(of.may_be(&Type::Int) || of.may_be(&Type::Double)) {
        return Err(Invalid(format!("puts `-` on {}", of.name())));
    }
    Ok(Compiled { node: Node::Negate(Box::new(node)), of, cost: cost.saturating_add(1) })
}

fn indexed(operand: Compiled, index: Compiled) -> Outcome {
    let cost = operand.cost.saturating_add(index.cost).saturating_add(1);
    let (fits, of) = match &operand.of {
        Type::List(of) => (index.of.may_be(&Type::Int), (**of).clone()),
        Type::Map => (index.of.may_be(&Type::String), Type::Unknown),
        of => (*of == Type::Unknown, Type::Unknown),
    };
    if !fits {
        return Err(Invalid(format!("puts `[]` on {} and {}", operand.of.name(), index.of.name())));
    }
    Ok(Compiled { node: Node::Index(Box::new(operand.node), Box::new(index.node)), of, cost })
}

/// A function that makes a value into one of another type. What is written out is made into it at once.
fn converted(name: &str, one: Compiled, text: Option<&str>) -> Outcome {
    let Compiled { node, of, cost } = one;
    let (function, wanted, result) = match name {
        "int" => (Function::Int, &[Type::Int, Type::Double, Type::String, Type::Timestamp][..], Type::Int),
        "double" => (Function::Double, &[Type::Int, Type::Double, Type::String][..], Type::Double),
        "string" => {
            (Function::String, &[Type::Bool, Type::Int, Type::Double, Type::String, Type::Timestamp][..], Type::String)
        }
        "timestamp" => {
            if let Some(text) = text {
                let at = evaluate::timestamp(text);
                let at = at.ok_or_else(|| Invalid(format!("has timestamp(\"{text}\"), which is no instant")))?;
                return Ok(leaf(Node::Literal(Literal::Timestamp(at)), Type::Timestamp));
            }
            (Function::Timestamp, &[Type::Int, Type::String, Type::Timestamp][..], Type::Timestamp)
        }
        "duration" => {
            if let Some(text) = text {
                let duration = evaluate::duration(text);
                let duration =
                    duration.ok_or_else(|| Invalid(format!("has duration(\"{text}\"), which is no duration")))?;
                return Ok(leaf(Node::Literal(Literal::Duration(duration)), Type::Duration));
            }
            (Function::Duration, &[Type::String, Type::Duration][..], Type::Duration)
        }
        _ => return Err(unknown_function(name)),
    };
    if !wanted.iter().any(|wanted| of.may_be(wanted)) {
        return Err(Invalid(format!("calls `{name}` with {}", of.name())));
    }
    Ok(Compiled { node: Node::Call(function, Box::new(node), None), of: result, cost: cost.saturating_add(1) })
}

fn binary(operator: Operator, one: Compiled, other: Compiled) -> Outcome {
    enum Sort {
        Arithmetic(Arithmetic),
        Comparison(Comparison),
        Other,
    }
    let sort = match operator {
        Operator::Add => Sort::Arithmetic(Arithmetic::Add),
        Operator::Subtract => Sort::Arithmetic(Arithmetic::Subtract),
        Operator::Multiply => Sort::Arithmetic(Arithmetic::Multiply),
        Operator::Divide => Sort::Arithmetic(Arithmetic::Divide),
        Operator::Remainder => Sort::Arithmetic(Arithmetic::Remainder),
        Operator::Less => Sort::Comparison(Comparison::Less),
        Operator::LessOrEqual => Sort::Comparison(Comparison::LessOrEqual),
        Operator::Greater => Sort::Comparison(Comparison::Greater),
        Operator::GreaterOrEqual => Sort::Comparison(Comparison::GreaterOrEqual),
        Operator::Or | Operator::And | Operator::Equal | Operator::NotEqual | Operator::In => Sort::Other,
    };
    let (left, right) = (&one.of, &other.of);
    let of = match (&sort, operator) {
        (Sort::Arithmetic(arithmetic), _) => left.calculated(*arithmetic, right),
        (Sort::Comparison(_), _) => left.may_compare(right).then_some(Type::Bool),
        (_, Operator::Equal | Operator::NotEqual) => left.may_equal(right).then_some(Type::Bool),
        (_, Operator::In) => {
            let fits = match right {
                Type::List(of) => of.may_equal(left),
                Type::Map => left.may_be(&Type::String),
                right => *right == Type::Unknown,
            };
            fits.then_some(Type::Bool)
        }
        _ => (left.may_be(&Type::Bool) && right.may_be(&Type::Bool)).then_some(Type::Bool),
    };
    let of =
        of.ok_or_else(|| Invalid(format!("puts `{}` on {} and {}", operator.sign(), one.of.name(), other.of.name())))?;
    // Where nothing is known of either side, they are taken to be no lists: most are not, and the evaluation is bounded as well.
    let is_list = |of: &Type| matches!(of, Type::List(_));
    let compared = match operator {
        Operator::In if *right != Type::Map => other.elements().saturating_mul(steps_an_element(right)),
        Operator::Equal | Operator::NotEqual if is_list(left) || is_list(right) => {
            let steps = steps_an_element(left).max(steps_an_element(right));
            one.elements().min(other.elements()).saturating_mul(steps)
        }
        _ => 0,
    };
    // `!=` is `!` and `==`.
    let parts = if operator == Operator::NotEqual { 2 } else { 1 };
    let cost = one.cost.saturating_add(other.cost).saturating_add(compared).saturating_add(parts);
    let (one, other) = (Box::new(one.node), Box::new(other.node));
    let node = match (sort, operator) {
        (Sort::Arithmetic(arithmetic), _) => Node::Calculate(arithmetic, one, other),
        (Sort::Comparison(comparison), _) => Node::Compare(comparison, one, other),
        (_, Operator::Equal) => Node::Equal(one, other),
        (_, Operator::NotEqual) => Node::Not(Box::new(Node::Equal(one, other))),
        (_, Operator::In) => Node::In(one, other),
        (_, Operator::And) => Node::And(one, other),
        _ => Node::Or(one, other),
    };
    Ok(Compiled { node, of, cost })
}

/// How many steps it takes to compare an element of what has that type.
fn steps_an_element(of: &Type) -> u32 {
    match of {
        Type::List(of) if matches!(**of, Type::List(_)) => {
            ASSUMED_ELEMENTS.saturating_mul(steps_an_element(of)).saturating_add(1)
        }
        _ => 1,
    }
}

fn size(one: Compiled) -> Outcome {
    let Compiled { node, of, cost } = one;
    if !matches!(of, Type::Unknown | Type::String | Type::List(_) | Type::Map) {
        return Err(Invalid(format!("asks for the size of {}", of.name())));
    }
    Ok(Compiled { node: Node::Call(Function::Size, Box::new(node), None), of: Type::Int, cost: cost.saturating_add(1) })
}

fn of_texts(function: Function, one: Compiled, other: Compiled) -> Outcome {
    if !(one.of.may_be(&Type::String) && other.of.may_be(&Type::String)) {
        return Err(Invalid(format!("calls {} with {} and {}", function.name(), one.of.name(), other.of.name())));
    }
    let cost = one.cost.saturating_add(other.cost).saturating_add(1);
    Ok(Compiled { node: Node::Call(function, Box::new(one.node), Some(Box::new(other.node))), of: Type::Bool, cost })
}

fn matches(one: Compiled, pattern: Option<&str>) -> Outcome {
    if !one.of.may_be(&Type::String) {
        return Err(Invalid(format!("calls `matches` on {}", one.of.name())));
    }
    let pattern = pattern.ok_or_else(|| Invalid("calls `matches` with a pattern that is no literal".to_owned()))?;
    // Byte by byte, so that classes are those of ASCII, as RE2 has them, and programs stay small.
    let mut builder = RegexBuilder::new(pattern);
    builder.unicode(false).size_limit(MAX_PATTERN).dfa_size_limit(MAX_PATTERN).nest_limit(16);
    let regex = builder.build().map_err(|error| {
        let message = error.to_string();
        let problem = message.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Invalid(format!("has a pattern that cannot be used: {problem}"))
    })?;
    let cost = one.cost.saturating_add(1 + ASSUMED_MATCHED * STEPS_A_MATCHED_BYTE);
    Ok(Compiled { node: Node::Matches(Box::new(one.node), Box::new(regex)), of: Type::Bool, cost })
}

fn part_named(name: &str) -> Option<Part> {
    Some(match name {
        "getFullYear" => Part::Year,
        "getMonth" => Part::Month,
        "getDate" => Part::Date,
        "getDayOfMonth" => Part::DayOfMonth,
        "getDayOfWeek" => Part::DayOfWeek,
        "getDayOfYear" => Part::DayOfYear,
        "getHours" => Part::Hours,
        "getMinutes" => Part::Minutes,
        "getSeconds" => Part::Seconds,
        "getMilliseconds" => Part::Milliseconds,
        _ => return None,
    })
}

fn part_of(part: Part, one: Compiled, zone: Option<&str>) -> Outcome {
    if !one.of.may_be(&Type::Timestamp) {
        return Err(Invalid(format!("asks for a part of an instant of {}", one.of.name())));
    }
    let offset = zone.and_then(offset_of).ok_or_else(|| {
        Invalid("names a time zone that is unknown: use \"UTC\" or a distance from it such as \"+02:00\"".to_owned())
    })?;
    let node = Node::Call(Function::Part(part, offset), Box::new(one.node), None);
    Ok(Compiled { node, of: Type::Int, cost: one.cost.saturating_add(1) })
}

/// `UTC`, or hours and minutes east of it.
fn offset_of(zone: &str) -> Option<Offset> {
    if zone == "UTC" {
        return Some(Offset::UTC);
    }
    let (sign, distance) = match zone.strip_prefix('-') {
        Some(distance) => (-1, distance),
        None => (1, zone.strip_prefix('+').unwrap_or(zone)),
    };
    let (hours, minutes) = distance.split_once(':')?;
    let number = |text: &str| text.parse::<i32>().ok().filter(|_| text.len() == 2 && !text.starts_with('+'));
    let (hours, minutes) = (number(hours)?, number(minutes).filter(|minutes| *minutes < 60)?);
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

fn unknown_function(name: &str) -> Invalid {
    Invalid(format!("calls `{name}`, which is unknown with these arguments"))
}
