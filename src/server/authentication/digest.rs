//! What is kept of a secret.

use std::{fmt, str::FromStr};

use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use subtle::ConstantTimeEq as _;

/// What a digest begins with in a file.
const PREFIX: &str = "sha256:";

/// The SHA-256 of a secret: of one that cannot be guessed it tells nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; SHA256_OUTPUT_LEN]);

/// Why a text is no digest. It is not quoted: somebody may have written down the secret itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be `sha256:` and 64 lower-case hexadecimal digits, as `bailiwick key` prints it")]
pub struct DigestError;

impl Digest {
    /// That of a secret.
    #[must_use]
    pub fn of(secret: &[u8]) -> Self {
        let mut bytes = [0; SHA256_OUTPUT_LEN];
        bytes.copy_from_slice(digest(&SHA256, secret).as_ref());
        Self(bytes)
    }

    /// Whether it is this one. Takes the same time wherever they differ.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// So much of it as tells one of many from the others.
    pub(in crate::server) fn brief(&self) -> String {
        self.to_string().chars().skip(PREFIX.len()).take(self.0.len()).collect()
    }

    /// A number by which it can be looked up.
    pub(super) const fn short(&self) -> u64 {
        match self.0.first_chunk() {
            Some(first) => u64::from_be_bytes(*first),
            // INVARIANT: it is longer than that.
            None => 0,
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Enough to tell one from another, and nothing to look a weak secret up by.
        write!(f, "Digest({:04x}…)", self.short() >> 48)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let digits = text.strip_prefix(PREFIX).map(str::as_bytes).ok_or(DigestError)?;
        let mut bytes = [0; SHA256_OUTPUT_LEN];
        if digits.len() != 2 * bytes.len() {
            return Err(DigestError);
        }
        let value = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(DigestError),
        };
        for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks().0) {
            let [high, low] = *pair;
            *byte = value(high)? << 4 | value(low)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_the_standard() {
        let text = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(b"abc").to_string(), text);
        assert_eq!(text.parse(), Ok(Digest::of(b"abc")));
        assert!(Digest::of(b"abc").is(&Digest::of(b"abc")) && !Digest::of(b"abc").is(&Digest::of(b"abd")));
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        let whole = Digest::of(b"abc").to_string();
        for text in ["", "sha256:", "sesame", &whole[7..], &whole[..70], &format!("{whole}0"), &whole.to_uppercase()] {
            assert_eq!(text.parse::<Digest>(), Err(DigestError), "`{text}`");
        }
    }
}
