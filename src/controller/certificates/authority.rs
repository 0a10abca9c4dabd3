//! A certificate authority of our own and the certificate that it issues: when either has to be made anew, and how.
//! Without I/O.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use jiff::Timestamp;
use k8s_openapi::ByteString;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, date_time_ymd,
};
use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    sign::CertifiedKey,
};
use x509_cert::{
    Certificate,
    der::{Decode, Encode, EncodePem, pem::LineEnding},
    time::Time,
};

/// How far the clocks of those who connect may lag behind.
const BACKDATED: Duration = Duration::from_mins(5);

/// The shortest life of a certificate: enough to renew it in time.
const MIN_CERTIFICATE_LIFETIME: Duration = Duration::from_secs(5);

/// How many authorities are trusted at the most: the newest, and those before it until nothing needs them.
const MAX_AUTHORITIES: usize = 3;

/// Whom certificates are for, and how long they live.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The names or addresses by which the API server calls.
    pub hosts: Vec<String>,
    /// How long a certificate lives.
    pub certificate_lifetime: Duration,
    /// How long an authority lives.
    pub authority_lifetime: Duration,
}

impl Terms {
    /// Whether certificates can be renewed in time and made at all.
    ///
    /// # Errors
    /// What is wrong and what to do.
    pub fn validate(&self) -> Result<(), String> {
        let Terms { hosts, certificate_lifetime, authority_lifetime } = self;
        if *certificate_lifetime < MIN_CERTIFICATE_LIFETIME {
            return Err(format!(
                "a certificate must live for {MIN_CERTIFICATE_LIFETIME:?} at least, so that it can be renewed in time"
            ));
        }
        if *authority_lifetime < 2 * *certificate_lifetime {
            return Err("the authority must live at least twice as long as a certificate".to_owned());
        }
        Material::default()
            .next(&[], false, Timestamp::now(), self)
            .map(drop)
            .map_err(|error| format!("no certificate can be made for {}: {error}", hosts.join(", ")))
    }
}

/// What the Secret holds, in PEM. What is missing there is empty here.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Material {
    /// The authorities to be trusted, the newest first.
    pub authorities: Vec<u8>,
    /// The key of the newest authority.
    authority_key: Vec<u8>,
    /// The certificate.
    pub certificate: Vec<u8>,
    /// Its key.
    pub key: Vec<u8>,
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The keys must not get into a log.
        f.debug_struct("Material").finish_non_exhaustive()
    }
}

impl Material {
    const FIELDS: [&str; 4] = ["ca.crt", "ca.key", "tls.crt", "tls.key"];

    /// Reads the data of a Secret.
    pub fn from_data(data: Option<&BTreeMap<String, ByteString>>) -> Self {
        let [authorities, authority_key, certificate, key] = Self::FIELDS
            .map(|field| data.and_then(|data| data.get(field)).map(|bytes| bytes.0.clone()).unwrap_or_default());
        Self { authorities, authority_key, certificate, key }
    }

    /// The data of a Secret.
    pub fn into_data(self) -> BTreeMap<String, ByteString> {
        let Self { authorities, authority_key, certificate, key } = self;
        let values = [authorities, authority_key, certificate, key].map(ByteString);
        Self::FIELDS.map(str::to_owned).into_iter().zip(values).collect()
    }

    /// What is to take its place; none: nothing, it is as it should be.
    ///
    /// `published` are the authorities that the API server trusts now, in PEM. `settled` says that it has trusted those
    /// of this material for so long, and every replica has shown this certificate for so long, that all of them know.
    ///
    /// # Guarantees
    /// - A certificate that works is replaced only by one whose authority has been trusted for a while, and an
    ///   authority ceases to be trusted only when nobody shows a certificate of its any more.
    /// - Whatever is garbled or missing is made anew.
    ///
    /// # Errors
    /// Where no certificate can be made for these hosts.
    pub fn next(
        &self,
        published: &[u8],
        settled: bool,
        now: Timestamp,
        terms: &Terms,
    ) -> Result<Option<Self>, rcgen::Error> {
        let mut next = self.clone();
        let mut authorities = Dated::read_all(&self.authorities, now);
        if authorities.is_empty() {
            authorities = Dated::read_all(published, now);
        }
        let works = self.working_certificate(&authorities, now, &terms.hosts);
        let known = authorities.first().filter(|newest| !newest.is_old(now)).and_then(|newest| self.key_of(newest));
        let is_known = known.is_some();
        let authority_key = if let Some(key) = known {
            key
        } else {
            let (authority, key) = new_authority(now, terms)?;
            authorities.insert(0, authority);
            authorities.truncate(MAX_AUTHORITIES);
            next.authority_key = key.serialize_pem().into_bytes();
            key
        };
        // INVARIANT: there is at least one authority from here on, the newest, which the key is of.
        match works {
            None => next.issue(&authorities[0], authority_key, now, terms)?,
            Some(certificate) if is_known && settled => {
                let by_newest = is_accepted(&certificate.der, &authorities[..1], now, &terms.hosts);
                if !by_newest || certificate.is_old(now) {
                    next.issue(&authorities[0], authority_key, now, terms)?;
                } else {
                    authorities.truncate(1);
                }
            }
            // Its time has not come: those who call do not trust the newest authority yet.
            Some(_) => {}
        }
        next.authorities = authorities.iter().flat_map(|authority| authority.pem.bytes()).collect();
        Ok((next != *self).then_some(next))
    }

    /// The certificate, if whoever trusts the authorities accepts it for every host and the key belongs to it.
    fn working_certificate(&self, authorities: &[Dated], now: Timestamp, hosts: &[String]) -> Option<Dated> {
        let certificate = Dated::read_all(&self.certificate, now).into_iter().next()?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).ok()?;
        CertifiedKey::from_der(vec![certificate.der.clone()], key, &ring::default_provider()).ok()?;
        is_accepted(&certificate.der, authorities, now, hosts).then_some(certificate)
    }

    /// The key of an authority, if it is here.
    fn key_of(&self, authority: &Dated) -> Option<KeyPair> {
        let key = KeyPair::from_pem(std::str::from_utf8(&self.authority_key).ok()?).ok()?;
        (key.subject_public_key_info() == authority.public_key).then_some(key)
    }

    /// Takes a new certificate of an authority.
    fn issue(
        &mut self,
        authority: &Dated,
        authority_key: KeyPair,
        now: Timestamp,
        terms: &Terms,
    ) -> Result<(), rcgen::Error> {
        let mut params = CertificateParams::new(terms.hosts.clone())?;
        params.distinguished_name = name("Bailiwick admission webhook");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        // None outlives its authority.
        live(&mut params, now, later(now, terms.certificate_lifetime).min(authority.not_after));
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &Issuer::new(authority_params(), authority_key))?;
        self.certificate = certificate.pem().into_bytes();
        self.key = key.serialize_pem().into_bytes();
        Ok(())
    }
}

/// A certificate and when it is valid.
struct Dated {
    der: CertificateDer<'static>,
    pem: String,
    public_key: Vec<u8>,
    created: Timestamp,
    not_after: Timestamp,
}

impl Dated {
    /// The certificates in a text, but for those that are garbled or have expired.
    fn read_all(pem: &[u8], now: Timestamp) -> Vec<Self> {
        let certificates = CertificateDer::pem_slice_iter(pem).filter_map(|der| Self::read(der.ok()?));
        certificates.filter(|certificate| now < certificate.not_after).collect()
    }

    fn read(der: CertificateDer<'static>) -> Option<Self> {
        let certificate = Certificate::from_der(&der).ok()?;
        let fields = certificate.tbs_certificate();
        let since_1970 = |time: Time| Timestamp::UNIX_EPOCH.checked_add(time.to_unix_duration()).ok();
        Some(Self {
            pem: certificate.to_pem(LineEnding::LF).ok()?,
            public_key: fields.subject_public_key_info().to_der().ok()?,
            created: since_1970(fields.validity().not_before)?.checked_add(BACKDATED).ok()?,
            not_after: since_1970(fields.validity().not_after)?,
            der,
        })
    }

    /// Whether two thirds of its life are over.
    fn is_old(&self, now: Timestamp) -> bool {
        now.duration_since(self.created) * 3 >= self.not_after.duration_since(self.created) * 2
    }
}

fn new_authority(now: Timestamp, terms: &Terms) -> Result<(Dated, KeyPair), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = authority_params();
    live(&mut params, now, later(now, terms.authority_lifetime));
    let certificate = params.self_signed(&key)?;
    let authority = Dated::read(certificate.der().clone()).ok_or(rcgen::Error::CouldNotParseCertificate)?;
    Ok((authority, key))
}

/// What all our authorities have in common, so that one can be had from its key alone.
fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name("Bailiwick admission webhook authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn live(params: &mut CertificateParams, from: Timestamp, until: Timestamp) {
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since_1970(from).saturating_sub(BACKDATED);
    params.not_after = epoch + since_1970(until);
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn since_1970(at: Timestamp) -> Duration {
    at.duration_since(Timestamp::UNIX_EPOCH).unsigned_abs()
}

/// Whether those who trust the authorities accept the certificate for every host.
fn is_accepted(certificate: &CertificateDer<'_>, authorities: &[Dated], now: Timestamp, hosts: &[String]) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(authorities.iter().map(|authority| authority.der.clone()));
    let provider = Arc::new(ring::default_provider());
    let Ok(verifier) = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build() else {
        return false;
    };
    hosts.iter().all(|host| {
        ServerName::try_from(host.as_str()).is_ok_and(|host| {
            let now = UnixTime::since_unix_epoch(since_1970(now));
            verifier.verify_server_cert(certificate, &[], &host, &[], now).is_ok()
        })
    })
}

#[cfg(test)]
mod tests;
