//! Learns of changes in folders from the operating system.

use std::{
    collections::BTreeSet,
    io,
    path::{self, Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use notify::{
    ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode, ModifyKind},
};
use tokio::sync::Notify;

/// A watch on some folders, without those in them.
#[derive(Debug)]
pub struct Watch {
    folders: BTreeSet<PathBuf>,
    disturbed: Arc<AtomicBool>,
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Tells `changed` whenever something changes in one of the folders. Folders that do not exist are passed over;
    /// a change of `root` alone counts in the folder that `root` lies in.
    ///
    /// # Errors
    /// Where the operating system cannot watch, or no more.
    pub fn new(folders: BTreeSet<PathBuf>, root: &Path, changed: Arc<Notify>) -> notify::Result<Self> {
        let disturbed = Arc::new(AtomicBool::new(false));
        // Events come with absolute paths.
        let root = path::absolute(root)?;
        let absolute = folders.iter().map(path::absolute).collect::<io::Result<BTreeSet<_>>>()?;
        let above = root.parent().filter(|above| !absolute.contains(*above)).map(PathBuf::from);
        let mut watcher = notify::recommended_watcher({
            let above = above.clone();
            let (disturbed, absolute) = (Arc::clone(&disturbed), absolute.clone());
            move |event: notify::Result<Event>| {
                let Ok(event) = event else {
                    disturbed.store(true, Ordering::Relaxed);
                    return changed.notify_one();
                };
                let beside = |path: &PathBuf| *path != root && path.parent() == above.as_deref();
                if is_reading(event.kind) || (!event.paths.is_empty() && event.paths.iter().all(beside)) {
                    return;
                }
                let replaced = matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)));
                if event.need_rescan() || (replaced && event.paths.iter().any(|path| absolute.contains(path))) {
                    disturbed.store(true, Ordering::Relaxed);
                }
                changed.notify_one();
            }
        })?;
        for folder in absolute.iter().chain(&above) {
            match watcher.watch(folder, RecursiveMode::NonRecursive) {
                Err(error) if !is_gone(&error.kind) => return Err(error),
                _ => {}
            }
        }
        Ok(Self { folders, disturbed, _watcher: watcher })
    }

    /// Whether it still is a watch on just these folders, as they are now.
    pub fn is_on(&self, folders: &BTreeSet<PathBuf>) -> bool {
        self.folders == *folders && !self.disturbed.load(Ordering::Relaxed)
    }
}

/// Whether the event says no more than that somebody reads, as the answer to an event does.
const fn is_reading(kind: EventKind) -> bool {
    matches!(kind, EventKind::Access(access) if !matches!(access, AccessKind::Close(AccessMode::Write)))
}

fn is_gone(kind: &ErrorKind) -> bool {
    match kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(error) => error.kind() == io::ErrorKind::NotFound,
        _ => false,
    }
}
