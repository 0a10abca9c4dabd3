//! A whole folder of manifests, read.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, HashMap, btree_map::Entry, hash_map::RandomState},
    fs::{self, File},
    hash::BuildHasher,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tracing::debug;

use super::{
    manifest::{Declaration, Manifest},
    problem::{Place, Problem},
    recent::Recent,
    walk::{Walk, walk},
};
use crate::{
    graph::facts::{Change, Kind, Name, ObjectRef, Timestamp},
    source::{
        convert::{self, Metadata},
        ledger::{LedgerEntry, Record},
    },
};

/// How large a manifest may be, in bytes.
pub const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// The objects of one environment.
pub type Objects = BTreeMap<ObjectRef, Declaration>;

/// An object that is not the same as before; without a declaration: it is gone.
type Differing<'a> = (&'a ObjectRef, Option<&'a Declaration>);

/// What a folder of manifests declares: a pure function of what lies in it.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The objects, by environment. One with problems is invalid: it grants nothing.
    pub environments: BTreeMap<Name, Objects>,
    /// What is wrong, in the order of the files.
    pub problems: BTreeSet<Problem>,
    /// Files and folders that may declare more than could be told.
    pub unclear: BTreeSet<Arc<Path>>,
}

impl Loaded {
    /// What turns the objects of `before` into these, by environment.
    #[must_use]
    pub fn changes_since(&self, before: &Self) -> BTreeMap<Name, Vec<Change>> {
        let is_same =
            |old: &Declaration, new: &Declaration| Arc::ptr_eq(&old.object, &new.object) || old.object == new.object;
        let mut changes: BTreeMap<Name, Vec<Change>> = BTreeMap::new();
        for (environment, differing) in self.differing_from(before, is_same) {
            let changes = changes.entry(environment.clone()).or_default();
            let (gone, there): (Vec<_>, Vec<_>) = differing.into_iter().partition(|(_, now)| now.is_none());
            changes.extend(gone.into_iter().map(|(object, _)| Change::Delete(object.clone())));
            let there = there.into_iter().filter_map(|(_, now)| now);
            changes.extend(there.map(|declaration| Change::Apply(declaration.object.as_ref().clone())));
        }
        changes
    }

    /// The objects that are not the same as before, by environment, in order.
    fn differing_from<'a>(
        &'a self,
        before: &'a Self,
        is_same: impl Fn(&Declaration, &Declaration) -> bool,
    ) -> Vec<(&'a Name, Vec<Differing<'a>>)> {
        static NONE: Objects = Objects::new();
        let environments: BTreeSet<&Name> = before.environments.keys().chain(self.environments.keys()).collect();
        let differing = environments.into_iter().map(|environment| {
            let of = |loaded: &'a Self| loaded.environments.get(environment).unwrap_or(&NONE);
            let (mut old, mut new) = (of(before).iter().peekable(), of(self).iter().peekable());
            let mut differing = Vec::new();
            // Both are in the same order.
            loop {
                let order = match (old.peek(), new.peek()) {
                    (Some((old, _)), Some((new, _))) => old.cmp(new),
                    (Some(_), None) => Ordering::Less,
                    (None, Some(_)) => Ordering::Greater,
                    (None, None) => break,
                };
                let was = if order.is_le() { old.next() } else { None };
                let is = if order.is_ge() { new.next() } else { None };
                match (was, is) {
                    (Some((_, was)), Some((_, is))) if is_same(was, is) => {}
                    (_, Some((object, is))) => differing.push((object, Some(is))),
                    (Some((object, _)), None) => differing.push((object, None)),
                    (None, None) => {}
                }
            }
            (environment, differing)
        });
        differing.filter(|(_, differing)| !differing.is_empty()).collect()
    }

    /// Keeps what was declared before by files that are now unclear, as invalid objects. For what such a file
    /// restricts must not become free because the file cannot be read.
    pub fn withhold(&mut self, before: &Self) {
        for (environment, objects) in &before.environments {
            for (object_ref, declaration) in objects {
                let file = &declaration.place.file;
                if !self.unclear.iter().any(|unclear| file.starts_with(unclear)) {
                    continue;
                }
                let objects = self.environments.entry(environment.clone()).or_default();
                objects.entry(object_ref.clone()).or_insert_with(|| {
                    invalid(
                        declaration,
                        &format!("`{}` declared it, but not all of that can be read now", file.display()),
                    )
                });
            }
        }
    }

    /// Keeps the times of what has not changed since `before`, and those of the creation of what has, where its document does
    /// not tell them: the file's time is that of all objects in it, and of those of other files that were written again.
    pub fn keep_times(&mut self, before: &Self) {
        for (environment, objects) in &mut self.environments {
            let Some(before) = before.environments.get(environment) else { continue };
            let mut before = before.iter().peekable();
            for (object, declaration) in objects {
                // Both are in the same order.
                while before.next_if(|(other, _)| *other < object).is_some() {}
                if let Some((_, before)) = before.next_if(|(other, _)| *other == object)
                    && !Arc::ptr_eq(&before.record, &declaration.record)
                {
                    declaration.keep_times(&before.record);
                }
            }
        }
    }

    /// What is to be entered into the ledger so that it knows these objects instead of those of `before`, by environment and
    /// kind.
    #[must_use]
    pub fn entries_since(&self, before: &Self, revision: u64) -> BTreeMap<(Name, Kind), Vec<LedgerEntry>> {
        let is_same =
            |old: &Declaration, new: &Declaration| Arc::ptr_eq(&old.record, &new.record) || old.record == new.record;
        let mut entries: BTreeMap<(Name, Kind), Vec<LedgerEntry>> = BTreeMap::new();
        for (environment, differing) in self.differing_from(before, is_same) {
            for (object, declaration) in differing {
                let entry = LedgerEntry {
                    name: object.name.clone(),
                    record: declaration.map(|declaration| Record::clone(&declaration.record)),
                    changes_graph: Some(revision),
                };
                entries.entry((environment.clone(), object.kind)).or_default().push(entry);
            }
        }
        entries
    }
}

impl Declaration {
    fn keep_times(&mut self, before: &Record) {
        let mut record = Record::clone(&self.record);
        if !self.says_created {
            record.created = before.created;
        }
        if record.resource_version == before.resource_version {
            record.updated = before.updated;
        } else if record.updated <= before.updated {
            // A person changed it, and did not say when.
            record.updated = self.modified.into();
        }
        record.updated = record.updated.max(record.created);
        if record != *self.record {
            self.record = Arc::new(record);
        }
    }
}

/// Reads a folder again and again, and parses only the files whose content changed.
#[derive(Debug)]
pub struct Loader {
    root: PathBuf,
    default_environment: Name,
    /// What the files held when they were last read.
    parsed: HashMap<PathBuf, Parsed>,
    /// That is all there was: nothing was found that could not be read. None: it has not been read yet.
    was_complete: Option<bool>,
    hasher: RandomState,
    /// What somebody parsed in order to write it.
    pub(super) recent: Recent,
}

#[derive(Clone, Debug)]
struct Parsed {
    path: Arc<Path>,
    length: usize,
    hash: u64,
    stamp: Stamp,
    manifest: Arc<Manifest>,
}

/// How closely a folder is looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Care {
    /// Files whose time, size and place on the disk are the same are taken to be the same.
    Quick,
    /// Every file is read.
    Thorough,
}

/// Tells whether a file may have changed.
#[derive(Clone, Debug, PartialEq)]
struct Stamp {
    place: (u64, u64),
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    /// It had not been touched for a while when it was looked at, so that a later change shows in its times, however coarse
    /// they are.
    settled: bool,
}

/// How long a file must not have been touched for its times to tell that it is the same: no clock of a file system is coarser.
const SETTLED: Duration = Duration::from_secs(3);

impl Stamp {
    fn of(metadata: &fs::Metadata) -> Self {
        let newest = metadata.mtime().max(metadata.ctime());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let settled = u64::try_from(newest).is_ok_and(|newest| now.saturating_sub(SETTLED).as_secs() > newest);
        Self {
            place: (metadata.dev(), metadata.ino()),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            settled,
        }
    }

    /// To the millisecond, as it may be written down.
    fn modified(&self) -> Timestamp {
        let (seconds, nanoseconds) = self.modified;
        let milliseconds = i32::try_from(nanoseconds).unwrap_or_default() / 1_000_000;
        Timestamp::new(seconds, milliseconds * 1_000_000).unwrap_or_default()
    }
}

impl Loader {
    pub fn new(root: PathBuf, default_environment: Name) -> Self {
        let (hasher, recent) = (RandomState::new(), Recent::default());
        Self { root, default_environment, parsed: HashMap::new(), was_complete: None, hasher, recent }
    }

    /// What the folder declares now; none: the same as when it was read last. And the folders in which a change may change
    /// that.
    pub fn load(&mut self, care: Care) -> (Option<Loaded>, BTreeSet<PathBuf>) {
        let Walk { files, folders, unreadable } = walk(&self.root);
        let mut manifests = Vec::with_capacity(files.len());
        let mut parsed = HashMap::with_capacity(files.len());
        let mut is_complete = unreadable.is_empty();
        let mut is_same = files.len() == self.parsed.len();
        for (file, metadata) in files {
            let entry = match self.unchanged(&file, &metadata).filter(|_| care == Care::Quick) {
                Some(known) => Ok(known.clone()),
                None => read(&file).map(|(content, metadata)| self.parse(&file, &content, Stamp::of(&metadata))),
            };
            match entry {
                Ok(entry) => {
                    is_same &= self.parsed.get(&file).is_some_and(|it| Arc::ptr_eq(&it.manifest, &entry.manifest));
                    manifests.push((Arc::clone(&entry.path), Arc::clone(&entry.manifest)));
                    parsed.insert(file, entry);
                }
                Err(message) => {
                    is_complete = false;
                    manifests.push(unreadable_manifest(file.into(), message));
                }
            }
        }
        self.parsed = parsed;
        if care == Care::Thorough {
            // It is kept for writes that follow each other closely, not for ever.
            self.recent.forget();
        }
        let was_complete = self.was_complete.replace(is_complete);
        if is_same && is_complete && was_complete == Some(true) {
            return (None, folders);
        }
        manifests.extend(unreadable.into_iter().map(|(path, message)| unreadable_manifest(path.into(), message)));
        (Some(merge(&manifests)), folders)
    }

    /// What a file was found to hold, if it cannot have changed since.
    fn unchanged(&self, file: &Path, metadata: &fs::Metadata) -> Option<&Parsed> {
        self.parsed.get(file).filter(|known| known.stamp.settled && known.stamp == Stamp::of(metadata))
    }

    fn parse(&self, file: &Path, content: &[u8], stamp: Stamp) -> Parsed {
        let (length, hash) = (content.len(), self.hasher.hash_one(content));
        if let Some(known) = self.parsed.get(file)
            && (known.length, known.hash) == (length, hash)
        {
            return Parsed { stamp, ..known.clone() };
        }
        let path: Arc<Path> = file.into();
        let manifest = match std::str::from_utf8(content) {
            Ok(text) => Manifest::parse(&path, text, &self.recent, &self.default_environment, stamp.modified()),
            Err(error) => {
                let place = Place { file: Arc::clone(&path), position: None };
                Manifest::unreadable(place, format!("is not UTF-8: {error}"))
            }
        };
        Parsed { path, length, hash, stamp, manifest: Arc::new(manifest) }
    }
}

fn unreadable_manifest(path: Arc<Path>, message: String) -> (Arc<Path>, Arc<Manifest>) {
    let place = Place { file: Arc::clone(&path), position: None };
    (path, Arc::new(Manifest::unreadable(place, message)))
}

/// The content of a file, and what is known of it, as of before it was read.
fn read(path: &Path) -> Result<(Vec<u8>, fs::Metadata), String> {
    let read = || -> io::Result<(Vec<u8>, fs::Metadata)> {
        let mut content = Vec::new();
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut content)?;
        Ok((content, metadata))
    };
    let (content, metadata) = read().map_err(|error| format!("cannot be read: {error}"))?;
    if content.len() as u64 > MAX_FILE_BYTES {
        return Err(format!("is larger than {} MiB; split it", MAX_FILE_BYTES / (1024 * 1024)));
    }
    Ok((content, metadata))
}

/// Puts together what the files declare, each object once.
fn merge(manifests: &[(Arc<Path>, Arc<Manifest>)]) -> Loaded {
    let mut loaded = Loaded::default();
    let mut repeated: BTreeMap<(Name, ObjectRef), Vec<&Declaration>> = BTreeMap::new();
    let mut ignored = 0;
    for (path, manifest) in manifests {
        let Manifest { declarations, problems, unclear, foreign } = manifest.as_ref();
        for declaration in declarations {
            let Declaration { environment, .. } = declaration;
            let objects = loaded.environments.entry(environment.clone()).or_default();
            match objects.entry(declaration.object_ref()) {
                Entry::Vacant(vacant) => drop(vacant.insert(declaration.clone())),
                Entry::Occupied(occupied) => {
                    repeated.entry((environment.clone(), occupied.key().clone())).or_default().push(declaration);
                }
            }
        }
        loaded.problems.extend(problems.iter().cloned());
        if *unclear {
            loaded.unclear.insert(Arc::clone(path));
        }
        ignored += foreign;
    }
    for ((environment, object_ref), others) in repeated {
        let Some(first) = loaded.environments.get_mut(&environment).and_then(|objects| objects.get_mut(&object_ref))
        else {
            continue;
        };
        loaded.problems.extend(others.iter().map(|other| Problem {
            place: other.place.clone(),
            object: Some(object_ref.clone()),
            field: None,
            message: format!("is declared at {} already; remove one of the two", first.place),
        }));
        let places: Vec<_> = [&*first]
            .into_iter()
            .chain(others.iter().copied())
            .map(|declaration| declaration.place.to_string())
            .collect();
        let problem = format!("declared more than once: at {}; keep one", places.join(" and at "));
        let again = others.iter().map(|other| other.place.clone()).collect();
        *first = Declaration { again, ..invalid(first, &problem) };
    }
    if ignored > 0 {
        debug!(ignored, "objects of other API groups are ignored");
    }
    loaded
}

/// The declaration, but of an object that grants nothing.
fn invalid(declaration: &Declaration, problem: &str) -> Declaration {
    let object = &declaration.object;
    let metadata = Metadata { name: object.name.clone(), created: object.created, deleting: object.deleting };
    Declaration { object: Arc::new(convert::invalid(object.fact.kind(), metadata, problem)), ..declaration.clone() }
}
