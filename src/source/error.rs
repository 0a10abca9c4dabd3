//! Why a source cannot be used at all.

use std::{io, path::PathBuf};

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
