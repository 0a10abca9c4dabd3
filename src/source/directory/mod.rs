//! Objects declared in a folder of YAML and JSON files, watched.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `walk` | which files count |
//! | `document` | text as values that know their place |
//! | `manifest` | what one file declares |
//! | `recent` | the text that was parsed last |
//! | `load` | what the whole folder declares, and what changed |
//! | `folder` | the folder in graph and ledger, one reader or writer at a time |
//! | `watch` | when to look again |

pub(crate) mod document;
mod folder;
mod load;
pub(crate) mod manifest;
mod problem;
pub(crate) mod recent;
mod walk;
mod watch;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use document::Position;
pub use folder::Held;
pub(crate) use load::MAX_FILE_BYTES;
pub use load::{Care, Loaded, Objects};
pub use manifest::Declaration;
pub use problem::{Place, Problem};

use self::{folder::Folder, load::Loader};
use super::{Error, Ledger, Metrics, blocking};
use crate::graph::Environments;

/// Reads a folder of manifests once. An object without a namespace belongs to the default environment.
///
/// # Errors
/// Where there is no such folder. What is wrong in it is told in [`Loaded::problems`].
pub fn load(path: impl AsRef<Path>, default_environment: &str) -> Result<Loaded, Error> {
    Ok(Loader::new(folder(path.as_ref())?, default_environment.into()).load(Care::Thorough).0.unwrap_or_default())
}

/// A folder of manifests that graph and ledger are kept up to date with.
///
/// # Guarantees
/// - A file that is edited, added, renamed or removed takes effect within a second; all that changed in an
///   environment takes effect together.
/// - A document with a problem in it grants nothing. What a file declared before it became unreadable stays declared,
///   but grants nothing, and where it restricts, it restricts everything.
/// - No answers are given before every file was readable once.
#[derive(Debug)]
pub struct Directory {
    folder: Arc<Folder>,
}

impl Directory {
    /// Reads the folder for the first time, into graph and ledger. An object without a namespace belongs to the default
    /// environment. Blocks while it reads.
    ///
    /// # Errors
    /// Where there is no such folder. Problems in it are logged and counted instead.
    pub fn open(
        path: impl AsRef<Path>,
        default_environment: &str,
        environments: Arc<Environments>,
        ledger: Arc<Ledger>,
        metrics: Metrics,
    ) -> Result<Self, Error> {
        let root = folder(path.as_ref())?;
        environments.close_gate(folder::GATE);
        let folder = Folder::new(root, default_environment.into(), environments, ledger, metrics);
        folder.hold().read_again(Care::Thorough);
        Ok(Self { folder: Arc::new(folder) })
    }

    /// For whoever writes into the folder.
    #[must_use]
    pub fn handle(&self) -> DirectoryHandle {
        DirectoryHandle(Arc::clone(&self.folder))
    }

    /// What the folder declares, as the graph has it.
    #[must_use]
    pub fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(self.folder.hold().loaded())
    }

    /// Keeps graph and ledger up to date until the runtime ends, or this is dropped.
    pub async fn run(self) {
        let Self { folder } = self;
        let (mut identity, mut polling) = folder.hold().outlook();
        loop {
            let care = folder.something_to_do(identity, polling).await;
            let folder = Arc::clone(&folder);
            let refreshed = blocking(move || {
                let mut held = folder.hold();
                held.read_again(care);
                held.outlook()
            });
            let Some(outlook) = refreshed.await else { return };
            (identity, polling) = outlook;
        }
    }
}

/// For whoever writes into the folder.
#[derive(Clone, Debug)]
pub struct DirectoryHandle(Arc<Folder>);

impl DirectoryHandle {
    /// Waits until nobody reads the folder or writes into it through another handle, and keeps them away. Blocks.
    #[must_use]
    pub fn hold(&self) -> Held<'_> {
        self.0.hold()
    }
}

/// The path, if it is one of a folder.
fn folder(path: &Path) -> Result<PathBuf, Error> {
    let cannot = |source| Error::Folder { folder: path.to_owned(), source };
    let metadata = fs::metadata(path).map_err(cannot)?;
    if !metadata.is_dir() {
        return Err(Error::NotAFolder { path: path.to_owned() });
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests;
