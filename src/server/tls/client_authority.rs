//! The authorities whose certificates clients may show, or must.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::RwLock;
use prometheus_client::{metrics::counter::Counter, registry::Registry};
use rustls::{
    DigitallySignedStruct, DistinguishedName, RootCertStore, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::ring,
    pki_types::{CertificateDer, UnixTime, pem::PemObject},
    server::{
        ClientCertVerifierBuilder, VerifierBuilderError, WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};

use crate::server::follow::read_again_and_again;

/// Why the authorities cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientAuthorityError {
    /// The file cannot be read.
    #[error("cannot read {}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The certificates cannot be read.
    #[error("a certificate is not in PEM, or garbled")]
    Garbled,
    /// One of them is not an authority's.
    #[error("a certificate cannot be used: {0}")]
    Certificate(#[source] rustls::Error),
    /// There are none.
    #[error("it has no certificate in PEM")]
    Empty,
    /// They cannot be used together.
    #[error("no authority can be made of it: {0}")]
    Verifier(#[source] VerifierBuilderError),
}

/// What lets nobody connect but clients with a certificate of one of these authorities, in PEM.
///
/// # Errors
/// Where they cannot be used.
pub fn required_clients(authorities: &[u8]) -> Result<Arc<dyn ClientCertVerifier>, ClientAuthorityError> {
    verifier(authorities, |builder| builder)
}

/// The authorities of a file. Clients may show a certificate of one of them, or none at all.
///
/// # Guarantees
/// What cannot be used is never trusted: those before stay. Connections that exist are not affected by an exchange.
#[derive(Debug)]
pub struct ClientAuthority {
    path: PathBuf,
    current: RwLock<Arc<dyn ClientCertVerifier>>,
    read: RwLock<Vec<u8>>,
    errors: Counter,
}

impl ClientAuthority {
    /// Those of a file with certificates in PEM. Registers its figures.
    ///
    /// # Errors
    /// Where it cannot be read or used.
    pub fn open(path: impl Into<PathBuf>, registry: &mut Registry) -> Result<Arc<Self>, ClientAuthorityError> {
        let path = path.into();
        let pem = read(&path)?;
        let current = RwLock::new(optional_clients(&pem)?);
        let errors = Counter::default();
        registry.register(
            "client_authority_errors",
            "Times that the authorities of clients could not be read or used, so that those before were kept",
            errors.clone(),
        );
        Ok(Arc::new(Self { path, current, read: RwLock::new(pem), errors }))
    }

    /// Has every change of the file take effect, without end.
    pub async fn follow(&self) {
        read_again_and_again("the authorities of clients", &self.errors, || self.read_again()).await;
    }

    fn read_again(&self) -> Result<(), ClientAuthorityError> {
        let pem = read(&self.path)?;
        if *self.read.read() != pem {
            *self.current.write() = optional_clients(&pem)?;
            *self.read.write() = pem;
            tracing::info!("clients are trusted by new authorities");
        }
        Ok(())
    }

    fn current(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::clone(&self.current.read())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ClientAuthorityError> {
    fs::read(path).map_err(|source| ClientAuthorityError::Unreadable { path: path.to_owned(), source })
}

fn optional_clients(pem: &[u8]) -> Result<Arc<dyn ClientCertVerifier>, ClientAuthorityError> {
    verifier(pem, ClientCertVerifierBuilder::allow_unauthenticated)
}

fn verifier(
    pem: &[u8],
    adjust: impl FnOnce(ClientCertVerifierBuilder) -> ClientCertVerifierBuilder,
) -> Result<Arc<dyn ClientCertVerifier>, ClientAuthorityError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| ClientAuthorityError::Garbled)?;
        roots.add(certificate).map_err(ClientAuthorityError::Certificate)?;
    }
    if roots.is_empty() {
        return Err(ClientAuthorityError::Empty);
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(ring::default_provider()));
    adjust(builder).build().map_err(ClientAuthorityError::Verifier)
}

impl ClientCertVerifier for ClientAuthority {
    fn client_auth_mandatory(&self) -> bool {
        // Callers may have another credential, and some endpoints ask for none.
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // They change, and clients have one certificate at the most.
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.current().verify_client_cert(certificate, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.current().verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.current().verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.current().supported_verify_schemes()
    }
}
