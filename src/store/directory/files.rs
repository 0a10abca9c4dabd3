//! Files that are there as a whole or not at all.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::{source::directory::MAX_FILE_BYTES, store::Error};

/// How the names of files begin that are not complete yet. With a dot: readers pass them over.
const TEMPORARY_PREFIX: &str = ".bailiwick-";

/// Any of the permissions to write.
const WRITABLE: u32 = 0o222;

/// What a file held, and how to tell whether it was touched since.
#[derive(Debug)]
pub struct Original {
    /// What it held.
    pub text: String,
    stamp: Stamp,
}

type Stamp = (u64, u64, u64, i64, i64, i64, i64);

fn stamp(metadata: &fs::Metadata) -> Stamp {
    (
        metadata.dev(),
        metadata.ino(),
        metadata.len(),
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ctime(),
        metadata.ctime_nsec(),
    )
}

/// One change of the folder.
#[derive(Debug)]
pub struct Step {
    /// The file that is changed.
    pub file: PathBuf,
    /// How.
    pub action: Action,
}

/// What becomes of a file.
#[derive(Debug)]
pub enum Action {
    /// It is not there yet, and is to hold this.
    Create(String),
    /// It is to hold something else.
    Replace(String),
    /// It is to go.
    Remove,
}

/// What a file holds that is to be changed.
///
/// # Errors
/// Where it cannot be read, or is not to be written.
pub fn open(root: &Path, file: &Path) -> Result<Original, Error> {
    not_linked(root, file)?;
    let failed = |error: io::Error| cannot("read", file, &error);
    let metadata = fs::metadata(file).map_err(failed)?;
    let text = fs::read_to_string(file).map_err(failed)?;
    if metadata.mode() & WRITABLE == 0 {
        return Err(read_only(file, "is read-only", "let it be written (`chmod u+w`)"));
    }
    writable_folder(file)?;
    Ok(Original { text, stamp: stamp(&metadata) })
}

/// Whether nobody has touched a file since it was read.
#[must_use]
pub fn is_untouched(file: &Path, original: &Original) -> bool {
    fs::metadata(file).is_ok_and(|metadata| stamp(&metadata) == original.stamp)
}

/// Carries out a step. False: the file that it would create is there already.
///
/// # Errors
/// Where the folder or the file cannot be written.
pub fn carry_out(Step { file, action }: &Step) -> Result<bool, Error> {
    match action {
        Action::Create(text) => create(file, text),
        Action::Replace(text) => replace(file, text).map(|()| true),
        Action::Remove => remove(file).map(|()| true),
    }
}

/// Refuses what readers would refuse to read.
///
/// # Errors
/// Where the text is too large for a file.
pub fn check_size(file: &Path, text: &str) -> Result<(), Error> {
    if text.len() as u64 > MAX_FILE_BYTES {
        let limit = MAX_FILE_BYTES / (1024 * 1024);
        return Err(read_only(file, &format!("would become larger than {limit} MiB"), "split it"));
    }
    Ok(())
}

fn create(file: &Path, text: &str) -> Result<bool, Error> {
    let folder = folder_of(file);
    let failed = |error: &io::Error| cannot("create", file, error);
    if !folder.exists() {
        writable_folder(folder)?;
        fs::create_dir(folder).map_err(|error| failed(&error))?;
    }
    writable_folder(file)?;
    let temporary = temporary(folder, text, Permissions::from_mode(0o666)).map_err(|error| failed(&error))?;
    match temporary.persist_noclobber(file) {
        Ok(_) => sync(folder).map(|()| true).map_err(|error| failed(&error)),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(&error.error)),
    }
}

fn replace(file: &Path, text: &str) -> Result<(), Error> {
    let folder = folder_of(file);
    let replace = || -> io::Result<()> {
        let metadata = fs::metadata(file)?;
        let temporary = temporary(folder, text, metadata.permissions())?;
        temporary.as_file().set_permissions(metadata.permissions())?;
        if let Ok(own) = temporary.as_file().metadata()
            && (own.uid(), own.gid()) != (metadata.uid(), metadata.gid())
        {
            // Only a privileged program may do that; the others own what they write.
            let _ = std::os::unix::fs::chown(temporary.path(), Some(metadata.uid()), Some(metadata.gid()));
        }
        temporary.persist(file).map_err(|error| error.error)?;
        sync(folder)
    };
    replace().map_err(|error| cannot("write", file, &error))
}

fn remove(file: &Path) -> Result<(), Error> {
    let remove = || fs::remove_file(file).and_then(|()| sync(folder_of(file)));
    remove().map_err(|error| cannot("remove", file, &error))
}

fn temporary(folder: &Path, text: &str, permissions: Permissions) -> io::Result<NamedTempFile> {
    let mut temporary =
        tempfile::Builder::new().prefix(TEMPORARY_PREFIX).permissions(permissions).tempfile_in(folder)?;
    temporary.write_all(text.as_bytes())?;
    temporary.as_file().sync_all()?;
    Ok(temporary)
}

/// Makes what became of the files of a folder last.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("."))
}

/// The folder that something lies in must be meant to be written, also where the program might do so all the same.
fn writable_folder(of: &Path) -> Result<(), Error> {
    let folder = folder_of(of);
    let metadata = fs::metadata(folder).map_err(|error| cannot("write into", folder, &error))?;
    if metadata.mode() & WRITABLE == 0 {
        return Err(read_only(folder, "is read-only", "let it be written (`chmod u+w`)"));
    }
    Ok(())
}

/// A link leads to where somebody else keeps the file, as in a mounted `ConfigMap`, who would undo the change.
fn not_linked(root: &Path, file: &Path) -> Result<(), Error> {
    for path in file.ancestors().take_while(|path| *path != root) {
        if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
            return Err(read_only(
                path,
                "is a symbolic link",
                "change what it leads to at its source, or put the file itself there",
            ));
        }
    }
    Ok(())
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Error {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    let path = path.display();
    match error.kind() {
        PermissionDenied | ReadOnlyFilesystem => Error::ReadOnly {
            problem: format!(
                "cannot {what} `{path}`: {error}; let the program write there, or change the manifests yourself"
            ),
        },
        _ => Error::Unavailable { problem: format!("cannot {what} `{path}`: {error}") },
    }
}

fn read_only(path: &Path, problem: &str, remedy: &str) -> Error {
    Error::ReadOnly { problem: format!("`{}` {problem}; {remedy}, or change the manifests yourself", path.display()) }
}
