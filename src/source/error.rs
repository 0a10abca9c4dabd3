//! What makes a source unusable, and how errors are told.

use std::{error, io, iter, path::PathBuf};

use thiserror::Error;

/// Why a source cannot be used at all.
#[derive(Debug, Error)]
pub enum Error {
    /// The folder of manifests is missing or unreadable.
    #[error("the folder of manifests `{}` cannot be read", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What should be the folder of manifests is something else.
    #[error("`{}` is no folder; name the folder that the manifests lie in", path.display())]
    NotAFolder {
        /// What was named.
        path: PathBuf,
    },
}

/// An error's message and those of its causes, each told once.
pub(crate) fn with_causes(error: &dyn error::Error) -> String {
    let mut words = error.to_string();
    for cause in iter::successors(error.source(), |cause| cause.source()) {
        let cause = cause.to_string();
        // What follows the first line quotes the file around the mistake, and a kubeconfig holds secrets.
        let cause = cause.lines().next().unwrap_or_default();
        if !words.contains(cause) {
            words = format!("{words}: {cause}");
        }
    }
    words
}
