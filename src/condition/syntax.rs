//! The grammar of CEL, as far as conditions use it: from a text to an expression of which only the form is known.
//!
//! Nothing of a text can exhaust the stack: what is nested in brackets, signs and choices is bounded here, and chains of
//! operators and selections are followed without recursion.

mod tokens;

use super::Invalid;
use tokens::{Token, tokens};

/// How deep an expression is nested at the most.
pub(super) const MAX_DEPTH: usize = 32;

/// An expression of which only the form is known.
#[derive(Debug)]
pub(super) enum Expression<'t> {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    String(String),
    Name(&'t str),
    List(Vec<Self>),
    Select(Box<Self>, &'t str),
    Index(Box<[Self; 2]>),
    Not(Box<Self>),
    Negate(Box<Self>),
    Binary(Operator, Box<[Self; 2]>),
    /// If, then, else.
    Choice(Box<[Self; 3]>),
    /// A function, or a macro, with what it is called on where it is called on something.
    Call {
        target: Option<Box<Self>>,
        name: &'t str,
        arguments: Vec<Self>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    /// As it is written.
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }

    /// The operator that a token is, and how strongly it binds.
    fn of(token: &Token<'_>) -> Option<(Self, u8)> {
        Some(match *token {
            Token::Sign("||") => (Self::Or, 0),
            Token::Sign("&&") => (Self::And, 1),
            Token::Sign("==") => (Self::Equal, 2),
            Token::Sign("!=") => (Self::NotEqual, 2),
            Token::Sign("<") => (Self::Less, 2),
            Token::Sign("<=") => (Self::LessOrEqual, 2),
            Token::Sign(">") => (Self::Greater, 2),
            Token::Sign(">=") => (Self::GreaterOrEqual, 2),
            Token::Word("in") => (Self::In, 2),
            Token::Sign("+") => (Self::Add, 3),
            Token::Sign("-") => (Self::Subtract, 3),
            Token::Sign("*") => (Self::Multiply, 4),
            Token::Sign("/") => (Self::Divide, 4),
            Token::Sign("%") => (Self::Remainder, 4),
            _ => return None,
        })
    }
}

/// Binds more strongly than any operator between two operands.
const STRONGEST: u8 = 5;

/// Words that are no names.
const RESERVED: [&str; 20] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
];

/// Reads a text as an expression.
pub(super) fn parse(text: &str) -> Result<Expression<'_>, Invalid> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0 };
    let expression = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(expression),
        _ => Err(parser.unexpected("the end")),
    }
}

struct Parser<'t> {
    /// Each with where it begins, in characters from 1; the last is [`Token::End`].
    tokens: Vec<(Token<'t>, usize)>,
    next: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> &Token<'t> {
        self.tokens.get(self.next).map_or(&Token::End, |(token, _)| token)
    }

    fn take(&mut self) -> Token<'t> {
        let token = self.tokens.get_mut(self.next).map(|(token, _)| std::mem::replace(token, Token::End));
        self.next += 1;
        token.unwrap_or(Token::End)
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.peek(), Token::Sign(next) if *next == sign);
        self.next += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), Invalid> {
        if self.takes(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn unexpected(&self, wanted: &str) -> Invalid {
        let at = self.tokens.get(self.next).or(self.tokens.last()).map_or(0, |(_, at)| *at);
        Invalid(format!("is no CEL expression: {} at character {at}, where {wanted} is expected", self.peek()))
    }

    /// What is within brackets or otherwise a whole.
    fn expression(&mut self) -> Result<Expression<'t>, Invalid> {
        self.deeper()?;
        let condition = self.operands(0)?;
        let expression = if self.takes("?") {
            let then = self.operands(0)?;
            self.expect(":")?;
            Expression::Choice(Box::new([condition, then, self.expression()?]))
        } else {
            condition
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn deeper(&mut self) -> Result<(), Invalid> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(too_deep()) } else { Ok(()) }
    }

    /// Operands between operators that bind at least so strongly.
    fn operands(&mut self, least: u8) -> Result<Expression<'t>, Invalid> {
        if least == STRONGEST {
            return self.signed();
        }
        let mut operands = vec![self.operands(least + 1)?];
        while let Some((operator, _)) = Operator::of(self.peek()).filter(|(_, strength)| *strength == least) {
            self.next += 1;
            let operand = self.operands(least + 1)?;
            if matches!(operator, Operator::And | Operator::Or) {
                operands.push(operand);
            } else {
                let before = operands.pop().unwrap_or(Expression::Null);
                operands.push(Expression::Binary(operator, Box::new([before, operand])));
            }
        }
        let operator = if least == 0 { Operator::Or } else { Operator::And };
        Ok(balanced(operator, operands))
    }

    fn signed(&mut self) -> Result<Expression<'t>, Invalid> {
        for sign in ["!", "-"] {
            if self.takes(sign) {
                self.deeper()?;
                // The least integer has no positive counterpart.
                let operand = match self.peek() {
                    Token::Int(digits) if sign == "-" => {
                        let number = tokens::integer(digits, true);
                        let number = number.map(Expression::Int).ok_or_else(|| self.unexpected("a smaller number"))?;
                        self.next += 1;
                        self.members(number)?
                    }
                    _ if sign == "-" => Expression::Negate(Box::new(self.signed()?)),
                    _ => Expression::Not(Box::new(self.signed()?)),
                };
                self.depth -= 1;
                return Ok(operand);
            }
        }
        let primary = self.primary()?;
        self.members(primary)
    }

    /// What is selected of an expression or called on it.
    fn members(&mut self, mut of: Expression<'t>) -> Result<Expression<'t>, Invalid> {
        loop {
            if self.takes(".") {
                let name = match self.peek() {
                    Token::Word(name) if !matches!(*name, "true" | "false" | "null" | "in") => *name,
                    _ => return Err(self.unexpected("a name")),
                };
                self.next += 1;
                of = if self.takes("(") {
                    Expression::Call { target: Some(Box::new(of)), name, arguments: self.list(")")? }
                } else {
                    Expression::Select(Box::new(of), name)
                };
            } else if self.takes("[") {
                let index = self.expression()?;
                self.expect("]")?;
                of = Expression::Index(Box::new([of, index]));
            } else {
                return Ok(of);
            }
        }
    }

    fn primary(&mut self) -> Result<Expression<'t>, Invalid> {
        let expression = match self.peek() {
            Token::Word("null") => Expression::Null,
            Token::Word("true") => Expression::Bool(true),
            Token::Word("false") => Expression::Bool(false),
            Token::Word(name) if !RESERVED.contains(name) => {
                let name = *name;
                self.next += 1;
                return Ok(if self.takes("(") {
                    Expression::Call { target: None, name, arguments: self.list(")")? }
                } else {
                    Expression::Name(name)
                });
            }
            Token::Int(digits) => {
                let number = tokens::integer(digits, false);
                number.map(Expression::Int).ok_or_else(|| self.unexpected("a smaller number"))?
            }
            Token::Double(number) => Expression::Double(*number),
            Token::String(_) => match self.take() {
                Token::String(text) => return Ok(Expression::String(text)),
                _ => Expression::Null,
            },
            Token::Sign("(") => {
                self.next += 1;
                let expression = self.expression()?;
                self.expect(")")?;
                return Ok(expression);
            }
            Token::Sign("[") => {
                self.next += 1;
                return self.list("]").map(Expression::List);
            }
            Token::Sign("{") => return Err(Invalid("makes a map, which conditions do not".to_owned())),
            _ => return Err(self.unexpected("a value")),
        };
        self.next += 1;
        Ok(expression)
    }

    /// Expressions up to a bracket, which is taken too.
    fn list(&mut self, end: &'static str) -> Result<Vec<Expression<'t>>, Invalid> {
        let mut all = Vec::new();
        while !self.takes(end) {
            if !all.is_empty() {
                self.expect(",")?;
                // CEL lets a list end with a comma.
                if end == "]" && self.takes(end) {
                    break;
                }
            }
            all.push(self.expression()?);
        }
        Ok(all)
    }
}

/// Joins operands whose grouping does not matter, so that many of them are not nested deeply.
fn balanced(operator: Operator, mut operands: Vec<Expression<'_>>) -> Expression<'_> {
    if operands.len() > 1 {
        let others = operands.split_off(operands.len() / 2);
        return Expression::Binary(operator, Box::new([balanced(operator, operands), balanced(operator, others)]));
    }
    operands.pop().unwrap_or(Expression::Null)
}

pub(super) fn too_deep() -> Invalid {
    Invalid(format!("is nested more than {MAX_DEPTH} deep; make it flatter"))
}
