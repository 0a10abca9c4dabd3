//! Which files of a folder are manifests.

use std::{
    collections::{BTreeSet, HashSet},
    fs, io,
    path::{self, Path, PathBuf},
};

/// How many folders deep manifests may lie.
const MAX_DEPTH: usize = 32;

/// How many links lead from one to the next at the most, as Linux has it.
const MAX_LINKS: usize = 40;

/// What was found in a folder.
#[derive(Debug, Default)]
pub struct Walk {
    /// The manifests, each once, in the order of their paths.
    pub files: Vec<PathBuf>,
    /// The folders in which a change may change what is found or what it says.
    pub folders: BTreeSet<PathBuf>,
    /// What could not be looked at, and why.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// Finds the manifests in a folder and the folders in it: the files that end in `.yaml`, `.yml` or `.json`.
///
/// Symbolic links are followed, each file and folder is visited once, and whatever has a name that begins with a dot
/// is passed over. So a mounted `ConfigMap` is read by its visible links and not a second time by its `..data`.
pub fn walk(root: &Path) -> Walk {
    let mut walker = Walker { walk: Walk::default(), visited: HashSet::new() };
    walker.folder(root, 0);
    walker.walk
}

struct Walker {
    walk: Walk,
    /// The real paths of what was visited: whatever a link leads back to is not visited again.
    visited: HashSet<PathBuf>,
}

impl Walker {
    fn folder(&mut self, path: &Path, depth: usize) {
        if depth > MAX_DEPTH {
            let message = format!("lies more than {MAX_DEPTH} folders deep; move it up");
            return self.walk.unreadable.push((path.to_owned(), message));
        }
        match self.visit(path).and_then(|new| if new { sorted_entries(path).map(Some) } else { Ok(None) }) {
            Ok(Some(entries)) => {
                self.walk.folders.insert(path.to_owned());
                for entry in entries {
                    self.entry(&entry, depth);
                }
            }
            Ok(None) => {}
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn entry(&mut self, path: &Path, depth: usize) {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.folder(path, depth + 1),
            Ok(_) if !is_manifest(path) => {}
            Ok(metadata) if metadata.is_file() => match self.visit(path) {
                Ok(true) => self.walk.files.push(path.to_owned()),
                Ok(false) => {}
                Err(error) => self.unreadable(path, &error),
            },
            Ok(_) => self.walk.unreadable.push((path.to_owned(), "is no regular file; remove it".to_owned())),
            // Gone since the folder was listed.
            Err(_) if fs::symlink_metadata(path).is_err() => {}
            Err(error) => {
                self.links(path);
                self.unreadable(path, &error);
            }
        }
    }

    /// Whether this is the first visit.
    fn visit(&mut self, path: &Path) -> io::Result<bool> {
        let real = fs::canonicalize(path)?;
        self.links(path);
        Ok(self.visited.insert(real))
    }

    /// Each link on the way from a path to a file may come to lead elsewhere, or somewhere at last.
    fn links(&mut self, path: &Path) {
        let Ok(mut link) = path::absolute(path) else { return };
        for _ in 0..MAX_LINKS {
            let Ok(target) = fs::read_link(&link) else { break };
            link.pop();
            link.push(target);
            if let Some(Ok(folder)) = link.parent().map(fs::canonicalize) {
                self.walk.folders.insert(folder);
            }
        }
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.walk.unreadable.push((path.to_owned(), format!("cannot be read: {error}")));
    }
}

fn sorted_entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            entries.push(entry.path());
        }
    }
    entries.sort_unstable();
    Ok(entries)
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
}
