//! The options of the authorization webhook, and what they ask for.

use std::{fs, io, net::SocketAddr, path::PathBuf, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Args;
use rustls::server::danger::ClientCertVerifier;
use serde::Deserialize;
use tracing::{info, warn};

use super::{Error, host};
use crate::server::{AccessReviewListener, Certificate, Mapping, required_clients};

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
    /// The authorities (PEM) of which the API server must show a certificate. Whoever else calls learns nothing.
    #[arg(long, value_name = "FILE", requires = "authorization_listen", env = "BAILIWICK_AUTHORIZATION_CLIENT_CA")]
    authorization_client_ca: Option<PathBuf>,
    /// What of the Kubernetes API is which question: users, groups, permissions and resources (YAML;
    /// docs/subject-access-review.md). By default, permissions such as apps/deployments:get on resources of the type namespace.
    #[arg(long, value_name = "FILE", requires = "authorization_listen", env = "BAILIWICK_AUTHORIZATION_MAPPING")]
    authorization_mapping: Option<PathBuf>,
}

/// What the options ask for, read and understood.
pub(super) struct Authorization {
    address: SocketAddr,
    clients: Option<Arc<dyn ClientCertVerifier>>,
    mapping: Mapping,
}

impl Options {
    /// What they ask for, if it is safe.
    pub fn read(self, allow_unauthenticated: bool) -> Result<Option<Authorization>, Error> {
        let Some(address) = self.authorization_listen else { return Ok(None) };
        let read = |flag: &str, path: &PathBuf| {
            fs::read_to_string(path)
                .map_err(|error| Error::Usage(format!("{flag}: cannot read {}: {error}", path.display())))
        };
        let clients = match &self.authorization_client_ca {
            Some(path) => {
                let clients = required_clients(read("--authorization-client-ca", path)?.as_bytes());
                let wrong = |error| Error::Usage(format!("--authorization-client-ca: {}: {error}", path.display()));
                Some(clients.map_err(wrong)?)
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
        let text = match &self.authorization_mapping {
            Some(path) => read("--authorization-mapping", path)?,
            None => String::new(),
        };
        let mut mapping =
            Mapping::parse(&text).map_err(|error| Error::Usage(format!("--authorization-mapping: {error}")))?;
        match own_user() {
            Ok(Some(user)) => {
                info!(
                    user,
                    "the authorization webhook has no opinion of this user, as which the operator calls the API server"
                );
                mapping = mapping.ignoring(user);
            }
            Ok(None) => {}
            Err(problem) => {
                warn!(problem, "the operator's own user is not known: the authorization webhook may be asked about it");
            }
        }
        Ok(Some(Authorization { address, clients, mapping }))
    }
}

impl Authorization {
    /// Binds the webhook, which shows this certificate.
    pub async fn bind(self, certificate: Arc<Certificate>) -> Result<(AccessReviewListener, SocketAddr), Error> {
        let Self { address, clients, mapping } = self;
        let (listener, address) = host::listen(address, "--authorization-listen").await?;
        Ok((AccessReviewListener { listener, certificate, clients, mapping }, address))
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
