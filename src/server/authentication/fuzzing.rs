//! What the fuzzers of `fuzz/` reach that nobody else does. The program has no such module.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;

use super::{Digest, callers::Callers, certificate::ClientCertificate};

/// Reads the text of a file of callers, and asks for callers that it does not tell of.
///
/// # Panics
/// Where one of them is known.
pub fn read_callers(text: &str) {
    let mut callers = Callers::default();
    if callers.add(text).is_ok() {
        // No text holds its own digest.
        assert!(callers.with_key(&Digest::of(text.as_bytes()), Timestamp::MIN).is_none());
        assert!(callers.with_certificate("", Timestamp::MIN).is_none());
    }
}

/// Reads the certificate of a client, in DER.
pub fn read_certificate(der: &[u8]) {
    let _ = ClientCertificate::read(&CertificateDer::from(der));
}
