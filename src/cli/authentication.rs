//! The options that say whom the API answers, and how it is reached.

use std::{path::PathBuf, sync::Arc};

use clap::{Args, builder::BoolishValueParser};
use futures::future::BoxFuture;
use kube::Client;
use prometheus_client::registry::Registry;

use super::{Error, reviewer::ApiServerReviewer};
use crate::server::{self, ApiTls, Authentication, CallersFile, Certificate, ClientAuthority, Reviewer};

#[derive(Args, Debug)]
#[command(next_help_heading = "Authentication")]
#[group(skip)]
pub(super) struct Options {
    /// Who may ask what, by keys and by the certificates of clients: a file, or a folder of files such as a mounted Secret
    /// (docs/authentication.md; `bailiwick key` makes keys). Followed when it changes. Whoever it does not tell of gets a 401.
    #[arg(long, value_name = "PATH", env = "BAILIWICK_CALLERS")]
    callers: Option<PathBuf>,
    /// Serve the API with TLS, and with the certificate of this folder: tls.crt and tls.key. Followed when they change.
    #[arg(long, value_name = "DIR", env = "BAILIWICK_TLS_CERTIFICATE")]
    tls_certificate: Option<PathBuf>,
    /// Take certificates of clients that these authorities issued (a file of certificates in PEM), by the names that --callers
    /// tells of. Followed when it changes.
    #[arg(long, value_name = "FILE", requires_all = ["tls_certificate", "callers"], env = "BAILIWICK_CLIENT_CA")]
    client_ca: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Authentication")]
#[group(skip)]
pub(super) struct ServiceAccounts {
    /// Answer whoever has a token of the cluster, such as that of a service account, as far as RBAC lets them `create`
    /// `environments/check`, `/search`, `/read` and `/write` of authz.bailiwick.dev in the namespace that is asked.
    #[arg(long, value_parser = BoolishValueParser::new(), env = "BAILIWICK_SERVICE_ACCOUNTS")]
    service_accounts: bool,
    /// With --service-accounts: whom the tokens must be made for; can be repeated (in the variable: separated by commas).
    #[arg(
        long = "token-audience",
        value_name = "AUDIENCE",
        value_delimiter = ',',
        default_value = "bailiwick",
        env = "BAILIWICK_TOKEN_AUDIENCE"
    )]
    token_audiences: Vec<String>,
}

impl ServiceAccounts {
    /// Whether tokens are taken.
    pub const fn is_on(&self) -> bool {
        self.service_accounts
    }

    /// What reviews them, if anything does.
    pub fn reviewer(self, client: &Client) -> Option<Arc<dyn Reviewer>> {
        let Self { service_accounts, token_audiences } = self;
        service_accounts.then(|| Arc::new(ApiServerReviewer::new(client.clone(), token_audiences)) as Arc<dyn Reviewer>)
    }
}

/// What the options ask for, made.
#[derive(Default)]
pub(super) struct Opened {
    /// Whom the API answers; none: everybody.
    pub authentication: Option<Arc<Authentication>>,
    /// What the API is served with, where that is TLS.
    pub tls: Option<ApiTls>,
    /// Follow the files, without end.
    pub following: Vec<BoxFuture<'static, ()>>,
}

impl Options {
    /// Whether callers are told of in a file.
    pub const fn has_callers(&self) -> bool {
        self.callers.is_some()
    }

    /// Reads the files that the options name. Tokens are taken where there is a reviewer.
    pub fn open(&self, reviewer: Option<Arc<dyn Reviewer>>, registry: &mut Registry) -> Result<Opened, Error> {
        let mut opened = Opened::default();
        let callers = match &self.callers {
            None => None,
            Some(path) => {
                let callers = CallersFile::open(path, registry)
                    .map_err(|error| Error::Unusable { flag: "--callers", source: Box::new(error) })?;
                let followed = Arc::clone(&callers);
                opened.following.push(Box::pin(async move { followed.follow().await }));
                Some(callers)
            }
        };
        if callers.is_some() || reviewer.is_some() {
            opened.authentication = Some(Authentication::new(callers, reviewer, registry));
        }
        if let Some(folder) = &self.tls_certificate {
            let certificate = Certificate::register_for_api(registry);
            opened.following.push(Box::pin(server::follow_files(folder.clone(), Arc::clone(&certificate))));
            let clients = match &self.client_ca {
                None => None,
                Some(path) => {
                    let clients = ClientAuthority::open(path, registry)
                        .map_err(|error| Error::Unusable { flag: "--client-ca", source: Box::new(error) })?;
                    let followed = Arc::clone(&clients);
                    opened.following.push(Box::pin(async move { followed.follow().await }));
                    Some(clients)
                }
            };
            opened.tls = Some(ApiTls { certificate, clients });
        }
        Ok(opened)
    }
}
