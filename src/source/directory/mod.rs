//! Objects declared in a folder of YAML and JSON files, watched.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `walk` | which files count |
//! | `document` | text as values that know their place |
//! | `manifest` | what one file declares |
//! | `load` | what the whole folder declares, and what changed |
//! | `watch` | when to look again |

mod document;
mod load;
mod manifest;
mod problem;
mod walk;
mod watch;

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout_at},
};
use tracing::{error, info, warn};

pub use document::Position;
pub use load::{Loaded, Objects};
pub use manifest::Declaration;
pub use problem::{Place, Problem};

use self::{load::Loader, watch::Watch};
use super::{Error, Ledger, Metrics, blocking};
use crate::graph::{Environments, facts::Name};

/// What answers wait for until every file could be read.
const GATE: &str = "manifests";

/// How long nothing more may happen before the folder is read, so that a file that is being written is read once.
const QUIET: Duration = Duration::from_millis(50);

/// How long it is read at the latest, however much happens.
const PATIENCE: Duration = Duration::from_millis(300);

/// How often it is read without any reason, because the operating system may lose events.
const SAFETY_INTERVAL: Duration = Duration::from_secs(10);

/// How often is looked whether the path still leads to the same folder.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// How often it is read where the operating system cannot watch it.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Reads a folder of manifests once. An object without a namespace belongs to the default environment.
///
/// # Errors
/// Where there is no such folder. What is wrong in it is told in [`Loaded::problems`].
pub fn load(path: impl AsRef<Path>, default_environment: &str) -> Result<Loaded, Error> {
    Ok(Loader::new(folder(path.as_ref())?, default_environment.into()).load().0)
}

/// A folder of manifests that the graph is kept up to date with.
///
/// # Guarantees
/// - A file that is edited, added, renamed or removed takes effect within a second; all that changed in an
///   environment takes effect together.
/// - A document with a problem in it grants nothing. What a file declared before it became unreadable stays declared,
///   but grants nothing, and where it restricts, it restricts everything.
/// - No answers are given before every file was readable once.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
    /// Which folder the path led to when it was last read.
    identity: Option<Identity>,
    loader: Loader,
    loaded: Loaded,
    environments: Arc<Environments>,
    ledger: Arc<Ledger>,
    metrics: Metrics,
    changed: Arc<Notify>,
    watch: Option<Watch>,
    /// The operating system was found unable to watch the folder.
    polling: bool,
}

impl Directory {
    /// Reads the folder for the first time, into the graph. An object without a namespace belongs to the default
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
        environments.close_gate(GATE);
        let mut directory = Self {
            loader: Loader::new(root.clone(), Name::from(default_environment)),
            root,
            identity: None,
            loaded: Loaded::default(),
            environments,
            ledger,
            metrics,
            changed: Arc::new(Notify::new()),
            watch: None,
            polling: false,
        };
        directory.refresh();
        Ok(directory)
    }

    /// For whoever writes into the folder.
    #[must_use]
    pub fn handle(&self) -> DirectoryHandle {
        DirectoryHandle { environments: Arc::clone(&self.environments) }
    }

    /// What the folder declares, as the graph has it.
    #[must_use]
    pub const fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// Keeps the graph up to date until the runtime ends, or this is dropped.
    pub async fn run(mut self) {
        loop {
            self.something_to_do().await;
            let refreshed = blocking(move || {
                self.refresh();
                self
            });
            let Some(directory) = refreshed.await else { return };
            self = directory;
        }
    }

    async fn something_to_do(&self) {
        let interval = if self.polling { POLL_INTERVAL } else { SAFETY_INTERVAL };
        tokio::select! {
            () = sleep(interval) => return,
            () = self.led_elsewhere() => return,
            () = self.changed.notified() => {}
        }
        let latest = Instant::now() + PATIENCE;
        while Instant::now() < latest
            && timeout_at(latest.min(Instant::now() + QUIET), self.changed.notified()).await.is_ok()
        {}
    }

    /// Waits until the path leads to another folder than before. Where that is for a link farther up, as `git-sync`
    /// swaps one, nothing happens in any folder that is watched.
    async fn led_elsewhere(&self) {
        while identity(&self.root) == self.identity {
            sleep(LOOK_INTERVAL).await;
        }
    }

    /// Reads the folder into the graph and sees to it that it is watched.
    fn refresh(&mut self) {
        let identity = identity(&self.root);
        if identity != self.identity {
            // The watch is on the folder that was there before, under the same path.
            (self.watch, self.identity) = (None, identity);
        }
        // What changes between the reading and the watching would be missed, so after each new watch it is read again.
        // Whoever changes folders faster than that is left to the next event.
        for _ in 0..3 {
            let folders = self.read();
            if self.watch.as_ref().is_some_and(|watch| watch.is_on(&folders)) {
                return;
            }
            match Watch::new(folders, &self.root, Arc::clone(&self.changed)) {
                Ok(watch) => (self.watch, self.polling) = (Some(watch), false),
                Err(error) => {
                    if !self.polling {
                        warn!(%error, "the folder of manifests cannot be watched; it is read every second instead");
                    }
                    (self.watch, self.polling) = (None, true);
                    return;
                }
            }
        }
    }

    fn read(&mut self) -> BTreeSet<PathBuf> {
        let (mut loaded, folders) = self.loader.load();
        loaded.withhold(&self.loaded);
        for (environment, changes) in loaded.changes_since(&self.loaded) {
            self.environments.apply(&environment, &changes);
            info!(%environment, changes = changes.len(), "manifests applied");
        }
        for problem in loaded.problems.difference(&self.loaded.problems) {
            error!("{problem}");
        }
        for problem in self.loaded.problems.difference(&loaded.problems) {
            info!("mended: {problem}");
        }
        self.metrics.manifests_loaded(loaded.problems.len());
        match loaded.unclear.first() {
            None => self.environments.open_gate(GATE),
            Some(file) => self.environments.explain_gate(GATE, unclear(&loaded, file)),
        }
        self.loaded = loaded;
        folders
    }
}

/// For whoever writes into the folder.
#[derive(Clone, Debug)]
pub struct DirectoryHandle {
    environments: Arc<Environments>,
}

/// Why answers have to wait.
fn unclear(loaded: &Loaded, file: &Path) -> String {
    let problem = loaded.problems.iter().find(|problem| problem.place.file.as_ref() == file);
    let problem = problem.map_or_else(|| file.display().to_string(), ToString::to_string);
    match loaded.unclear.len() - 1 {
        0 => problem,
        others => format!("{problem} (and {others} more that cannot be read)"),
    }
}

/// The device and the inode of a folder; none where there is no such folder.
type Identity = (u64, u64);

fn identity(folder: &Path) -> Option<Identity> {
    fs::metadata(folder).ok().map(|metadata| (metadata.dev(), metadata.ino()))
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
