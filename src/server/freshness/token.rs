//! How a revision is handed out and taken back.
//!
//! A token is `1.` and the base64 (of URLs, without padding) of: the history, 8 bytes; the newest number of any kind; and for each
//! kind, in the order of [`Kind::ALL`], how far it is behind that. The numbers are in LEB128. Whoever changes that, or the kinds,
//! begins it with another digit.

use std::cell::RefCell;

use axum::http::HeaderValue;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    graph::{Revision, facts::Kind},
    store::History,
};

const VERSION: &str = "1.";

/// No token is longer: a byte of LEB128 holds 7 bits.
const MAX_BYTES: usize = 8 + 10 * (1 + Kind::ALL.len());

/// A state of an environment, as others understand it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Token {
    /// The history that the numbers belong to.
    pub history: History,
    /// How far the environment has come.
    pub revision: Revision,
}

/// What is no token of this version.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Malformed;

impl Token {
    /// As it is sent. Between two changes it is made once by each thread.
    pub fn to_header(self) -> HeaderValue {
        thread_local! {
            static LAST: RefCell<Option<(Token, HeaderValue)>> = const { RefCell::new(None) };
        }
        LAST.with_borrow_mut(|last| match last {
            Some((token, value)) if *token == self => value.clone(),
            _ => {
                // INVARIANT: a token is ASCII.
                let value =
                    HeaderValue::try_from(self.to_text()).unwrap_or_else(|_| HeaderValue::from_static("unknown"));
                last.insert((self, value)).1.clone()
            }
        })
    }

    /// As it is written.
    pub fn to_text(self) -> String {
        let mut bytes = Vec::with_capacity(MAX_BYTES);
        bytes.extend(self.history.0.to_be_bytes());
        let newest = self.revision.iter().map(|(_, number)| number).max().unwrap_or_default();
        put(&mut bytes, newest);
        for (_, number) in self.revision.iter() {
            put(&mut bytes, newest - number);
        }
        let mut text = String::from(VERSION);
        URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
        text
    }

    /// Whether a text claims to be a token, of whatever version.
    pub fn is_meant(text: &str) -> bool {
        text.split_once('.')
            .is_some_and(|(version, _)| !version.is_empty() && version.bytes().all(|it| it.is_ascii_digit()))
    }

    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let encoded = text.strip_prefix(VERSION).filter(|encoded| encoded.len() <= MAX_BYTES * 2).ok_or(Malformed)?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Malformed)?;
        let (history, mut numbers) = bytes.split_first_chunk().ok_or(Malformed)?;
        let newest = take(&mut numbers)?;
        let mut revision = Revision::default();
        for kind in Kind::ALL {
            revision.set(kind, newest.checked_sub(take(&mut numbers)?).ok_or(Malformed)?);
        }
        let token = Self { history: History(u64::from_be_bytes(*history)), revision };
        numbers.is_empty().then_some(token).ok_or(Malformed)
    }
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            return bytes.push(low & 0x7f);
        }
        bytes.push(low | 0x80);
    }
}

fn take(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(Malformed)?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        // The last of ten bytes has room for one bit.
        if bits << shift >> shift != bits {
            return Err(Malformed);
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens() -> impl Strategy<Value = Token> {
        let number = prop_oneof![any::<u64>(), 0..1000_u64, Just(0), Just(u64::MAX)];
        (any::<u64>(), prop::array::uniform8(number)).prop_map(|(history, numbers)| Token {
            history: History(history),
            revision: Kind::ALL.into_iter().zip(numbers).collect(),
        })
    }

    proptest! {
        #[test]
        fn a_token_is_read_as_it_was_written(token in tokens()) {
            let text = token.to_text();
            prop_assert!(Token::is_meant(&text));
            prop_assert_eq!(Token::parse(&text), Ok(token));
            prop_assert_eq!(token.to_header(), text.as_str());
        }

        #[test]
        fn whatever_is_sent_is_read_or_refused(text in prop_oneof![".*", "1\\.[A-Za-z0-9_-]{0,120}"]) {
            if let Ok(token) = Token::parse(&text) {
                prop_assert_eq!(Token::parse(&token.to_text()), Ok(token));
            }
        }

        #[test]
        fn no_part_of_a_token_is_one(token in tokens(), cut in any::<prop::sample::Index>()) {
            let text = token.to_text();
            prop_assert_eq!(Token::parse(&text[..cut.index(text.len())]), Err(Malformed));
            prop_assert_eq!(Token::parse(&format!("{text}AA")), Err(Malformed));
        }
    }

    #[test]
    fn another_version_is_refused() {
        let text = Token { history: History(7), revision: Revision::default() }.to_text();
        assert_eq!(Token::parse(&text.replacen('1', "2", 1)), Err(Malformed));
        assert!(
            Token::is_meant("2.x") && !Token::is_meant("Role/2.5") && !Token::is_meant("{}") && !Token::is_meant(".")
        );
    }
}
