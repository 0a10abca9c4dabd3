//! TLS on a listener: whoever connects is greeted with a certificate that can be exchanged at any time.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `certificate` | the certificate |
//! | `client_authority` | whose certificates clients may show |
//! | `files` | certificates from mounted files |

mod certificate;
mod client_authority;
mod files;

pub use certificate::{Certificate, CertificateError};
pub use client_authority::{ClientAuthority, ClientAuthorityError};
pub use files::follow_files;

use std::{io, sync::Arc};

use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
};
use tokio_rustls::TlsAcceptor;

/// Who may connect.
#[derive(Clone, Debug)]
pub enum Clients {
    /// Whoever can.
    Anybody,
    /// Whoever can; whoever shows a certificate that one of these authorities signed is known by it.
    KnownBy(Arc<ClientAuthority>),
    /// Whoever shows a certificate that one of these authorities signed.
    SignedBy(Arc<RootCertStore>),
}

impl Clients {
    /// Those with a certificate of one of these authorities, in PEM.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn signed_by(authorities: &[u8]) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for authority in CertificateDer::pem_slice_iter(authorities) {
            let authority = authority.map_err(|_| "is not in PEM, or garbled")?;
            roots.add(authority).map_err(|error| format!("has a certificate that cannot be used: {error}"))?;
        }
        if roots.is_empty() {
            return Err("has no certificate in PEM".to_owned());
        }
        Ok(Self::SignedBy(Arc::new(roots)))
    }

    fn verifier(&self) -> io::Result<Arc<dyn ClientCertVerifier>> {
        match self {
            Self::Anybody => Ok(WebPkiClientVerifier::no_client_auth()),
            Self::KnownBy(authority) => Ok(Arc::clone(authority) as _),
            Self::SignedBy(roots) => {
                let provider = Arc::new(ring::default_provider());
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), provider).build();
                Ok(verifier.map_err(io::Error::other)?)
            }
        }
    }
}

/// What greets with the certificate, and offers HTTP/2 and HTTP/1.1; while there is none to show, nobody can connect.
pub(super) fn acceptor(certificate: Arc<Certificate>, clients: &Clients) -> io::Result<TlsAcceptor> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_client_cert_verifier(clients.verifier()?)
        .with_cert_resolver(certificate);
    if !matches!(clients, Clients::Anybody) {
        // Whoever comes again shows the certificate again: its authority may not be trusted any more.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
