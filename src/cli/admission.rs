//! The options of the admission webhook, and what they ask for.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use futures::future::BoxFuture;
use kube::Client;
use prometheus_client::registry::Registry;
use serde::Deserialize;
use serde_json::Value;

use super::{Error, host, options::duration};
use crate::{
    api,
    controller::{
        certificates::{self, Certificates, Terms},
        lease::Leadership,
    },
    graph::facts::Kind,
    server::{self, AdmissionListener, Certificate, ObjectFormat, Submitted},
    source::cluster::WatchedObject,
};

#[derive(Args, Debug)]
#[command(next_help_heading = "Admission webhook")]
#[group(skip)]
#[expect(clippy::struct_field_names, reason = "the names of the options")]
pub(super) struct Options {
    /// Where the validating admission webhook listens, with TLS. Needs --admission-certificate or
    /// --admission-secret. Without it there is none.
    #[arg(long, value_name = "ADDRESS:PORT", requires = "certificate", env = "BAILIWICK_ADMISSION_LISTEN")]
    admission_listen: Option<SocketAddr>,
    /// The folder of its certificate: tls.crt and tls.key, as cert-manager makes them. Followed when they change.
    #[arg(
        long,
        value_name = "DIR",
        group = "certificate",
        requires = "webhook",
        env = "BAILIWICK_ADMISSION_CERTIFICATE"
    )]
    admission_certificate: Option<PathBuf>,
    /// The Secret that the leader keeps a certificate in, and that every replica reads it from. It makes and renews the
    /// certificate and its authority by itself, and tells the API server whom to trust.
    #[arg(long, value_name = "NAME", group = "certificate", requires_all = ["admission_listen", "admission_hosts"], env = "BAILIWICK_ADMISSION_SECRET")]
    admission_secret: Option<String>,
    /// The namespace of that Secret. By default that of the pod, or of the kubeconfig's context.
    #[arg(long, value_name = "NAMESPACE", requires = "admission_secret", env = "BAILIWICK_ADMISSION_NAMESPACE")]
    admission_namespace: Option<String>,
    /// With --admission-secret: the ValidatingWebhookConfiguration whose caBundle the leader keeps right.
    #[arg(long, value_name = "NAME", default_value = "bailiwick", env = "BAILIWICK_ADMISSION_WEBHOOK")]
    admission_webhook: String,
    /// With --admission-secret: a host by which the API server calls, such as NAME.NAMESPACE.svc of the Service; can be
    /// repeated (in the variable: separated by commas).
    #[arg(long = "admission-host", value_name = "HOST", value_delimiter = ',', env = "BAILIWICK_ADMISSION_HOST")]
    admission_hosts: Vec<String>,
    /// With --admission-secret: how long a certificate lives. It is renewed when two thirds of that are over.
    #[arg(long, value_name = "DURATION", default_value = "720h", value_parser = duration, env = "BAILIWICK_ADMISSION_CERTIFICATE_LIFETIME")]
    admission_certificate_lifetime: Duration,
    /// With --admission-secret: how long the authority lives that issues them, renewed likewise.
    #[arg(long, value_name = "DURATION", default_value = "8760h", value_parser = duration, env = "BAILIWICK_ADMISSION_AUTHORITY_LIFETIME")]
    admission_authority_lifetime: Duration,
}

/// The certificate of the webhooks.
pub(super) struct KeptCertificate {
    /// What is shown to whoever connects.
    pub shown: Arc<Certificate>,
    /// Keeps it up to date, without end.
    pub kept: BoxFuture<'static, ()>,
}

impl Options {
    /// Whether a certificate can be made as the options say.
    pub fn validate(&self) -> Result<(), Error> {
        let made = if self.admission_secret.is_some() { self.terms().validate() } else { Ok(()) };
        made.map_err(|problem| Error::Usage(format!("--admission-secret: {problem}")))
    }

    fn terms(&self) -> Terms {
        Terms {
            hosts: self.admission_hosts.clone(),
            certificate_lifetime: self.admission_certificate_lifetime,
            authority_lifetime: self.admission_authority_lifetime,
        }
    }

    /// The certificate that the webhooks show, if there is to be one. Nothing is written without leadership.
    pub fn certificate(
        &self,
        client: &Client,
        registry: &mut Registry,
        leadership: Leadership,
    ) -> Option<KeptCertificate> {
        let mut shown = || Certificate::register(registry);
        if let Some(folder) = &self.admission_certificate {
            let shown = shown();
            return Some(KeptCertificate {
                kept: Box::pin(server::follow_files(folder.clone(), Arc::clone(&shown))),
                shown,
            });
        }
        let options = certificates::Options {
            namespace: self.admission_namespace.clone().unwrap_or_else(|| client.default_namespace().to_owned()),
            secret: self.admission_secret.clone()?,
            webhook: self.admission_webhook.clone(),
            terms: self.terms(),
        };
        let shown = shown();
        let offered = Arc::clone(&shown);
        let offer = move |chain: &[u8], key: &[u8]| offered.offer(chain, key);
        let certificates = Certificates::new(client, options, leadership, offer, registry);
        Some(KeptCertificate { shown, kept: Box::pin(certificates.run()) })
    }

    /// Binds the admission webhook, if there is to be one, which shows this certificate.
    pub async fn bind(&self, certificate: &Arc<Certificate>) -> Result<Option<(AdmissionListener, SocketAddr)>, Error> {
        let Some(address) = self.admission_listen else { return Ok(None) };
        let (listener, address) = host::listen(address, "--admission-listen").await?;
        let format = ObjectFormat { group: api::GROUP, read };
        Ok(Some((AdmissionListener { listener, certificate: Arc::clone(certificate), format }, address)))
    }
}

fn read(kind: Kind, object: &Value) -> Result<Submitted, String> {
    let read = WatchedObject::deserialize(object).map_err(|error| error.to_string())?;
    Ok(Submitted { restricted: read.is_restricted(), object: read.to_object(kind, read.name()).0 })
}
