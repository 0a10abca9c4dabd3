//! The certificate of the admission webhook, where the program manages it itself.
//!
//! A Secret holds a certificate authority and the certificate that it issued. The leader makes both, renews them in
//! time, and tells the API server whom to trust; every replica reads the Secret and shows the certificate in it.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `authority` | when something has to be made anew, and how, without I/O |

mod authority;

use std::{fmt, time::Duration};

use jiff::Timestamp;
use k8s_openapi::{
    ByteString,
    api::{
        admissionregistration::v1::{ValidatingWebhook, ValidatingWebhookConfiguration},
        core::v1::Secret,
    },
};
use kube::{
    Api, Client,
    api::{ObjectMeta, Patch, PatchParams, PostParams},
};
use prometheus_client::{metrics::counter::Counter, registry::Registry};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};
use tracing::{error, info, warn};

use self::authority::Material;
pub use self::authority::Terms;
use super::lease::Leadership;
use crate::source::describe_error;

/// The field manager of the Secret and of what is changed in the webhook's configuration.
const FIELD_MANAGER: &str = "bailiwick/certificates";

/// How long what is trusted and shown must have been so before something is built on it: longer than replicas take to
/// read the Secret, and API servers to hear of a change of the webhook's configuration.
const SETTLING_TIME: Duration = Duration::from_mins(1);

/// How often the Secret and the webhook's configuration are read.
const PAUSE: Duration = Duration::from_secs(5);

/// How long one look at them may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which certificate is managed, and for whom.
#[derive(Clone, Debug)]
pub struct Options {
    /// The namespace of the Secret.
    pub namespace: String,
    /// The name of the Secret.
    pub secret: String,
    /// The name of the ValidatingWebhookConfiguration.
    pub webhook: String,
    /// What certificates are made of.
    pub terms: Terms,
}

/// Why the certificate cannot be managed for now.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot read Secret `{name}`")]
    ReadSecret { name: String, source: kube::Error },
    #[error("cannot write Secret `{name}`")]
    WriteSecret { name: String, source: kube::Error },
    #[error("cannot read ValidatingWebhookConfiguration `{name}`")]
    ReadWebhook { name: String, source: kube::Error },
    #[error("cannot write the caBundle of ValidatingWebhookConfiguration `{name}`")]
    WriteWebhook { name: String, source: kube::Error },
    #[error("there is no ValidatingWebhookConfiguration `{name}`, so nobody asks the webhook; create it")]
    NoWebhook { name: String },
    #[error("cannot make a certificate")]
    Issue { source: rcgen::Error },
    #[error("the API server did not answer within {PATIENCE:?}")]
    Timeout,
}

/// Keeps a certificate that the API server trusts, in a Secret.
///
/// # Guarantees
/// - While it is renewed no call of the API server fails: an authority is trusted before anybody shows a certificate of
///   its, and until nobody does any more.
/// - What somebody deletes, garbles or resets is mended within seconds, by the leader.
/// - Two that take themselves for the leader cannot spoil each other's work: a Secret that has changed since it was
///   read is not overwritten.
/// - No key is ever logged.
pub struct Certificates<O> {
    secrets: Api<Secret>,
    webhooks: Api<ValidatingWebhookConfiguration>,
    options: Options,
    leadership: Leadership,
    offer: O,
    in_place: Option<InPlace>,
    trouble: Option<String>,
    rotations: Counter,
    errors: Counter,
}

/// A Secret whose authorities the API server was found to trust.
#[derive(Debug)]
struct InPlace {
    version: Option<String>,
    since: Instant,
}

impl<O> fmt::Debug for Certificates<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("options", &self.options).finish_non_exhaustive()
    }
}

impl<O: Fn(&[u8], &[u8])> Certificates<O> {
    /// Prepares to manage a certificate. Nothing is written without leadership. `offer` takes the certificate and its
    /// key, in PEM, whenever they have been read. Registers its figures.
    pub fn new(client: &Client, options: Options, leadership: Leadership, offer: O, registry: &mut Registry) -> Self {
        let (rotations, errors) = (Counter::default(), Counter::default());
        registry.register(
            "admission_certificate_rotations",
            "Times this process wrote a new certificate or authority of the admission webhook",
            rotations.clone(),
        );
        registry.register(
            "admission_certificate_management_errors",
            "Times the certificate of the admission webhook could not be read or kept in order",
            errors.clone(),
        );
        Self {
            secrets: Api::namespaced(client.clone(), &options.namespace),
            webhooks: Api::all(client.clone()),
            options,
            leadership,
            offer,
            in_place: None,
            trouble: None,
            rotations,
            errors,
        }
    }

    /// Manages it without end.
    pub async fn run(mut self) {
        let pause = PAUSE.min(self.settling_time() / 4);
        loop {
            let looked = timeout(PATIENCE, self.look()).await.unwrap_or(Err(Error::Timeout));
            match looked {
                Ok(()) => {
                    if self.trouble.take().is_some() {
                        info!("the certificate of the admission webhook is in order again");
                    }
                }
                Err(error) => {
                    self.errors.inc();
                    let trouble = describe(&error);
                    if self.trouble.as_ref() != Some(&trouble) {
                        error!("the certificate of the admission webhook is not in order: {trouble}");
                        self.trouble = Some(trouble);
                    }
                }
            }
            sleep(pause).await;
        }
    }

    fn settling_time(&self) -> Duration {
        SETTLING_TIME.min(self.options.terms.certificate_lifetime / 10)
    }

    /// Reads what there is, mends what is wrong as far as that is this process's business, and offers the certificate.
    async fn look(&mut self) -> Result<(), Error> {
        let name = &self.options.secret;
        let read = self.secrets.get_opt(name).await;
        let mut secret = read.map_err(|source| Error::ReadSecret { name: name.clone(), source })?;
        let kept = if self.leadership.holds() { self.keep(&mut secret).await } else { Ok(()) };
        if let Some(secret) = secret {
            let Material { certificate, key, .. } = Material::from_data(secret.data.as_ref());
            (self.offer)(&certificate, &key);
        }
        kept
    }

    /// As the leader: sees to it that the Secret is as it should be and that the API server trusts what is in it.
    async fn keep(&mut self, secret: &mut Option<Secret>) -> Result<(), Error> {
        let name = &self.options.webhook;
        let read = self.webhooks.get_opt(name).await;
        let webhook = read.map_err(|source| Error::ReadWebhook { name: name.clone(), source })?;
        let published = webhook.as_ref().and_then(|webhook| webhooks(webhook).find_map(bundle)).unwrap_or_default();

        let material = Material::from_data(secret.as_ref().and_then(|secret| secret.data.as_ref()));
        let settling_time = self.settling_time();
        let version = secret.as_ref().and_then(|secret| secret.metadata.resource_version.clone());
        let in_place = self.in_place.take().filter(|in_place| in_place.version == version);
        let settled = in_place.as_ref().is_some_and(|in_place| in_place.since.elapsed() >= settling_time);
        let next = material.next(published, settled, Timestamp::now(), &self.options.terms);
        let next = next.map_err(|source| Error::Issue { source })?;
        let is_new = next.is_some();
        let authorities = next.as_ref().map_or(&material.authorities, |next| &next.authorities).clone();
        if let Some(next) = next {
            let Some(written) = self.write(secret.clone(), next).await? else { return Ok(()) };
            *secret = Some(written);
        }

        let Some(webhook) = webhook else { return Err(Error::NoWebhook { name: name.clone() }) };
        if webhooks(&webhook).any(|webhook| bundle(webhook) != Some(authorities.as_slice())) {
            return self.publish(&webhook, authorities).await;
        }
        if !is_new {
            self.in_place = in_place.or_else(|| Some(InPlace { version, since: Instant::now() }));
        }
        Ok(())
    }

    /// Writes the Secret, unless it has changed since it was read.
    async fn write(&self, secret: Option<Secret>, material: Material) -> Result<Option<Secret>, Error> {
        if !self.leadership.holds() {
            return Ok(None);
        }
        let name = &self.options.secret;
        let parameters = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        let data = Some(material.into_data());
        let written = if let Some(secret) = secret {
            self.secrets.replace(name, &parameters, &Secret { data, ..secret }).await
        } else {
            let metadata = ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() };
            let type_ = Some("kubernetes.io/tls".to_owned());
            self.secrets.create(&parameters, &Secret { metadata, data, type_, ..Secret::default() }).await
        };
        match written {
            Ok(secret) => {
                self.rotations.inc();
                info!(secret = name, "wrote a new certificate of the admission webhook");
                Ok(Some(secret))
            }
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => {
                warn!(secret = name, "somebody else has written the Secret meanwhile; it is read again");
                Ok(None)
            }
            Err(source) => Err(Error::WriteSecret { name: name.clone(), source }),
        }
    }

    /// Tells the API server to trust these authorities, in every webhook of the configuration.
    async fn publish(&self, configuration: &ValidatingWebhookConfiguration, authorities: Vec<u8>) -> Result<(), Error> {
        if !self.leadership.holds() {
            return Ok(());
        }
        let name = &self.options.webhook;
        let authorities = ByteString(authorities);
        // The list is merged by name: nothing else of it is touched, and nothing that has been removed meanwhile comes
        // back, for then the resourceVersion is another.
        let patch = json!({
            "metadata": {"resourceVersion": configuration.metadata.resource_version},
            "webhooks": webhooks(configuration)
                .map(|webhook| json!({"name": webhook.name, "clientConfig": {"caBundle": authorities}}))
                .collect::<Vec<_>>(),
        });
        let parameters = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        match self.webhooks.patch(name, &parameters, &Patch::Strategic(patch)).await {
            Ok(_) => {
                info!(webhook = name, "the API server is told whom to trust");
                Ok(())
            }
            Err(kube::Error::Api(status)) if status.is_conflict() => Ok(()),
            Err(source) => Err(Error::WriteWebhook { name: name.clone(), source }),
        }
    }
}

fn webhooks(configuration: &ValidatingWebhookConfiguration) -> impl Iterator<Item = &ValidatingWebhook> {
    configuration.webhooks.iter().flatten()
}

/// The authorities that the API server trusts to vouch for a webhook.
fn bundle(webhook: &ValidatingWebhook) -> Option<&[u8]> {
    webhook.client_config.ca_bundle.as_ref().map(|bundle| bundle.0.as_slice())
}

/// What went wrong, with the remedy where there is one.
fn describe(error: &Error) -> String {
    let cause = match error {
        Error::ReadSecret { source, .. } | Error::ReadWebhook { source, .. } => describe_error(source, "`get`"),
        Error::WriteSecret { source, .. } => describe_error(source, "`create` and `update`"),
        Error::WriteWebhook { source, .. } => describe_error(source, "`patch`"),
        Error::Issue { source } => source.to_string(),
        Error::NoWebhook { .. } | Error::Timeout => return error.to_string(),
    };
    format!("{error}: {cause}")
}
