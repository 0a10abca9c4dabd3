//! A whole folder of manifests, read.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, hash_map::RandomState},
    fs::File,
    hash::BuildHasher,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use tracing::debug;

use super::{
    manifest::{Declaration, Manifest},
    problem::{Place, Problem},
    walk::{Walk, walk},
};
use crate::{
    graph::facts::{Change, Name, ObjectRef},
    source::convert::{self, Metadata},
};

/// How large a manifest may be, in bytes.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// The objects of one environment.
pub type Objects = BTreeMap<ObjectRef, Declaration>;

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
        let none = Objects::new();
        let environments: BTreeSet<&Name> = before.environments.keys().chain(self.environments.keys()).collect();
        environments
            .into_iter()
            .map(|environment| {
                let old = before.environments.get(environment).unwrap_or(&none);
                let new = self.environments.get(environment).unwrap_or(&none);
                (environment.clone(), changes(old, new))
            })
            .filter(|(_, changes)| !changes.is_empty())
            .collect()
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
}

fn changes(old: &Objects, new: &Objects) -> Vec<Change> {
    let gone = old.keys().filter(|object| !new.contains_key(object)).cloned().map(Change::Delete);
    let changed = new.iter().filter(|(object, declaration)| {
        old.get(object).is_none_or(|before| {
            !Arc::ptr_eq(&before.object, &declaration.object) && before.object != declaration.object
        })
    });
    gone.chain(changed.map(|(_, declaration)| Change::Apply(declaration.object.as_ref().clone()))).collect()
}

/// Reads a folder again and again, and parses only the files whose content changed.
#[derive(Debug)]
pub struct Loader {
    root: PathBuf,
    default_environment: Name,
    /// What the files held when they were last read.
    parsed: HashMap<PathBuf, Parsed>,
    hasher: RandomState,
}

#[derive(Clone, Debug)]
struct Parsed {
    length: usize,
    hash: u64,
    manifest: Arc<Manifest>,
}

impl Loader {
    pub fn new(root: PathBuf, default_environment: Name) -> Self {
        Self { root, default_environment, parsed: HashMap::new(), hasher: RandomState::new() }
    }

    /// What the folder declares now, and the folders in which a change may change that.
    pub fn load(&mut self) -> (Loaded, BTreeSet<PathBuf>) {
        let Walk { files, folders, unreadable } = walk(&self.root);
        let mut manifests = Vec::with_capacity(files.len());
        let mut parsed = HashMap::with_capacity(files.len());
        for file in files {
            let path: Arc<Path> = Arc::from(file.as_path());
            match read(&file) {
                Ok(content) => {
                    let entry = self.parse(&path, &content);
                    manifests.push((path, Arc::clone(&entry.manifest)));
                    parsed.insert(file, entry);
                }
                Err(message) => manifests.push(unreadable_manifest(path, message)),
            }
        }
        self.parsed = parsed;
        manifests.extend(unreadable.into_iter().map(|(path, message)| unreadable_manifest(path.into(), message)));
        (merge(&manifests), folders)
    }

    fn parse(&self, path: &Arc<Path>, content: &[u8]) -> Parsed {
        let (length, hash) = (content.len(), self.hasher.hash_one(content));
        if let Some(known) = self.parsed.get(path.as_ref())
            && (known.length, known.hash) == (length, hash)
        {
            return known.clone();
        }
        let manifest = match std::str::from_utf8(content) {
            Ok(text) => Manifest::parse(path, text, &self.default_environment),
            Err(error) => {
                let place = Place { file: Arc::clone(path), position: None };
                Manifest::unreadable(place, format!("is not UTF-8: {error}"))
            }
        };
        Parsed { length, hash, manifest: Arc::new(manifest) }
    }
}

fn unreadable_manifest(path: Arc<Path>, message: String) -> (Arc<Path>, Arc<Manifest>) {
    let place = Place { file: Arc::clone(&path), position: None };
    (path, Arc::new(Manifest::unreadable(place, message)))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let read = || -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut content)?;
        Ok(content)
    };
    let content = read().map_err(|error| format!("cannot be read: {error}"))?;
    if content.len() as u64 > MAX_FILE_BYTES {
        return Err(format!("is larger than {} MiB; split it", MAX_FILE_BYTES / (1024 * 1024)));
    }
    Ok(content)
}

/// Puts together what the files declare, each object once.
fn merge(manifests: &[(Arc<Path>, Arc<Manifest>)]) -> Loaded {
    let mut loaded = Loaded::default();
    let mut declared: BTreeMap<(&Name, ObjectRef), Vec<&Declaration>> = BTreeMap::new();
    let mut ignored = 0;
    for (path, manifest) in manifests {
        let Manifest { declarations, problems, unclear, foreign } = manifest.as_ref();
        for declaration in declarations {
            declared.entry((&declaration.environment, declaration.object_ref())).or_default().push(declaration);
        }
        loaded.problems.extend(problems.iter().cloned());
        if *unclear {
            loaded.unclear.insert(Arc::clone(path));
        }
        ignored += foreign;
    }
    for ((environment, object_ref), declarations) in declared {
        let declaration = if let [only] = declarations.as_slice() {
            Declaration::clone(only)
        } else {
            let (first, others) = (declarations[0], &declarations[1..]);
            loaded.problems.extend(others.iter().map(|other| Problem {
                place: other.place.clone(),
                object: Some(object_ref.clone()),
                field: None,
                message: format!("is declared at {} already; remove one of the two", first.place),
            }));
            let places: Vec<_> = declarations.iter().map(|declaration| declaration.place.to_string()).collect();
            invalid(first, &format!("declared more than once: at {}; keep one", places.join(" and at ")))
        };
        loaded.environments.entry(environment.clone()).or_default().insert(object_ref, declaration);
    }
    if ignored > 0 {
        debug!(ignored, "objects of other API groups are ignored");
    }
    loaded
}

/// The declaration, but of an object that grants nothing.
fn invalid(declaration: &Declaration, problem: &str) -> Declaration {
    let Declaration { environment, object, place } = declaration;
    let metadata = Metadata { name: object.name.clone(), created: object.created, deleting: object.deleting };
    Declaration {
        environment: environment.clone(),
        object: Arc::new(convert::invalid(object.fact.kind(), metadata, problem)),
        place: place.clone(),
    }
}
