//! What is logged, and how.

use std::io::{self, IsTerminal};

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

/// Logs to the standard error from now on.
pub(super) fn start(options: &Options) {
    let lines = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&options.log))
        .with_writer(io::stderr)
        .with_target(false);
    match options.log_format {
        Format::Text => lines.with_ansi(io::stderr().is_terminal()).init(),
        Format::Json => lines.json().flatten_event(true).init(),
    }
}
