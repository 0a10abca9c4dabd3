//! What is logged, and how that is changed while the program runs.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str,
    sync::Arc,
};

use axum::{
    Extension,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
};
use tracing::Level;
use tracing_subscriber::{EnvFilter, Registry, reload};

use super::{Error, Server};

/// How long a filter may be, in bytes.
pub(super) const MAX_FILTER: usize = 4096;

/// What holds unless it is asked for otherwise: `notify` warns of every folder that is removed, without need; and the audit log
/// is not turned off by mistake.
const DEFAULTS: &str = "notify=error,audit=info";

/// What is logged. A clone changes the same.
#[derive(Clone, Debug)]
pub struct LogFilter(reload::Handle<EnvFilter, Registry>);

impl LogFilter {
    /// A filter for a layer of the subscriber, and what changes it for as long as the subscriber lives.
    ///
    /// # Errors
    /// What is wrong with the directives.
    pub fn new(directives: &str) -> Result<(reload::Layer<EnvFilter, Registry>, Self), String> {
        let (layer, handle) = reload::Layer::new(parse(directives)?);
        Ok((layer, Self(handle)))
    }

    /// The directives in force.
    fn current(&self) -> Result<String, Error> {
        self.0.with_current(ToString::to_string).map_err(lost)
    }

    fn replace(&self, filter: EnvFilter) -> Result<(), Error> {
        self.0.reload(filter).map_err(lost)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it ends here")]
fn lost(error: reload::Error) -> Error {
    tracing::error!(%error, "the filter of the log is lost");
    Error::Internal
}

/// A filter such as `info` or `warn,bailiwick=debug`, with what holds unless it is asked for otherwise.
fn parse(directives: &str) -> Result<EnvFilter, String> {
    let directives: Vec<_> = directives.split(',').map(str::trim).collect();
    for directive in &directives {
        // It would be taken for the name of a module of which everything is logged, and of all others nothing.
        let is_word = !directive.contains(['=', '[', ']', '{', '}']);
        let is_level = directive.parse::<Level>().is_ok() || directive.eq_ignore_ascii_case("off");
        if is_word && !is_level {
            return Err(format!(
                "`{directive}` is no level (off, error, warn, info, debug, trace); for a module write `bailiwick=debug`"
            ));
        }
    }
    EnvFilter::try_new(format!("{DEFAULTS},{}", directives.join(","))).map_err(|error| error.to_string())
}

/// Who is at the other end of a connection to the probes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(IpAddr);

impl Peer {
    pub fn new(address: SocketAddr) -> Self {
        Self(address.ip())
    }

    /// Whether it can only be this very machine, or pod. Other addresses of the loopback network do not count: there are
    /// proxies that use them for what comes from elsewhere.
    fn is_local(self) -> bool {
        let Self(address) = self;
        address.to_canonical() == Ipv4Addr::LOCALHOST || address == Ipv6Addr::LOCALHOST
    }
}

/// `GET /log-level`: the filter in force.
pub(super) async fn read(State(server): State<Arc<Server>>) -> Result<String, Error> {
    let filter = server.config.log_filter.as_ref().ok_or(Error::NoSuchRoute)?;
    Ok(format!("{}\n", filter.current()?))
}

/// `PUT /log-level`: another filter, from here only. It lasts until the next, or the end of the process.
pub(super) async fn change(
    State(server): State<Arc<Server>>,
    peer: Option<Extension<Peer>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<String, Error> {
    // Without an address it may be anybody.
    if !peer.is_some_and(|Extension(peer)| peer.is_local()) {
        return Err(Error::NotLocal);
    }
    let filter = server.config.log_filter.as_ref().ok_or(Error::NoSuchRoute)?;
    let malformed = |problem| Error::Malformed { problem };
    let body =
        body.map_err(|_| malformed(format!("the filter cannot be read, or is longer than {MAX_FILTER} bytes")))?;
    let directives = str::from_utf8(&body).map_err(|error| malformed(format!("not UTF-8: {error}")))?.trim();
    filter.replace(parse(directives).map_err(malformed)?)?;
    tracing::info!(filter = directives, "what is logged was changed");
    read(State(server)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_modules_are_taken() {
        for directives in ["info", "OFF", "warn,bailiwick=debug", " info , bailiwick::server=trace", "[request]=debug"]
        {
            assert!(parse(directives).is_ok(), "`{directives}`");
        }
    }

    #[test]
    fn what_would_silence_the_log_by_mistake_is_refused() {
        for directives in ["", "inof", "info,bailiwick", "bailiwick=loud", "info,"] {
            assert!(parse(directives).is_err(), "`{directives}`");
        }
        assert!(parse("inof").unwrap_err().contains("`inof` is no level"));
    }

    #[test]
    fn only_the_machine_itself_is_local() {
        for (address, local) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("127.0.0.6", false),
            ("10.0.0.1", false),
            ("::ffff:10.0.0.1", false),
            ("fe80::1", false),
        ] {
            assert_eq!(Peer(address.parse().unwrap()).is_local(), local, "{address}");
        }
    }
}
