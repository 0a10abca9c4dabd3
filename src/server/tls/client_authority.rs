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
        VerifierBuilderError, WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};

use crate::server::follow::read_again_and_again;

/// Why the authorities cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientAuthorityError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
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

/// The authorities of a file. Clients may show a certificate of one of them, or must.
///
/// # Guarantees
/// What cannot be used is never trusted: those before stay. Connections that exist are not affected by an exchange.
#[derive(Debug)]
pub struct ClientAuthority {
    /// The setting that names the file.
    setting: &'static str,
    path: PathBuf,
    /// Whether clients must show one.
    required: bool,
    current: RwLock<Arc<dyn ClientCertVerifier>>,
    read: RwLock<Vec<u8>>,
    errors: Counter,
}

impl ClientAuthority {
    /// Those of a file with certificates in PEM, for the API: clients may show a certificate, or none at all. Registers its
    /// figures.
    ///
    /// # Errors
    /// Where it cannot be read or used.
    pub fn open(path: impl Into<PathBuf>, registry: &mut Registry) -> Result<Arc<Self>, ClientAuthorityError> {
        Ok(Self::of("--client-ca", path.into(), false)?.registered_as("client_authority_errors", registry))
    }

    /// The same for the authorization webhook, to which nobody connects without such a certificate.
    ///
    /// # Errors
    /// Where it cannot be read or used.
    pub fn open_required(path: impl Into<PathBuf>, registry: &mut Registry) -> Result<Arc<Self>, ClientAuthorityError> {
        let authority = Self::of("--authorization-client-ca", path.into(), true)?;
        Ok(authority.registered_as("authorization_client_authority_errors", registry))
    }

    fn of(setting: &'static str, path: PathBuf, required: bool) -> Result<Self, ClientAuthorityError> {
        let pem = read(&path)?;
        let current = RwLock::new(verifier(&pem, required)?);
        Ok(Self { setting, path, required, current, read: RwLock::new(pem), errors: Counter::default() })
    }

    fn registered_as(self, errors: &'static str, registry: &mut Registry) -> Arc<Self> {
        let setting = self.setting;
        let help = format!(
            "Times that the authorities of {setting} could not be read or used, so that those before were kept"
        );
        registry.register(errors, help, self.errors.clone());
        Arc::new(self)
    }

    /// Has every change of the file take effect, without end.
    pub async fn follow(&self) {
        read_again_and_again(self.setting, &self.errors, || self.read_again()).await;
    }

    fn read_again(&self) -> Result<(), ClientAuthorityError> {
        let pem = read(&self.path)?;
        if *self.read.read() != pem {
            *self.current.write() = verifier(&pem, self.required)?;
            *self.read.write() = pem;
            tracing::info!("clients are trusted by the new authorities of {}", self.setting);
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

fn verifier(pem: &[u8], required: bool) -> Result<Arc<dyn ClientCertVerifier>, ClientAuthorityError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| ClientAuthorityError::Garbled)?;
        roots.add(certificate).map_err(ClientAuthorityError::Certificate)?;
    }
    if roots.is_empty() {
        return Err(ClientAuthorityError::Empty);
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(ring::default_provider()));
    let builder = if required { builder } else { builder.allow_unauthenticated() };
    builder.build().map_err(ClientAuthorityError::Verifier)
}

/// Reads certificates of authorities in PEM, for the fuzzers of `fuzz/`. The program has no such function.
#[cfg(fuzzing)]
pub fn read_authorities(pem: &[u8]) {
    let _ = verifier(pem, true);
}

impl ClientCertVerifier for ClientAuthority {
    fn client_auth_mandatory(&self) -> bool {
        // Callers of the API may have another credential, and some of its endpoints ask for none.
        self.required
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
