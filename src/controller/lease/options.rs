//! Where the Lease is, who claims it, and for how long.

use std::{
    env,
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

/// Where the Lease is, who claims it, and for how long.
#[derive(Clone, Debug)]
pub struct LeaseOptions {
    /// The namespace of the Lease.
    pub namespace: String,
    /// The name of the Lease.
    pub name: String,
    /// Who claims it. No two processes may share it, one after the other neither: see [`process_identity`].
    pub identity: String,
    /// How long a claim keeps others away that see nothing change. The Lease says it in whole seconds, rounded up.
    pub duration: Duration,
    /// How long a claim that could not be renewed is held. What it is shorter than `duration` is the time that writes
    /// have to end that were begun while it was held.
    pub renew_deadline: Duration,
    /// How often the holder renews its claim, and the others look whether they may take it.
    pub retry: Duration,
}

impl LeaseOptions {
    /// The Lease `bailiwick`, claimed by this process, with the times that are usual in Kubernetes.
    #[must_use]
    pub fn new(namespace: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: "bailiwick".to_owned(),
            identity: process_identity(),
            duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry: Duration::from_secs(2),
        }
    }

    /// Holds the options to what an election needs.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn validate(&self) -> Result<(), OptionsError> {
        let Self { namespace, name, identity, duration, renew_deadline, retry } = self;
        for (option, text) in [("namespace", namespace), ("name", name), ("identity", identity)] {
            if text.is_empty() {
                return Err(OptionsError::Empty(option));
            }
        }
        if retry.is_zero() {
            return Err(OptionsError::NoRetry);
        }
        for (longer, long, shorter, short) in [
            ("renew deadline", renew_deadline, "retry interval", retry),
            ("duration", duration, "renew deadline", renew_deadline),
        ] {
            if long <= short {
                return Err(OptionsError::Order { longer, long: *long, shorter, short: *short });
            }
        }
        if whole_seconds(*duration).is_none() {
            return Err(OptionsError::TooLong(*duration));
        }
        Ok(())
    }

    /// Two tries have room before a claim is no longer held.
    pub(super) fn request_time(&self) -> Duration {
        self.renew_deadline / 2
    }
}

/// Why nobody can be elected with these options.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OptionsError {
    /// A text that is needed is empty.
    #[error("the {0} of the lease must not be empty")]
    Empty(&'static str),
    /// The retry interval is zero.
    #[error("the lease's retry interval must be longer than 0 s")]
    NoRetry,
    /// A time is not longer than the one that must fit into it.
    #[error("the lease's {longer} ({long:?}) must be longer than its {shorter} ({short:?})")]
    Order {
        /// What must be longer.
        longer: &'static str,
        /// How long it is.
        long: Duration,
        /// What must be shorter.
        shorter: &'static str,
        /// How long that is.
        short: Duration,
    },
    /// The duration is more than a Lease can say.
    #[error("the lease duration ({0:?}) must not be longer than {max} s", max = i32::MAX)]
    TooLong(Duration),
}

/// A name that no other process has, nor this one after a restart: the pod's or the machine's, and a random suffix.
#[must_use]
pub fn process_identity() -> String {
    let host = ["POD_NAME", "HOSTNAME"].iter().find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()));
    format!("{}_{:016x}", host.as_deref().unwrap_or("bailiwick"), random())
}

/// A duration as a Lease says it; none: it cannot.
pub(super) fn whole_seconds(duration: Duration) -> Option<i32> {
    i32::try_from(duration.as_nanos().div_ceil(Duration::from_secs(1).as_nanos())).ok()
}

/// A number that cannot be guessed: the keys of each new state are random.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_times_fit_into_one_another() {
        assert_eq!(LeaseOptions::new("here").validate(), Ok(()));
    }

    #[test]
    fn what_cannot_work_is_refused_by_name() {
        let message = |change: fn(&mut LeaseOptions)| {
            let mut options = LeaseOptions::new("here");
            change(&mut options);
            options.validate().unwrap_err().to_string()
        };
        for (message, words) in [
            (message(|options| options.namespace.clear()), "the namespace of the lease must not be empty"),
            (message(|options| options.name.clear()), "the name of the lease must not be empty"),
            (message(|options| options.identity.clear()), "the identity of the lease must not be empty"),
            (message(|options| options.retry = Duration::ZERO), "the lease's retry interval must be longer than 0 s"),
            (
                message(|options| options.retry = Duration::from_secs(10)),
                "the lease's renew deadline (10s) must be longer than its retry interval (10s)",
            ),
            (
                message(|options| options.duration = Duration::from_secs(3)),
                "the lease's duration (3s) must be longer than its renew deadline (10s)",
            ),
            (message(|options| options.duration = Duration::MAX), "must not be longer than 2147483647 s"),
        ] {
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn a_lease_never_says_less_than_the_duration() {
        assert_eq!(whole_seconds(Duration::from_secs(3)), Some(3));
        assert_eq!(whole_seconds(Duration::from_millis(3001)), Some(4));
        assert_eq!(whole_seconds(Duration::from_nanos(1)), Some(1));
    }

    #[test]
    fn no_two_processes_have_one_identity() {
        assert_ne!(process_identity(), process_identity());
    }
}
