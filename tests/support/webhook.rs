//! The admission webhook, as the API server calls it: examples/webhook, but for where it is.

use std::{io, net::TcpStream, path::Path, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};
use serde_json::{Value, json};

use super::{
    bailiwick::Bailiwick,
    control_plane::{ControlPlane, REPLICAS},
    manifests,
    wait::PATIENCE,
};

const CONFIGURATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/webhook/webhook.yaml");

/// The service account of the operator in the examples.
const OPERATOR: &str = "system:serviceaccount:bailiwick:bailiwick";

/// The host by which API servers of tests call.
pub const HOST: &str = "127.0.0.1";

/// A certificate authority.
#[derive(Debug)]
pub struct Authority {
    /// Its certificate, in PEM.
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new one.
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// Puts a new certificate for [`HOST`] and its key into a folder, as a mounted Secret has them.
    pub fn issue_into(&self, folder: &Path) {
        let issued = self.issue(&CertificateParams::new(vec![HOST.to_owned()]).expect("parameters"));
        std::fs::write(folder.join("tls.key"), issued.key).expect("a file");
        std::fs::write(folder.join("tls.crt"), issued.certificate).expect("a file");
    }

    /// A new certificate.
    pub fn issue(&self, params: &CertificateParams) -> Issued {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate").pem();
        Issued { certificate, key: key.serialize_pem() }
    }
}

/// A certificate and its key, in PEM.
#[derive(Debug)]
pub struct Issued {
    pub certificate: String,
    pub key: String,
}

/// A connection with TLS.
pub type Connection = StreamOwned<ClientConnection, TcpStream>;

/// A connection of somebody who trusts these authorities (PEM) only, to whoever listens at `address:port`.
///
/// # Errors
/// Where the other side shows no certificate of theirs, or none at all.
pub fn connect(address: &str, authorities: &str) -> io::Result<Connection> {
    connect_offering(address, authorities, &[])
}

/// The same, by somebody who offers to speak these protocols.
///
/// # Errors
/// Where the other side shows no certificate of theirs, or none at all.
pub fn connect_offering(address: &str, authorities: &str, protocols: &[&str]) -> io::Result<Connection> {
    connect_as(address, authorities, protocols, None)
}

/// The same, by somebody who shows this certificate when asked for one.
///
/// # Errors
/// Where the other side shows no certificate of theirs, or none at all.
pub fn connect_as(
    address: &str,
    authorities: &str,
    protocols: &[&str],
    client: Option<&Issued>,
) -> io::Result<Connection> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(authorities.as_bytes()).filter_map(Result::ok));
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    let mut config = match client {
        None => config.with_no_client_auth(),
        Some(Issued { certificate, key }) => {
            let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).expect("a certificate")];
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
            config.with_client_auth_cert(chain, key).expect("a certificate that goes with its key")
        }
    };
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let host = ServerName::try_from(HOST).expect("a host");
    let client = ClientConnection::new(Arc::new(config), host).map_err(io::Error::other)?;
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut connection = StreamOwned::new(client, stream);
    while connection.conn.is_handshaking() {
        connection.conn.complete_io(&mut connection.sock)?;
    }
    Ok(connection)
}

/// Where the admission webhook of an operator listens: `address:port`.
pub fn address(operator: &Bailiwick) -> String {
    let log = operator.log();
    let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let line = lines.find(|line| line["admission"].is_string()).unwrap_or_else(|| panic!("no webhook in: {log}"));
    line["admission"].as_str().expect("an address").to_owned()
}

/// Has the API server call the webhook at this address, and trust this authority, or, without one, nobody yet.
pub fn register(plane: &ControlPlane, address: &str, authority: Option<&Authority>) {
    let mut documents = manifests::documents(Path::new(CONFIGURATION));
    let configuration = &mut documents[0];
    assert_eq!(configuration["kind"], "ValidatingWebhookConfiguration");
    for webhook in configuration["webhooks"].as_array_mut().expect("webhooks") {
        let path = webhook["clientConfig"]["service"]["path"].as_str().expect("a path").to_owned();
        webhook["clientConfig"] = json!({"url": format!("https://{address}{path}")});
        if let Some(authority) = authority {
            let bundle = STANDARD.encode(&authority.pem);
            webhook["clientConfig"]["caBundle"] = json!(bundle);
        }
    }
    let text = configuration.to_string().replace(OPERATOR, REPLICAS[0]);
    plane.kubectl_with(&["apply", "--filename", "-"], &text).ok();
}
