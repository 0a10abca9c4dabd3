//! The certificate that a listener shows.

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::{Registry, Unit},
};
use rustls::{
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use x509_cert::der::Decode;

/// Why a certificate cannot be shown. Nothing of the key is ever told.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The certificates cannot be read.
    #[error("the certificate is not in PEM, or garbled")]
    Chain,
    /// The certificate's fields cannot be read.
    #[error("the certificate cannot be read: {0}")]
    Fields(#[source] x509_cert::der::Error),
    /// The key cannot be read.
    #[error("the private key is not in PEM, or garbled")]
    Key,
    /// The key is of another kind than is understood, or that of another certificate.
    #[error("the private key cannot be used with the certificate: {0}")]
    Pair(#[source] rustls::Error),
}

/// The certificate that a listener shows, which can be exchanged at any time.
///
/// # Guarantees
/// Connections that exist are not affected by an exchange. What cannot be used is never shown: the one before stays.
pub struct Certificate {
    /// What shows it.
    listener: &'static str,
    shown: RwLock<Option<Arc<CertifiedKey>>>,
    /// What was offered last, in PEM, so that the same is not judged, and told of, again and again.
    offered: Mutex<Option<(Vec<u8>, Vec<u8>)>>,
    not_after: Gauge,
    errors: Counter,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key must not get into a log.
        f.debug_struct("Certificate").field("not_after", &self.not_after.get()).finish_non_exhaustive()
    }
}

impl Certificate {
    fn of(listener: &'static str) -> Self {
        Self {
            listener,
            shown: RwLock::default(),
            offered: Mutex::default(),
            not_after: Gauge::default(),
            errors: Counter::default(),
        }
    }

    /// One for the API that is still to be offered. Registers its figures.
    #[must_use]
    pub fn register_for_api(registry: &mut Registry) -> Arc<Self> {
        Self::of("the API").registered_as(["api_certificate_not_after_timestamp", "api_certificate_errors"], registry)
    }

    /// One for the admission webhook that is still to be offered. Registers its figures.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Arc<Self> {
        Self::of("the admission webhook")
            .registered_as(["admission_certificate_not_after_timestamp", "admission_certificate_errors"], registry)
    }

    fn registered_as(self, [not_after, errors]: [&str; 2], registry: &mut Registry) -> Arc<Self> {
        let listener = self.listener;
        registry.register_with_unit(
            not_after,
            format!("When the certificate of {listener} expires, since 1970; 0: there is none yet"),
            Unit::Seconds,
            self.not_after.clone(),
        );
        registry.register(
            errors,
            format!("Certificates offered to {listener} that could not be used, so that the one before was kept"),
            self.errors.clone(),
        );
        Arc::new(self)
    }

    /// Shows this certificate from now on, if it can be used; otherwise the one before stays, which is logged once.
    ///
    /// `chain` begins with the certificate itself; both are in PEM.
    pub fn offer(&self, chain: &[u8], key: &[u8]) {
        let mut offered = self.offered.lock();
        if offered.as_ref().is_some_and(|(offered_chain, offered_key)| offered_chain == chain && offered_key == key) {
            return;
        }
        match certified(chain, key) {
            Ok((certified, not_after)) => {
                *self.shown.write() = Some(Arc::new(certified));
                self.not_after.set(not_after.as_second());
                tracing::info!(%not_after, listener = self.listener, "a new certificate is shown");
            }
            Err(error) => self.cannot_be_offered(&error),
        }
        *offered = Some((chain.to_vec(), key.to_vec()));
    }

    /// Notes that no certificate can be had, so that the one before stays.
    pub(super) fn cannot_be_offered(&self, error: &dyn std::error::Error) {
        self.errors.inc();
        tracing::error!(%error, listener = self.listener, "a certificate cannot be used; the one before, if there was one, is shown");
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.shown.read().clone()
    }
}

/// A certificate with its key, and when it expires.
fn certified(chain: &[u8], key: &[u8]) -> Result<(CertifiedKey, Timestamp), CertificateError> {
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>().map_err(|_| CertificateError::Chain)?;
    let leaf = chain.first().ok_or(CertificateError::Chain)?;
    let leaf = x509_cert::Certificate::from_der(leaf).map_err(CertificateError::Fields)?;
    let not_after = leaf.tbs_certificate().validity().not_after.to_unix_duration();
    let not_after = Timestamp::UNIX_EPOCH.saturating_add(not_after).unwrap_or(Timestamp::MAX);
    // Its error may quote the line that is wrong, which may be a part of the key.
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| CertificateError::Key)?;
    let certified = CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(CertificateError::Pair)?;
    Ok((certified, not_after))
}
