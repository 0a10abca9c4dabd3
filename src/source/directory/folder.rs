//! The folder in graph and ledger, one reader or writer at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout_at},
};
use tracing::{error, info, warn};

use super::{Care, Declaration, Loaded, load::Loader, recent::Recent, watch::Watch};
use crate::{
    graph::{
        Environments,
        facts::{Kind, Name, ObjectRef},
    },
    source::{Ledger, Metrics, lag::Lag, progress::Position},
};

/// What answers wait for until every file could be read.
pub(super) const GATE: &str = "manifests";

/// How long nothing more may happen before the folder is read, so that a file that is being written is read once.
const QUIET: Duration = Duration::from_millis(50);

/// How long it is read at the latest, however much happens.
const PATIENCE: Duration = Duration::from_millis(300);

/// How often every file is read without any reason, because the operating system may lose events.
pub(super) const SAFETY_INTERVAL: Duration = Duration::from_secs(10);

/// How often is looked whether the path still leads to the same folder.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// How often it is read where the operating system cannot watch it.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// A folder of manifests.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    default_environment: Name,
    environments: Arc<Environments>,
    ledger: Arc<Ledger>,
    metrics: Metrics,
    positions: Vec<Arc<Position>>,
    changed: Arc<Notify>,
    state: Mutex<State>,
}

#[derive(Debug)]
pub struct State {
    /// Which folder the path led to when it was last read.
    identity: Option<Identity>,
    loader: Loader,
    pub(super) loaded: Arc<Loaded>,
    /// How often the graph was changed.
    revision: u64,
    watch: Option<Watch>,
    /// The operating system was found unable to watch the folder.
    polling: bool,
}

impl Folder {
    pub fn new(
        root: PathBuf,
        default_environment: Name,
        environments: Arc<Environments>,
        ledger: Arc<Ledger>,
        metrics: Metrics,
    ) -> Self {
        let state = State {
            identity: None,
            loader: Loader::new(root.clone(), default_environment.clone()),
            loaded: Arc::default(),
            revision: 0,
            watch: None,
            polling: false,
        };
        let (changed, state) = (Arc::default(), Mutex::new(state));
        let position = |kind| ledger.progress().add(kind, None, Lag::default());
        let positions = Kind::ALL.map(position).into();
        Self { root, default_environment, environments, ledger, metrics, positions, changed, state }
    }

    pub fn hold(&self) -> Held<'_> {
        Held { folder: self, state: self.state.lock() }
    }

    /// Waits until the folder is to be read again, and says how.
    pub async fn something_to_do(&self, identity: Option<Identity>, polling: bool) -> Care {
        let interval = if polling { POLL_INTERVAL } else { SAFETY_INTERVAL };
        tokio::select! {
            () = sleep(interval) => return Care::Thorough,
            () = self.led_elsewhere(identity) => return Care::Thorough,
            () = self.changed.notified() => {}
        }
        let latest = Instant::now() + PATIENCE;
        while Instant::now() < latest
            && timeout_at(latest.min(Instant::now() + QUIET), self.changed.notified()).await.is_ok()
        {}
        Care::Quick
    }

    /// Waits until the path leads to another folder than before. Where that is for a link farther up, as `git-sync`
    /// swaps one, nothing happens in any folder that is watched.
    async fn led_elsewhere(&self, before: Option<Identity>) {
        while identity(&self.root) == before {
            sleep(LOOK_INTERVAL).await;
        }
    }
}

/// A folder of manifests that nobody else reads, or writes into through this program, while this lives.
#[derive(Debug)]
pub struct Held<'a> {
    folder: &'a Folder,
    state: MutexGuard<'a, State>,
}

impl Held<'_> {
    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.folder.root
    }

    /// The environment of objects without a namespace.
    #[must_use]
    pub fn default_environment(&self) -> &Name {
        &self.folder.default_environment
    }

    /// The graphs, which contain what the folder declares.
    #[must_use]
    pub fn environments(&self) -> &Environments {
        &self.folder.environments
    }

    /// For whoever parses what the files hold, or are to hold.
    pub(crate) fn recent(&self) -> &Recent {
        &self.state.loader.recent
    }

    /// What the folder declares, as graph and ledger have it.
    #[must_use]
    pub fn loaded(&self) -> &Arc<Loaded> {
        &self.state.loaded
    }

    /// What the folder declares of an object, as graph and ledger have it.
    #[must_use]
    pub fn declaration(&self, environment: &str, object: &ObjectRef) -> Option<&Declaration> {
        self.state.loaded.environments.get(environment)?.get(object)
    }

    /// Which folder it is, and whether the operating system was found unable to watch it.
    pub(super) fn outlook(&self) -> (Option<Identity>, bool) {
        (self.state.identity, self.state.polling)
    }

    /// Reads the folder into graph and ledger and sees to it that it is watched.
    pub fn read_again(&mut self, care: Care) {
        let identity = identity(&self.folder.root);
        if identity != self.state.identity {
            // The watch is on the folder that was there before, under the same path.
            (self.state.watch, self.state.identity) = (None, identity);
        }
        // What changes between the reading and the watching would be missed, so after each new watch it is read again.
        // Whoever changes folders faster than that is left to the next event.
        for _ in 0..3 {
            let folders = self.read(care);
            if self.state.watch.as_ref().is_some_and(|watch| watch.is_on(&folders)) {
                return;
            }
            match Watch::new(folders, &self.folder.root, Arc::clone(&self.folder.changed)) {
                Ok(watch) => (self.state.watch, self.state.polling) = (Some(watch), false),
                Err(error) => {
                    if !self.state.polling {
                        warn!(%error, "the folder of manifests cannot be watched; it is read every second instead");
                    }
                    (self.state.watch, self.state.polling) = (None, true);
                    return;
                }
            }
        }
    }

    fn read(&mut self, care: Care) -> BTreeSet<PathBuf> {
        let Folder { environments, ledger, metrics, .. } = self.folder;
        let state = &mut *self.state;
        let (loaded, folders) = state.loader.load(care);
        let Some(mut loaded) = loaded else {
            metrics.manifests_loaded(state.loaded.problems.len());
            return folders;
        };
        loaded.withhold(&state.loaded);
        loaded.keep_times(&state.loaded);
        let changes = loaded.changes_since(&state.loaded);
        let entries = loaded.entries_since(&state.loaded, state.revision + 1);
        let ledgers: BTreeMap<Name, _> =
            entries.keys().map(|(environment, _)| (environment.clone(), ledger.of(environment))).collect();
        let publications: Vec<_> = ledgers.values().map(|ledger| ledger.publish()).collect();
        for (environment, changes) in changes {
            environments.apply_reaching(&environment, &changes, |reached| {
                for kind in Kind::ALL {
                    reached.set(kind, state.revision + 1);
                }
            });
            info!(%environment, changes = changes.len(), "manifests applied");
        }
        state.revision += 1;
        for ((environment, kind), entries) in entries {
            ledgers[&environment].enter(kind, entries);
        }
        drop(publications);
        for position in &self.folder.positions {
            ledger.progress().move_to(position, state.revision);
        }
        for problem in loaded.problems.difference(&state.loaded.problems) {
            error!("{problem}");
        }
        for problem in state.loaded.problems.difference(&loaded.problems) {
            info!("mended: {problem}");
        }
        metrics.manifests_loaded(loaded.problems.len());
        match loaded.unclear.first() {
            None => environments.open_gate(GATE),
            Some(file) => environments.explain_gate(GATE, unclear(&loaded, file)),
        }
        state.loaded = Arc::new(loaded);
        folders
    }
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
pub type Identity = (u64, u64);

fn identity(folder: &Path) -> Option<Identity> {
    fs::metadata(folder).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}
