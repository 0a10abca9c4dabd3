//! The options of the decision log.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use prometheus_client::registry::Registry;

use super::Error;
use crate::server::{DecisionLog, Drain, Redaction};

/// What stands for the standard output.
const STDOUT: &str = "-";

#[derive(Args, Debug)]
#[command(next_help_heading = "Decision log")]
#[group(skip)]
#[expect(clippy::struct_field_names, reason = "the names of the options")]
pub(super) struct Options {
    /// Append every answer of a check to this file, as a line of JSON; `-`: to the standard output.
    #[arg(long, value_name = "FILE", env = "BAILIWICK_DECISION_LOG")]
    decision_log: Option<PathBuf>,
    /// With --decision-log: the part of the answers that is written, from 0 to 1.
    #[arg(long, value_name = "PART", default_value = "1", value_parser = part, requires = "decision_log", env = "BAILIWICK_DECISION_LOG_SAMPLE")]
    decision_log_sample: f64,
    /// With --decision-log: what becomes of the ids of subjects and resources.
    #[arg(
        long,
        value_name = "HOW",
        value_enum,
        default_value_t,
        requires = "decision_log",
        env = "BAILIWICK_DECISION_LOG_IDS"
    )]
    decision_log_ids: Ids,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Ids {
    /// They are written as they are.
    #[default]
    Keep,
    /// A part of their SHA-256 is written.
    Hash,
    /// They are left out.
    Drop,
}

impl Options {
    /// Begins the log, if there is to be one. It is ended when the second is dropped.
    pub fn start(&self, registry: &mut Registry) -> Result<Option<(DecisionLog, Drain)>, Error> {
        let Some(path) = &self.decision_log else { return Ok(None) };
        let redaction = match self.decision_log_ids {
            Ids::Keep => Redaction::Keep,
            Ids::Hash => Redaction::Hash,
            Ids::Drop => Redaction::Drop,
        };
        let started =
            open(path).and_then(|output| DecisionLog::start(output, self.decision_log_sample, redaction, registry));
        started.map(Some).map_err(|source| Error::Write { path: path.clone(), source })
    }
}

fn open(path: &Path) -> io::Result<Box<dyn Write + Send>> {
    if path == Path::new(STDOUT) {
        return Ok(Box::new(io::stdout()));
    }
    let mut options = File::options();
    options.create(true).append(true);
    // It tells who may do what.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(Box::new(options.open(path)?))
}

fn part(text: &str) -> Result<f64, String> {
    let part = text.parse::<f64>().ok().filter(|part| (0.0..=1.0).contains(part));
    part.ok_or_else(|| "must be a number from 0 to 1".to_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn nobody_else_can_read_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("decisions");
        drop(open(&path).unwrap());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
