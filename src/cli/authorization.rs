//! The options of the authorization webhook, and what they ask for.

use std::{fs, io, net::SocketAddr, path::PathBuf, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Args;
use futures::future::BoxFuture;
use prometheus_client::registry::Registry;
use serde::Deserialize;
use tracing::{info, warn};

use super::{Error, host};
use crate::server::{AccessReviewListener, Certificate, ClientAuthority, CurrentMapping, Mapping, MappingFile};
use crate::source::with_causes;

/// Where a pod finds the token of its service account.
const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

#[derive(Args, Debug)]
#[command(next_help_heading = "Authorization webhook")]
#[group(skip)]
#[expect(clippy::struct_field_names, reason = "the names of the options")]
pub(super) struct Options {
    /// Where the authorization webhook listens, with TLS, for SubjectAccessReviews of the API server. Shows the certificate of
    /// --admission-certificate or --admission-secret. Without it there is none.
    #[arg(long, value_name = "ADDRESS:PORT", requires = "certificate", env = "BAILIWICK_AUTHORIZATION_LISTEN")]
    authorization_listen: Option<SocketAddr>,
    /// The authorities (PEM) of which the API server must show a certificate. Whoever else calls learns nothing. Followed when it changes.
    #[arg(long, value_name = "FILE", requires = "authorization_listen", env = "BAILIWICK_AUTHORIZATION_CLIENT_CA")]
    authorization_client_ca: Option<PathBuf>,
    /// What of the Kubernetes API is which question: users, groups, permissions and resources (YAML;
    /// docs/subject-access-review.md). Followed when it changes. By default, permissions such as apps/deployments:get on resources of the type namespace.
    #[arg(long, value_name = "FILE", requires = "authorization_listen", env = "BAILIWICK_AUTHORIZATION_MAPPING")]
    authorization_mapping: Option<PathBuf>,
}

/// What the options ask for, read and understood.
pub(super) struct Authorization {
    address: SocketAddr,
    clients: Option<Arc<ClientAuthority>>,
    mapping: Arc<CurrentMapping>,
    /// Follow the files, without end.
    following: Vec<BoxFuture<'static, ()>>,
}

impl Options {
    /// What they ask for, if it is safe.
    pub fn open(self, allow_unauthenticated: bool, registry: &mut Registry) -> Result<Option<Authorization>, Error> {
        let Some(address) = self.authorization_listen else { return Ok(None) };
        let mut following: Vec<BoxFuture<'static, ()>> = Vec::new();
        let clients = match &self.authorization_client_ca {
            Some(path) => {
                let clients = ClientAuthority::open_required(path, registry)
                    .map_err(|error| Error::Usage(format!("--authorization-client-ca: {}", with_causes(&error))))?;
                let followed = Arc::clone(&clients);
                following.push(Box::pin(async move { followed.follow().await }));
                Some(clients)
            }
            None if allow_unauthenticated || address.ip().is_loopback() => None,
            None => {
                return Err(Error::Usage(format!(
                    "--authorization-listen {address} can be reached from other machines, and whoever reaches it could \
                     learn who may do what. Name the authority of the API server's certificate with \
                     --authorization-client-ca, or, where the network keeps strangers away, add --allow-unauthenticated"
                )));
            }
        };
        let own_user = match own_user() {
            Ok(Some(user)) => {
                info!(
                    user,
                    "the authorization webhook has no opinion of this user, as which the operator calls the API server"
                );
                Some(user)
            }
            Ok(None) => None,
            Err(problem) => {
                warn!(problem, "the operator's own user is not known: the authorization webhook may be asked about it");
                None
            }
        };
        let mapping = if let Some(path) = &self.authorization_mapping {
            let file = MappingFile::open(path, own_user, registry)
                .map_err(|error| Error::Usage(format!("--authorization-mapping: {error}")))?;
            let mapping = file.current();
            following.push(Box::pin(async move { file.follow().await }));
            mapping
        } else {
            let mapping = Mapping::parse("{}").map_err(|error| Error::Usage(error.to_string()))?;
            Arc::new(mapping.ignoring(own_user).into())
        };
        Ok(Some(Authorization { address, clients, mapping, following }))
    }
}

impl Authorization {
    /// Binds the webhook, which shows this certificate: what it is, where it is, and what follows its files, without end.
    pub async fn bind(
        self,
        certificate: Arc<Certificate>,
    ) -> Result<(AccessReviewListener, SocketAddr, Vec<BoxFuture<'static, ()>>), Error> {
        let Self { address, clients, mapping, following } = self;
        let (listener, address) = host::listen(address, "--authorization-listen").await?;
        Ok((AccessReviewListener { listener, certificate, clients, mapping }, address, following))
    }
}

/// As whom a pod calls the API server. None: this is no pod.
fn own_user() -> Result<Option<String>, String> {
    match fs::read_to_string(TOKEN) {
        Ok(token) => subject_of(&token).map(Some).map_err(|problem| format!("{TOKEN} {problem}")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("cannot read {TOKEN}: {error}")),
    }
}

/// The subject of a JSON Web Token. It is our own: nobody has to be convinced that it is genuine.
fn subject_of(token: &str) -> Result<String, String> {
    #[derive(Deserialize)]
    struct Claims {
        sub: String,
    }

    let claims = token.trim().split('.').nth(1).ok_or("holds no JSON Web Token")?;
    let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|error| format!("is garbled: {error}"))?;
    let claims: Claims = serde_json::from_slice(&claims).map_err(|error| format!("names no subject: {error}"))?;
    Ok(claims.sub)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_account_is_the_subject_of_its_token() {
        let token = |claims: &str| format!("e30.{}.c2lnbmF0dXJl\n", URL_SAFE_NO_PAD.encode(claims));
        let operator = "system:serviceaccount:bailiwick:bailiwick";
        let claims = format!(r#"{{"aud": ["https://kubernetes.default.svc"], "sub": "{operator}", "exp": 1}}"#);
        assert_eq!(subject_of(&token(&claims)), Ok(operator.to_owned()));
        for (token, words) in [
            (String::new(), "holds no JSON Web Token"),
            ("e30.~.e30".to_owned(), "is garbled"),
            (token("{}"), "names no subject"),
        ] {
            assert!(subject_of(&token).is_err_and(|problem| problem.contains(words)), "{token}");
        }
    }
}
