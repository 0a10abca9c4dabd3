//! Which replica writes: the one whose claim on a Lease is current.
//!
//! All replicas watch and answer; only what is written to the API server waits for the claim. The rules are those of
//! client-go, so that a Lease means what it means elsewhere.

mod options;

use std::{fmt, time::Duration};

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::Timestamp,
};
use kube::{Api, Client, api::PostParams};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::Counter, gauge::ConstGauge},
    registry::Registry,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::source::describe_error;

pub use self::options::{LeaseOptions, OptionsError, process_identity};
use self::options::{random, whole_seconds};

/// The field manager of everything that is written to the Lease.
const FIELD_MANAGER: &str = "bailiwick/lease";

/// What the process must be allowed to do with the Lease.
const VERBS: &str = "`get`, `create` and `update`";

/// Whether this process holds the claim. Cheap to clone and to ask.
#[derive(Clone, Debug)]
pub struct Leadership {
    /// Until when the claim is held, unless it is renewed.
    expiry: watch::Receiver<Option<Instant>>,
}

impl Leadership {
    /// Whether the claim is held now. To be asked before each write, not once for many.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.expiry.borrow().is_some_and(is_ahead)
    }

    /// Waits until the claim is held. Without end where the election has ended.
    pub async fn acquired(&mut self) {
        if self.expiry.wait_for(|expiry| expiry.is_some_and(is_ahead)).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits until the claim is not held.
    pub async fn lost(&mut self) {
        loop {
            let Some(expiry) = self.expiry.borrow_and_update().filter(|expiry| is_ahead(*expiry)) else { return };
            tokio::select! {
                () = sleep_until(expiry) => (),
                Ok(()) = self.expiry.changed() => (),
            }
        }
    }
}

fn is_ahead(expiry: Instant) -> bool {
    Instant::now() < expiry
}

/// This process's candidacy for the Lease.
///
/// # Guarantees
/// - Of all candidates at most one [holds](Leadership::holds) at any instant, as long as nobody else deletes or
///   overwrites the Lease. Clocks of different machines are never compared.
/// - A holder that cannot renew its claim stops holding [`LeaseOptions::renew_deadline`] after it last could, by itself.
/// - A holder that ends without a word is followed once the Lease has not changed for its duration; one that
///   [is stopped](Self::run), within the others' retry interval.
///
/// # Assumptions
/// The monotonic clock of a machine does not stand still while other machines run, as it does while one is suspended.
/// So a write that must not come twice names the resourceVersion that it is meant for.
#[derive(Debug)]
pub struct Election {
    api: Api<Lease>,
    options: LeaseOptions,
    claim: watch::Sender<Option<Instant>>,
    observed: Option<Observed>,
    /// What the last try failed with, so that each error is told once.
    trouble: Option<String>,
    metrics: Metrics,
}

/// The newest record that was seen.
#[derive(Debug)]
struct Observed {
    record: LeaseSpec,
    /// Since when it is known to be so, by this process's clock.
    since: Instant,
}

impl Observed {
    /// Who is recorded; empty: nobody.
    fn holder(&self) -> &str {
        self.record.holder_identity.as_deref().unwrap_or_default()
    }

    /// Whether its holder cannot hold it any more, unless it is renewed.
    fn is_over(&self, default: Duration) -> bool {
        let seconds = self.record.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        self.since.elapsed() >= seconds.map_or(default, Duration::from_secs)
    }
}

impl Election {
    /// Prepares to claim the Lease. Adds `lease_held`, `lease_transitions` and `lease_errors` to the registry.
    ///
    /// # Errors
    /// Where nobody can be elected with these options.
    pub fn new(
        client: Client,
        options: LeaseOptions,
        registry: &mut Registry,
    ) -> Result<(Self, Leadership), OptionsError> {
        options.validate()?;
        let (claim, expiry) = watch::channel(None);
        let leadership = Leadership { expiry };
        let election = Self {
            api: Api::namespaced(client, &options.namespace),
            options,
            claim,
            observed: None,
            trouble: None,
            metrics: Metrics::register(registry, leadership.clone()),
        };
        Ok((election, leadership))
    }

    /// Claims the Lease again and again until the token is cancelled, and then lets go of it at once. Cancel it only
    /// when nothing is written any more: the next holder does not wait.
    pub async fn run(mut self, stop: CancellationToken) {
        let candidacy = async {
            loop {
                self.attempt().await;
                sleep(jittered(self.options.retry)).await;
            }
        };
        if stop.run_until_cancelled(candidacy).await.is_none() {
            self.release().await;
        }
    }

    /// Renews the claim, or takes it where it may be taken.
    async fn attempt(&mut self) {
        let held = self.claim.borrow().is_some();
        match within(self.options.request_time(), self.request()).await {
            Ok(Outcome::Claimed(expiry)) => {
                self.recover();
                self.claim.send_replace(Some(expiry));
            }
            Ok(Outcome::Taken) => {
                self.recover();
                self.claim.send_replace(None);
            }
            // Somebody else was faster: the next try shows who it was.
            Ok(Outcome::Conflict) => self.recover(),
            Err(words) => self.fail(words),
        }
        self.claim.send_if_modified(|claim| claim.take_if(|expiry| !is_ahead(*expiry)).is_some());
        self.report(held);
    }

    async fn request(&mut self) -> kube::Result<Outcome> {
        let found = self.api.get_opt(&self.options.name).await?;
        if !self.may_claim(found.as_ref()) {
            return Ok(Outcome::Taken);
        }
        // Others count from a later instant, which is when they first see what is written now.
        let expiry = Instant::now() + self.options.renew_deadline;
        let written = match found {
            None => {
                let mut lease = Lease::default();
                lease.metadata.name = Some(self.options.name.clone());
                lease.spec = Some(self.claimed(None));
                self.api.create(&post(), &lease).await
            }
            Some(mut lease) => {
                // With the resourceVersion that was read: the API server refuses it where anybody has written since.
                lease.spec = Some(self.claimed(lease.spec));
                self.api.replace(&self.options.name, &post(), &lease).await
            }
        };
        match written {
            Ok(lease) => {
                self.observe(lease.spec.unwrap_or_default());
                Ok(Outcome::Claimed(expiry))
            }
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => {
                Ok(Outcome::Conflict)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether nobody else can hold the Lease.
    fn may_claim(&mut self, found: Option<&Lease>) -> bool {
        // Whoever held a Lease that was deleted may not know it yet, and has the time that it had.
        if let Some(lease) = found {
            self.observe(lease.spec.clone().unwrap_or_default());
        }
        self.observed.as_ref().is_none_or(|observed| {
            let holder = observed.holder();
            holder.is_empty() || holder == self.options.identity || observed.is_over(self.options.duration)
        })
    }

    /// Notes what the Lease says. It counts from now on where it is not what it said before.
    fn observe(&mut self, record: LeaseSpec) {
        if self.observed.as_ref().is_some_and(|observed| observed.record == record) {
            return;
        }
        let observed = Observed { record, since: Instant::now() };
        let before = self.observed.as_ref().map(Observed::holder).unwrap_or_default();
        let holder = observed.holder();
        if holder != before && holder != self.options.identity && !holder.is_empty() {
            info!(holder, lease = self.options.name, "another replica leads");
        }
        self.observed = Some(observed);
    }

    /// What the Lease says once this process has claimed it.
    fn claimed(&self, record: Option<LeaseSpec>) -> LeaseSpec {
        let now = Some(MicroTime(Timestamp::now()));
        let mut claimed = record.unwrap_or_default();
        if claimed.holder_identity.as_ref() != Some(&self.options.identity) {
            claimed.lease_transitions =
                Some(claimed.lease_transitions.map_or(0, |transitions| transitions.saturating_add(1)));
            claimed.acquire_time.clone_from(&now);
            claimed.holder_identity = Some(self.options.identity.clone());
        }
        claimed.lease_duration_seconds = whole_seconds(self.options.duration);
        claimed.renew_time = now;
        claimed
    }

    /// Lets go of the claim.
    async fn release(&mut self) {
        let held = self.claim.send_replace(None).is_some();
        self.report(held);
        let Err(words) = within(self.options.request_time(), self.request_release()).await else { return };
        self.metrics.errors.inc();
        if held {
            warn!(lease = self.options.name, "the lease could not be released, the others wait for its end: {words}");
        }
    }

    async fn request_release(&self) -> kube::Result<()> {
        loop {
            let Some(mut lease) = self.api.get_opt(&self.options.name).await? else { return Ok(()) };
            let mut record = lease.spec.take().unwrap_or_default();
            // Also where this process does not know of it: the answer to its claim may have been cut off.
            if record.holder_identity.as_ref() != Some(&self.options.identity) {
                return Ok(());
            }
            record.holder_identity = Some(String::new());
            record.lease_duration_seconds = Some(1);
            record.renew_time = Some(MicroTime(Timestamp::now()));
            lease.spec = Some(record);
            match self.api.replace(&self.options.name, &post(), &lease).await {
                Err(kube::Error::Api(status)) if status.is_conflict() => {}
                released => return released.map(drop),
            }
        }
    }

    /// Tells where the claim is held now and was not before, or the other way round.
    fn report(&self, held: bool) {
        let Self { options: LeaseOptions { identity, name: lease, .. }, claim, metrics, .. } = self;
        match (held, claim.borrow().is_some()) {
            (false, true) => info!(%identity, lease, "this replica leads"),
            (true, false) => info!(%identity, lease, "this replica no longer leads"),
            _ => return,
        }
        metrics.transitions.inc();
    }

    fn fail(&mut self, words: String) {
        self.metrics.errors.inc();
        if self.trouble.as_ref() != Some(&words) {
            let LeaseOptions { namespace, name, .. } = &self.options;
            warn!(namespace, lease = name, "the lease cannot be claimed or renewed: {words}");
            self.trouble = Some(words);
        }
    }

    fn recover(&mut self) {
        if self.trouble.take().is_some() {
            info!(lease = self.options.name, "the lease can be claimed and renewed again");
        }
    }
}

/// How a try to claim the Lease ended.
enum Outcome {
    /// It is claimed until then.
    Claimed(Instant),
    /// Somebody else holds it.
    Taken,
    /// Somebody else wrote it in between.
    Conflict,
}

/// The result of requests, or why there is none within the time.
async fn within<T>(time: Duration, requests: impl Future<Output = kube::Result<T>>) -> Result<T, String> {
    match timeout(time, requests).await {
        Ok(result) => result.map_err(|error| describe_error(&error, VERBS)),
        Err(_elapsed) => Err("the API server does not answer in time".to_owned()),
    }
}

fn post() -> PostParams {
    PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() }
}

/// Up to a quarter less, so that candidates that began together do not always ask together.
fn jittered(pause: Duration) -> Duration {
    let parts = u32::try_from(random() % 1024).unwrap_or_default();
    pause.saturating_sub(pause / 4096 * parts)
}

/// What an election counts.
#[derive(Debug)]
struct Metrics {
    transitions: Counter,
    errors: Counter,
}

impl Metrics {
    fn register(registry: &mut Registry, leadership: Leadership) -> Self {
        let metrics = Self { transitions: Counter::default(), errors: Counter::default() };
        let Self { transitions, errors } = &metrics;
        registry.register("lease_transitions", "Times that this replica began or ceased to lead", transitions.clone());
        registry.register("lease_errors", "Failed tries to claim, renew or release the lease", errors.clone());
        registry.register_collector(Box::new(HeldCollector(leadership)));
        metrics
    }
}

/// Whether this replica leads at the time of the scrape.
#[derive(Debug)]
struct HeldCollector(Leadership);

impl Collector for HeldCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let gauge = ConstGauge::new(i64::from(self.0.holds()));
        let help = "Whether this replica holds the lease and writes: 1 or 0";
        gauge.encode(encoder.encode_descriptor("lease_held", help, None, gauge.metric_type())?)
    }
}
