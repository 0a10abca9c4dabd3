//! TLS on a listener: whoever connects is greeted with a certificate that can be exchanged at any time.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `certificate` | the certificate |
//! | `client_authority` | whose certificates clients may show, or must |
//! | `files` | certificates from mounted files |

mod certificate;
mod client_authority;
mod files;

pub use certificate::{Certificate, CertificateError};
#[cfg(fuzzing)]
pub use client_authority::read_authorities;
pub use client_authority::{ClientAuthority, ClientAuthorityError};
pub use files::follow_files;

use std::{io, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::ring,
    server::{NoServerSessionStorage, danger::ClientCertVerifier},
};
use tokio_rustls::TlsAcceptor;

/// What greets with the certificate, and offers HTTP/2 and HTTP/1.1; while there is none to show, nobody can connect. Clients are asked
/// for a certificate where there is something that judges it.
pub(super) fn acceptor(
    certificate: Arc<Certificate>,
    clients: Option<Arc<dyn ClientCertVerifier>>,
) -> io::Result<TlsAcceptor> {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let asks = clients.is_some();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => builder.with_client_cert_verifier(clients),
    };
    let mut config = builder.with_cert_resolver(certificate);
    if asks {
        // Whoever comes again shows the certificate again: its authority may not be trusted any more.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
