//! The certificate that a client showed.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_cert::{
    der::{self, Decode as _},
    ext::pkix::{SubjectAltName, name::GeneralName},
};

/// What the certificate of a client says, whose authority is one of those that are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) struct ClientCertificate {
    /// The common name, then the alternative names: hosts, URIs, addresses of mail.
    pub names: Vec<String>,
    /// Connections outlive it.
    pub not_after: Timestamp,
}

impl ClientCertificate {
    pub fn read(certificate: &CertificateDer<'_>) -> der::Result<Self> {
        let certificate = x509_cert::Certificate::from_der(certificate)?;
        let certificate = certificate.tbs_certificate();
        let mut names: Vec<_> =
            certificate.subject().common_name()?.map(|name| name.value().into_owned()).into_iter().collect();
        if let Some((_critical, SubjectAltName(alternatives))) = certificate.get_extension::<SubjectAltName>()? {
            names.extend(alternatives.iter().filter_map(|name| match name {
                GeneralName::DnsName(name)
                | GeneralName::UniformResourceIdentifier(name)
                | GeneralName::Rfc822Name(name) => Some(name.to_string()),
                _ => None,
            }));
        }
        let not_after = certificate.validity().not_after.to_unix_duration();
        let not_after = Timestamp::UNIX_EPOCH.saturating_add(not_after).unwrap_or(Timestamp::MAX);
        Ok(Self { names, not_after })
    }
}
