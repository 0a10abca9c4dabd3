//! The options of a replica that may lead: who leads, and what the leader does.

use std::{num::NonZeroU32, time::Duration};

use clap::Args;

use super::options::{duration, environment};
use crate::controller::{
    self,
    lease::{LeaseOptions, process_identity},
};

/// How long a write may take, however long a lease lasts.
const MAX_WRITE_TIME: Duration = Duration::from_secs(5);

/// What keeps expired assignments for ever.
const FOREVER: &str = "forever";

#[derive(Args, Debug)]
#[command(next_help_heading = "Leading")]
pub(super) struct Leading {
    /// The namespace of the Lease by which one replica of several is elected to write. Default: that of the pod, or of the
    /// kubeconfig's context.
    #[arg(long, value_name = "NAMESPACE", value_parser = environment, env = "BAILIWICK_LEASE_NAMESPACE")]
    lease_namespace: Option<String>,
    /// The name of the Lease.
    #[arg(long, default_value = "bailiwick", value_name = "NAME", env = "BAILIWICK_LEASE_NAME")]
    lease_name: String,
    /// How long the others wait for a leader that says nothing any more.
    #[arg(long, default_value = "15s", value_name = "DURATION", value_parser = duration, env = "BAILIWICK_LEASE_DURATION")]
    lease_duration: Duration,
    /// How long a leader that cannot renew its lease goes on writing.
    #[arg(long, default_value = "10s", value_name = "DURATION", value_parser = duration, env = "BAILIWICK_LEASE_RENEW_DEADLINE")]
    lease_renew_deadline: Duration,
    /// How often the leader renews the lease, and the others look whether they may take it.
    #[arg(long, default_value = "2s", value_name = "DURATION", value_parser = duration, env = "BAILIWICK_LEASE_RETRY")]
    lease_retry: Duration,
    /// How many statuses are written a second at the most.
    #[arg(long, default_value = "200", value_name = "NUMBER", env = "BAILIWICK_STATUS_RATE")]
    status_rate: NonZeroU32,
    /// How long an assignment is kept after it expired, before it is deleted: a duration such as `24h`, or `forever`.
    #[arg(long, default_value = "24h", value_name = "DURATION", value_parser = keep, env = "BAILIWICK_KEEP_EXPIRED")]
    keep_expired: Keep,
}

/// How long something is kept; none: for ever.
#[derive(Clone, Copy, Debug)]
struct Keep(Option<Duration>);

impl Leading {
    /// The lease that the options ask for.
    pub fn lease(&self, default_namespace: &str) -> LeaseOptions {
        LeaseOptions {
            namespace: self.lease_namespace.clone().unwrap_or_else(|| default_namespace.to_owned()),
            name: self.lease_name.clone(),
            identity: process_identity(),
            duration: self.lease_duration,
            renew_deadline: self.lease_renew_deadline,
            retry: self.lease_retry,
        }
    }

    /// The controller that the options ask for.
    pub fn controller(&self, identity: String) -> controller::Options {
        controller::Options {
            identity,
            write_timeout: self.lease_duration.saturating_sub(self.lease_renew_deadline).min(MAX_WRITE_TIME),
            status_rate: self.status_rate.get(),
            keep_expired: self.keep_expired.0,
        }
    }
}

fn keep(text: &str) -> Result<Keep, String> {
    if text == FOREVER {
        return Ok(Keep(None));
    }
    duration(text).map(|keep| Keep(Some(keep))).map_err(|problem| format!("{problem}, or `{FOREVER}`"))
}
