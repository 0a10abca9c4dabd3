//! The mapping that counts: one for good, or that of a file, which is followed while it changes.

use std::{
    fs, io, mem,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::RwLock;
use prometheus_client::{metrics::counter::Counter, registry::Registry};

use super::mapping::{Mapping, MappingError};
use crate::server::follow::read_again_and_again;

/// Why the mapping of a file cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum MappingFileError {
    /// The file cannot be read.
    #[error("cannot read {}: {problem}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        problem: io::Error,
    },
    /// It holds no mapping.
    #[error("{}: {problem}", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why not.
        problem: MappingError,
    },
}

/// The mapping that counts, which can be exchanged at any time. A review is answered from one from start to end.
#[derive(Debug)]
pub struct CurrentMapping(RwLock<Arc<Mapping>>);

impl From<Mapping> for CurrentMapping {
    fn from(mapping: Mapping) -> Self {
        Self(RwLock::new(Arc::new(mapping)))
    }
}

impl CurrentMapping {
    pub(super) fn get(&self) -> Arc<Mapping> {
        Arc::clone(&self.0.read())
    }
}

/// The mapping of a file.
///
/// # Guarantees
/// A change takes effect as a whole, as soon as the file has been read twice alike: what a mapping leaves out has a meaning, so that
/// half of one must not count while the other half is being written. What cannot be used does not take effect: the mapping before
/// stays until it can, which is logged and counted.
#[derive(Debug)]
pub struct MappingFile {
    path: PathBuf,
    /// A user of whom there is no opinion, whatever the file says.
    ignored: Option<String>,
    /// What was read last.
    read: String,
    /// What the mapping was made of, so that the same is not told of again and again.
    used: String,
    current: Arc<CurrentMapping>,
    errors: Counter,
}

impl MappingFile {
    /// That of a file. There is no opinion of the user `ignored`. Registers its figures.
    ///
    /// # Errors
    /// Where it cannot be read or used.
    pub fn open(
        path: impl Into<PathBuf>,
        ignored: Option<String>,
        registry: &mut Registry,
    ) -> Result<Self, MappingFileError> {
        let path = path.into();
        let text = read(&path)?;
        let current = Arc::new(parse(&path, &text, ignored.as_ref())?.into());
        let errors = Counter::default();
        registry.register(
            "authorization_mapping_errors",
            "Times that --authorization-mapping could not be read or used, so that the mapping before was kept",
            errors.clone(),
        );
        Ok(Self { path, ignored, read: text.clone(), used: text, current, errors })
    }

    /// The mapping, as it is at any time.
    #[must_use]
    pub fn current(&self) -> Arc<CurrentMapping> {
        Arc::clone(&self.current)
    }

    /// Has every change of the file take effect, without end.
    pub async fn follow(mut self) {
        let errors = self.errors.clone();
        read_again_and_again("--authorization-mapping", &errors, || self.read_again()).await;
    }

    fn read_again(&mut self) -> Result<(), MappingFileError> {
        let text = read(&self.path)?;
        let before = mem::replace(&mut self.read, text.clone());
        if before != text || self.used == text {
            return Ok(());
        }
        let mapping = parse(&self.path, &text, self.ignored.as_ref())?;
        *self.current.0.write() = Arc::new(mapping);
        self.used = text;
        tracing::info!("what the authorization webhook is asked about is as --authorization-mapping says");
        Ok(())
    }
}

fn read(path: &Path) -> Result<String, MappingFileError> {
    fs::read_to_string(path).map_err(|problem| MappingFileError::Unreadable { path: path.to_owned(), problem })
}

fn parse(path: &Path, text: &str, ignored: Option<&String>) -> Result<Mapping, MappingFileError> {
    let mapping = Mapping::parse(text);
    let mapping = mapping.map_err(|problem| MappingFileError::Unusable { path: path.to_owned(), problem })?;
    Ok(mapping.ignoring(ignored.cloned()))
}
