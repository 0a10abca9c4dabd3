//! `bailiwick crds`: the custom resource definitions.

use std::{fs, path::PathBuf};

use clap::Args;

use super::Error;
use crate::api;

const EXAMPLE: &str = "Example:
  bailiwick crds | kubectl apply --server-side -f -";

/// Print the custom resource definitions of all kinds.
///
/// They belong to this very version of the program: apply them anew after each upgrade.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(super) struct Options {
    /// Write one file a kind into this folder instead of printing them.
    #[arg(long, value_name = "DIR", env = "BAILIWICK_OUT")]
    out: Option<PathBuf>,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let files = api::crd_files().map_err(Error::Print)?;
    let Some(folder) = &options.out else {
        let text: String = files.into_iter().map(|file| file.yaml).collect();
        return super::print(&text);
    };
    fs::create_dir_all(folder).map_err(|source| Error::Write { path: folder.clone(), source })?;
    files.into_iter().try_for_each(|file| {
        let path = folder.join(file.name);
        fs::write(&path, file.yaml).map_err(|source| Error::Write { path, source })
    })
}
