//! Certificates from mounted files, as cert-manager and Secrets of the type `kubernetes.io/tls` lay them out.

use std::{fs, io, path::Path, sync::Arc};

use tokio::time::sleep;

use super::Certificate;
use crate::server::follow::PAUSE;

/// Why the files cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}: {source}")]
struct Unreadable {
    path: String,
    source: io::Error,
}

/// Offers what the files `tls.crt` and `tls.key` of a folder hold, now and whenever it changes, without end.
pub async fn follow_files(folder: impl AsRef<Path> + Send, certificate: Arc<Certificate>) {
    let folder = folder.as_ref();
    let mut unreadable = false;
    loop {
        match read(folder) {
            Ok(Some((chain, key))) => {
                unreadable = false;
                certificate.offer(&chain, &key);
            }
            Err(error) if !unreadable => {
                unreadable = true;
                certificate.cannot_be_offered(&error);
            }
            Ok(None) | Err(_) => {}
        }
        sleep(PAUSE).await;
    }
}

/// The content of the two files.
type Pair = (Vec<u8>, Vec<u8>);

/// The certificate and the key. None: they were exchanged meanwhile, so that they may not belong together.
fn read(folder: &Path) -> Result<Option<Pair>, Unreadable> {
    let file = |name: &str| {
        let path = folder.join(name);
        fs::read(&path).map_err(|source| Unreadable { path: path.display().to_string(), source })
    };
    let both = || Ok((file("tls.crt")?, file("tls.key")?));
    let first = both()?;
    Ok((first == both()?).then_some(first))
}
