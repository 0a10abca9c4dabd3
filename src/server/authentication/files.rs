//! The callers of a file or of a mounted Secret, followed while they change.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::RwLock;
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

use super::callers::{Callers, CallersError};
use crate::server::follow::read_again_and_again;

/// How large a file may be, in bytes: as large as a Secret.
const MAX_FILE: u64 = 1024 * 1024;

/// Why the callers cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", .path.display())]
pub struct CallersFileError {
    /// The file.
    path: PathBuf,
    /// What is wrong with it.
    problem: Problem,
}

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("larger than {MAX_FILE} bytes")]
    TooLarge,
    #[error(transparent)]
    Callers(#[from] CallersError),
}

/// The callers of a file, or of all files of a folder.
///
/// # Guarantees
/// A change takes effect as a whole, within moments. What cannot be used does not: those before stay until it can, which
/// is logged and counted. No caller outlives its own expiry.
#[derive(Debug)]
pub struct CallersFile {
    path: PathBuf,
    current: RwLock<Arc<Callers>>,
    /// What was read last, so that the same is not judged, and told of, again and again.
    read: RwLock<Option<Vec<(PathBuf, String)>>>,
    count: Gauge,
    errors: Counter,
}

impl CallersFile {
    /// Those of a file or a folder. Registers its figures.
    ///
    /// # Errors
    /// Where they cannot be read or used.
    pub fn open(path: impl Into<PathBuf>, registry: &mut Registry) -> Result<Arc<Self>, CallersFileError> {
        let file = Self {
            path: path.into(),
            current: RwLock::default(),
            read: RwLock::default(),
            count: Gauge::default(),
            errors: Counter::default(),
        };
        registry.register("callers", "Keys and certificates that --callers tells of", file.count.clone());
        registry.register(
            "callers_errors",
            "Times that --callers could not be read or used, so that those before were kept",
            file.errors.clone(),
        );
        file.read_again()?;
        Ok(Arc::new(file))
    }

    pub(super) fn current(&self) -> Arc<Callers> {
        Arc::clone(&self.current.read())
    }

    /// Has every change take effect, without end.
    pub async fn follow(&self) {
        read_again_and_again("--callers", &self.errors, || self.read_again()).await;
    }

    fn read_again(&self) -> Result<(), CallersFileError> {
        let texts = texts(&self.path)?;
        if self.read.read().as_ref() == Some(&texts) {
            return Ok(());
        }
        let mut callers = Callers::default();
        for (path, text) in &texts {
            callers.add(text).map_err(|error| CallersFileError { path: path.clone(), problem: error.into() })?;
        }
        let count = callers.len();
        tracing::info!(callers = count, "who may ask is as --callers says");
        self.count.set(i64::try_from(count).unwrap_or(i64::MAX));
        *self.current.write() = Arc::new(callers);
        *self.read.write() = Some(texts);
        Ok(())
    }
}

/// What a file holds, or each file of a folder. Names that begin with a dot are those that the kubelet puts beside the files.
fn texts(path: &Path) -> Result<Vec<(PathBuf, String)>, CallersFileError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error: io::Error| CallersFileError { path, problem: error.into() }
    };
    let mut paths = Vec::new();
    if path.is_dir() {
        for entry in fs::read_dir(path).map_err(failed(path))? {
            let file = entry.map_err(failed(path))?.path();
            let is_hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if !is_hidden && file.is_file() {
                paths.push(file);
            }
        }
        paths.sort();
    } else {
        paths.push(path.to_owned());
    }
    let read = |path: PathBuf| {
        if fs::metadata(&path).map_err(failed(&path))?.len() > MAX_FILE {
            return Err(CallersFileError { path, problem: Problem::TooLarge });
        }
        let text = fs::read_to_string(&path).map_err(failed(&path))?;
        Ok((path, text))
    };
    paths.into_iter().map(read).collect()
}
