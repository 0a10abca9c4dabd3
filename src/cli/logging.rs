//! What is logged, and how; and where spans go.

use std::{
    io::{self, IsTerminal, Write},
    sync::OnceLock,
};

use clap::{Args, ValueEnum};
use tracing_subscriber::{Layer as _, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use super::Error;
use crate::server::LogFilter;

/// The client library has a line of its own for each request that the API server refuses or does not answer. The
/// watches say the same in words for people, and only once.
const DEFAULT_FILTER: &str = "info,kube_client::client::builder=off,kube_runtime=error";

#[derive(Args, Debug)]
#[command(next_help_heading = "Logging")]
pub(super) struct Options {
    /// How log lines are written to the standard error: for people, or one JSON object a line.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT", env = "BAILIWICK_LOG_FORMAT")]
    log_format: Format,
    /// What is logged: a level (off, error, warn, info, debug, trace), or one for each module, such as
    /// `warn,bailiwick=debug`. `/log-level` on the probes' listener changes it while the program runs.
    #[arg(long, global = true, default_value = DEFAULT_FILTER, value_name = "FILTER", value_parser = filter, env = "BAILIWICK_LOG")]
    log: String,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
}

fn filter(directives: &str) -> Result<String, String> {
    LogFilter::new(directives).map(|_filter| directives.to_owned())
}

/// The standard error, with every event on one line: what comes from outside, such as the name of a file, must not pass
/// for a line of its own.
struct OneLine;

impl Write for OneLine {
    /// Takes a whole event, as the subscriber hands it over.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text).replace('\n', "\\n").replace('\r', "\\r");
        io::stderr().write_all(format!("{line}\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Belongs to the process, as the subscriber does.
static FILTER: OnceLock<LogFilter> = OnceLock::new();

/// What changes what is logged, once that has [started](start).
pub(super) fn log_filter() -> Option<LogFilter> {
    FILTER.get().cloned()
}

/// Sends what is still to be sent when it is dropped.
#[must_use]
pub(super) struct Logging {
    #[cfg(feature = "otel")]
    _export: Option<super::otel::Export>,
}

/// Logs to the standard error from now on.
pub(super) fn start(options: &Options) -> Result<Logging, Error> {
    let (filter, handle) =
        LogFilter::new(&options.log).map_err(|problem| Error::Usage(format!("--log {}: {problem}", options.log)))?;
    let lines = fmt::layer().with_writer(|| OneLine).with_target(false);
    let lines = match options.log_format {
        Format::Text => lines.with_ansi(io::stderr().is_terminal()).boxed(),
        Format::Json => lines.json().flatten_event(true).boxed(),
    };
    let subscriber = tracing_subscriber::registry().with(lines.with_filter(filter));
    #[cfg(feature = "otel")]
    let (layer, export) = super::otel::start()?.unzip();
    #[cfg(feature = "otel")]
    let subscriber = subscriber.with(layer);
    subscriber.init();
    let _ = FILTER.set(handle);
    Ok(Logging {
        #[cfg(feature = "otel")]
        _export: export,
    })
}
