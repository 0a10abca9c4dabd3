//! Which files of a folder are manifests.

use std::{
    collections::{BTreeSet, HashSet},
    fs::{self, DirEntry, Metadata},
    io,
    path::{self, Path, PathBuf},
};

/// How many folders deep manifests may lie.
const MAX_DEPTH: usize = 32;

/// How many links lead from one to the next at the most, as Linux has it.
const MAX_LINKS: usize = 40;

/// What was found in a folder.
#[derive(Debug, Default)]
pub struct Walk {
    /// The manifests, each once, in the order of their paths, with what was known of each when it was found.
    pub files: Vec<(PathBuf, Metadata)>,
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
        match fs::canonicalize(path) {
            Ok(real) => {
                self.links(path);
                self.real_folder(path, &real, depth);
            }
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn real_folder(&mut self, path: &Path, real: &Path, depth: usize) {
        if depth > MAX_DEPTH {
            let message = format!("lies more than {MAX_DEPTH} folders deep; move it up");
            return self.walk.unreadable.push((path.to_owned(), message));
        }
        if !self.visited.insert(real.to_owned()) {
            return;
        }
        match sorted_entries(path) {
            Ok(entries) => {
                self.walk.folders.insert(path.to_owned());
                for entry in entries {
                    self.entry(&entry, real, depth);
                }
            }
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn entry(&mut self, entry: &DirEntry, real_folder: &Path, depth: usize) {
        let path = entry.path();
        // What is no link needs no look at all the folders above to know where it really lies.
        let found = match entry.file_type() {
            Ok(found) if found.is_symlink() => return self.link(&path, depth),
            Ok(found) if found.is_dir() => {
                return self.real_folder(&path, &real_folder.join(entry.file_name()), depth + 1);
            }
            Ok(_) if !is_manifest(&path) => return,
            Ok(_) => entry.metadata(),
            Err(error) => Err(error),
        };
        match found {
            Ok(metadata) => self.file(&path, Ok(real_folder.join(entry.file_name())), metadata),
            Err(error) => self.missing(&path, &error),
        }
    }

    fn link(&mut self, path: &Path, depth: usize) {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.folder(path, depth + 1),
            Ok(_) if !is_manifest(path) => {}
            Ok(metadata) => {
                self.links(path);
                self.file(path, fs::canonicalize(path), metadata);
            }
            Err(error) => self.missing(path, &error),
        }
    }

    fn file(&mut self, path: &Path, real: io::Result<PathBuf>, metadata: Metadata) {
        match real {
            Ok(_) if !metadata.is_file() => {
                self.walk.unreadable.push((path.to_owned(), "is no regular file; remove it".to_owned()));
            }
            Ok(real) => {
                if self.visited.insert(real) {
                    self.walk.files.push((path.to_owned(), metadata));
                }
            }
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn missing(&mut self, path: &Path, error: &io::Error) {
        // Else it is gone since the folder was listed.
        if fs::symlink_metadata(path).is_ok() {
            self.links(path);
            self.unreadable(path, error);
        }
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

fn sorted_entries(folder: &Path) -> io::Result<Vec<DirEntry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            entries.push(entry);
        }
    }
    entries.sort_by_cached_key(DirEntry::file_name);
    Ok(entries)
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
}
