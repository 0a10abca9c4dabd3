//! `bailiwick key`: keys for the file of callers.

use std::io;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Args;

use super::Error;
use crate::server::Digest;

/// What a key begins with, so that whoever finds one somewhere knows what it is.
const PREFIX: &str = "bwk_";

const EXAMPLE: &str = "Example:
  bailiwick key
  printf %s \"$KEY\" | bailiwick key --stdin";

/// Make a key for a caller of the API.
///
/// Prints the secret, which the caller sends as `Authorization: Bearer SECRET` and which is stored nowhere, and the key as the file
/// of --callers has it.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(super) struct Options {
    /// Take the secret from the standard input instead of making one. It must be one that nobody can guess.
    #[arg(long)]
    stdin: bool,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    if !options.stdin {
        let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
        return super::print(&format!("secret: {secret}\nkey: {}\n", Digest::of(secret.as_bytes())));
    }
    let secret = io::read_to_string(io::stdin()).map_err(Error::Input)?;
    match secret.trim() {
        "" => Err(Error::Usage("there is no secret on the standard input".to_owned())),
        secret => super::print(&format!("key: {}\n", Digest::of(secret.as_bytes()))),
    }
}
