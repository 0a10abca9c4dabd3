//! The words, signs and literals of a text.

use std::fmt;

use crate::condition::Invalid;

/// A word, a sign or a literal.
#[derive(Debug)]
pub(super) enum Token<'t> {
    Word(&'t str),
    Sign(&'static str),
    /// Its digits, for whether it is in range depends on its sign.
    Int(&'t str),
    Double(f64),
    String(String),
    End,
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "`{word}`"),
            Self::Sign(sign) => write!(f, "`{sign}`"),
            Self::Int(_) | Self::Double(_) => f.write_str("a number"),
            Self::String(_) => f.write_str("a string"),
            Self::End => f.write_str("its end"),
        }
    }
}

/// Longer ones before those that they begin with.
const SIGNS: [&str; 24] = [
    "||", "&&", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")", "[", "]",
    "{", "}",
];

/// The tokens of a text, each with where it begins, in characters from 1; the last is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(Token<'_>, usize)>, Invalid> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if let Some(comment) = rest.strip_prefix("//") {
            rest = comment.find('\n').map_or("", |end| &comment[end..]);
            continue;
        }
        let at = text[..text.len() - rest.len()].chars().count() + 1;
        let Some(first) = rest.chars().next() else {
            tokens.push((Token::End, at));
            return Ok(tokens);
        };
        let (token, left) = if let Some((raw, quoted)) = quoted(rest) {
            string(quoted, raw, at)?
        } else if first == '_' || first.is_ascii_alphabetic() {
            let end = rest.find(|it: char| it != '_' && !it.is_ascii_alphanumeric()).unwrap_or(rest.len());
            (Token::Word(&rest[..end]), &rest[end..])
        } else if first.is_ascii_digit() || is_fraction(rest) {
            number(rest, at)?
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            (Token::Sign(sign), &rest[sign.len()..])
        } else {
            return Err(invalid(&format!("`{}`", first.escape_debug()), at));
        };
        tokens.push((token, at));
        rest = left;
    }
}

fn invalid(what: &str, at: usize) -> Invalid {
    Invalid(format!("is no CEL expression: {what} at character {at}"))
}

fn is_fraction(text: &str) -> bool {
    text.strip_prefix('.').is_some_and(|fraction| fraction.starts_with(|it: char| it.is_ascii_digit()))
}

/// An integer of decimal or hexadecimal digits.
pub(super) fn integer(digits: &str, negative: bool) -> Option<i64> {
    let (radix, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => (16, digits),
        None => (10, digits),
    };
    let number = i128::from(u64::from_str_radix(digits, radix).ok()?);
    i64::try_from(if negative { -number } else { number }).ok()
}

fn number(text: &str, at: usize) -> Result<(Token<'_>, &str), Invalid> {
    let digits = |text: &str| text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    let mut end = if text.starts_with("0x") || text.starts_with("0X") {
        2 + text[2..].find(|it: char| !it.is_ascii_hexdigit()).unwrap_or(text.len() - 2)
    } else {
        digits(text)
    };
    let mut is_integer = true;
    if is_fraction(&text[end..]) {
        end += 1 + digits(&text[end + 1..]);
        is_integer = false;
    }
    if let Some(exponent) = text[end..].strip_prefix(['e', 'E']) {
        let sign = usize::from(exponent.starts_with(['+', '-']));
        let length = digits(&exponent[sign..]);
        if length > 0 {
            end += 1 + sign + length;
            is_integer = false;
        }
    }
    let (number, left) = text.split_at(end);
    if is_integer && left.starts_with(['u', 'U']) {
        return Err(Invalid("has an unsigned literal, which conditions do not know; leave the `u` out".to_owned()));
    }
    if left.starts_with(|it: char| it == '_' || it.is_ascii_alphanumeric()) {
        return Err(invalid("a number runs into a word", at));
    }
    let token = if is_integer {
        Token::Int(number)
    } else {
        Token::Double(number.parse().map_err(|_| invalid("an unreadable number", at))?)
    };
    Ok((token, left))
}

/// A text that begins with a string: whether that is raw, and the text from its quotes on.
fn quoted(text: &str) -> Option<(bool, &str)> {
    let raw = text.strip_prefix(['r', 'R']);
    let quoted = raw.unwrap_or(text);
    quoted.starts_with(['\'', '"']).then_some((raw.is_some(), quoted))
}

fn string(text: &str, raw: bool, at: usize) -> Result<(Token<'_>, &str), Invalid> {
    let quotes = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quotes| text.starts_with(quotes)).unwrap_or("\"");
    let mut rest = &text[quotes.len()..];
    let mut content = String::new();
    loop {
        if let Some(left) = rest.strip_prefix(quotes) {
            return Ok((Token::String(content), left));
        }
        let mut letters = rest.chars();
        match letters.next() {
            None => return Err(invalid("a string without an end", at)),
            Some('\n' | '\r') if quotes.len() == 1 => return Err(invalid("a string without an end", at)),
            Some('\\') if !raw => {
                let (letter, left) = escaped(letters.as_str()).ok_or_else(|| invalid("an unknown escape", at))?;
                content.push(letter);
                rest = left;
            }
            Some(letter) => {
                content.push(letter);
                rest = letters.as_str();
            }
        }
    }
}

/// What follows a backslash, and the text after that.
fn escaped(text: &str) -> Option<(char, &str)> {
    let first = text.chars().next()?;
    let left = &text[first.len_utf8()..];
    let numbered = |from: usize, digits: usize, radix: u32| {
        let number = u32::from_str_radix(text.get(from..from + digits)?, radix).ok()?;
        Some((char::from_u32(number)?, &text[from + digits..]))
    };
    let letter = match first {
        '\\' | '\'' | '"' | '`' | '?' => first,
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        'x' | 'X' => return numbered(1, 2, 16),
        'u' => return numbered(1, 4, 16),
        'U' => return numbered(1, 8, 16),
        '0'..='3' => return numbered(0, 3, 8),
        _ => return None,
    };
    Some((letter, left))
}
