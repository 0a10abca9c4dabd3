//! What is logged, and how.

use std::io::{self, IsTerminal, Write};

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

/// The client library has a line of its own for each request that the API server refuses or does not answer. The
/// watches say the same in words for people, and only once.
const DEFAULT_FILTER: &str = "info,kube_client::client::builder=off,kube_runtime=error";

#[derive(Args, Debug)]
#[command(next_help_heading = "Logging")]
pub(super) struct Options {
    /// How log lines are written to the standard error: for people, or one JSON object a line.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT", env = "BAILIWICK_LOG_FORMAT")]
    log_format: Format,
    /// What is logged: a level (error, warn, info, debug, trace), or one for each module, such as
    /// `warn,bailiwick=debug`.
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
    EnvFilter::try_new(directives).map(|_filter| directives.to_owned()).map_err(|error| error.to_string())
}

/// What other crates log without need, unless it is asked for: `notify` warns of every folder that is removed.
const QUIETER: &str = "notify=error";

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

/// Logs to the standard error from now on.
pub(super) fn start(options: &Options) {
    let lines = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(format!("{QUIETER},{}", options.log)))
        .with_writer(|| OneLine)
        .with_target(false);
    match options.log_format {
        Format::Text => lines.with_ansi(io::stderr().is_terminal()).init(),
        Format::Json => lines.json().flatten_event(true).init(),
    }
}
