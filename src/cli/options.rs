//! The options of every subcommand that answers checks.

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};

use clap::{Args, builder::BoolishValueParser};

use super::{Error, authentication, decision_log, logging};
use crate::{
    graph::Environments,
    server::{self, Limits, PublicUrl},
    source::Ledger,
    store::{ObjectStore, Store},
};

#[derive(Args, Debug)]
#[command(next_help_heading = "Answering")]
pub(super) struct Answering {
    /// Where the API listens. Port 0: a free one, which the log names.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT", env = "BAILIWICK_LISTEN")]
    pub listen: SocketAddr,
    /// Where /livez, /readyz, /metrics and /log-level listen. They tell nothing of who may do what.
    #[arg(long, default_value = "127.0.0.1:8081", value_name = "ADDRESS:PORT", env = "BAILIWICK_PROBE_LISTEN")]
    pub probe_listen: SocketAddr,
    /// The environment (namespace) that is asked where a path names none.
    #[arg(long, default_value = "default", value_name = "NAMESPACE", value_parser = environment, env = "BAILIWICK_DEFAULT_ENVIRONMENT")]
    pub default_environment: String,
    /// Where applications reach the API, for AuthZEN's metadata: an https URL. Without it the metadata say `http://` and the host
    /// that the request names.
    #[arg(long, value_name = "URL", value_parser = public_url, env = "BAILIWICK_PUBLIC_URL")]
    pub public_url: Option<PublicUrl>,
    /// Let --listen be an address that other machines reach although nobody is asked who they are: whoever reaches it
    /// can learn who may do what. Better say whom to answer: see Authentication.
    #[arg(long, value_parser = BoolishValueParser::new(), env = "BAILIWICK_ALLOW_UNAUTHENTICATED")]
    pub allow_unauthenticated: bool,
    /// Take writes through the WorkOS API although --listen is an address that other machines reach and nobody is asked who they
    /// are. Whoever reaches it can then change who may do what.
    #[arg(long, value_parser = BoolishValueParser::new(), env = "BAILIWICK_ALLOW_UNAUTHENTICATED_WRITES")]
    pub allow_unauthenticated_writes: bool,
    /// How long a request waits that asks, by the header Bailiwick-At-Least, for a fresher answer than this replica can give yet.
    #[arg(long, default_value = "5s", value_name = "DURATION", value_parser = duration, env = "BAILIWICK_MAX_FRESHNESS_WAIT")]
    pub max_freshness_wait: Duration,
    /// How long to wait, after SIGTERM or SIGINT, for requests that are under way. A second signal ends it.
    #[arg(long, default_value = "20s", value_name = "DURATION", value_parser = duration, env = "BAILIWICK_SHUTDOWN_TIMEOUT")]
    pub shutdown_timeout: Duration,
    #[command(flatten)]
    pub authentication: authentication::Options,
    /// Whether the Kubernetes API server is asked about callers.
    #[arg(skip)]
    pub takes_tokens: bool,
    #[command(flatten)]
    pub decision_log: decision_log::Options,
}

impl Answering {
    /// Whether callers are asked who they are.
    const fn authenticates(&self) -> bool {
        self.takes_tokens || self.authentication.has_callers()
    }

    /// Whether it is safe to listen as the options say.
    pub fn validate(&self) -> Result<(), Error> {
        if self.authenticates() {
            let contradicts = |is_set: bool, flag| {
                if !is_set {
                    return Ok(());
                }
                Err(Error::Usage(format!(
                    "{flag} would answer everybody, --callers and --service-accounts say whom to answer: leave out the one or the others"
                )))
            };
            contradicts(self.allow_unauthenticated, "--allow-unauthenticated")?;
            return contradicts(self.allow_unauthenticated_writes, "--allow-unauthenticated-writes");
        }
        if self.allow_unauthenticated || self.listen.ip().is_loopback() {
            return Ok(());
        }
        Err(Error::Usage(format!(
            "--listen {} can be reached from other machines, and the API does not authenticate its callers: whoever reaches \
             it could learn who may do what. Say whom to answer with --callers or, in a cluster, --service-accounts; or listen on a \
             loopback address such as 127.0.0.1:{}; or, where the network keeps strangers away, add --allow-unauthenticated \
             (BAILIWICK_ALLOW_UNAUTHENTICATED=true)",
            self.listen,
            self.listen.port()
        )))
    }

    /// What the surfaces read and write objects through: written is only where no stranger can reach.
    pub fn store(
        &self,
        objects: impl ObjectStore + 'static,
        environments: &Arc<Environments>,
        ledger: &Arc<Ledger>,
    ) -> Store {
        let (environments, ledger) = (Arc::clone(environments), Arc::clone(ledger));
        if self.authenticates() || self.allow_unauthenticated_writes || self.listen.ip().is_loopback() {
            return Store::new(Arc::new(objects), environments, ledger);
        }
        let problem = "nothing is written for callers of an address that other machines reach, since nobody is asked who they are: \
                       say with --callers or, in a cluster, --service-accounts whom to answer, or start with --allow-unauthenticated-writes (BAILIWICK_ALLOW_UNAUTHENTICATED_WRITES=true) where the \
                       network keeps strangers away";
        Store::read_only(problem, environments, ledger)
    }

    /// The server that the options ask for, which serves these environments only, where some are given; whom it answers is added
    /// to that.
    pub fn server(&self, served_environments: Option<BTreeSet<String>>) -> server::Config {
        server::Config {
            default_environment: self.default_environment.clone(),
            served_environments,
            public_url: self.public_url.clone(),
            limits: Limits {
                drain_time: self.shutdown_timeout,
                freshness_wait: self.max_freshness_wait,
                ..Limits::default()
            },
            log_filter: logging::log_filter(),
            authentication: None,
            decision_log: None,
        }
    }
}

/// The name of an environment, which is one of a namespace.
pub(super) fn environment(name: &str) -> Result<String, String> {
    server::check_environment_name(name).map(|()| name.to_owned()).map_err(|problem| format!("it {problem}"))
}

/// An URL that applications use.
fn public_url(text: &str) -> Result<PublicUrl, String> {
    text.parse().map_err(|problem| format!("it {problem}"))
}

/// A length of time, such as `20s` or `2m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let duration: jiff::SignedDuration = text.parse().map_err(|error| format!("{error}; write `20s` or `2m`"))?;
    Duration::try_from(duration).map_err(|_negative| "must not be negative".to_owned())
}
