//! TLS on a listener: whoever connects is greeted with a certificate that can be exchanged at any time.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `certificate` | the certificate |
//! | `files` | certificates from mounted files |

mod certificate;
mod files;

pub use certificate::{Certificate, CertificateError};
pub use files::follow_files;

use std::{io, sync::Arc};

use rustls::{ServerConfig, crypto::ring};
use tokio_rustls::TlsAcceptor;

/// What greets with the certificate, and offers HTTP/2 and HTTP/1.1; while there is none to show, nobody can connect.
pub(super) fn acceptor(certificate: Arc<Certificate>) -> io::Result<TlsAcceptor> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
