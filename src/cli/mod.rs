//! The subcommands, one file each, and what they share.

mod admission;
mod authentication;
mod authorization;
mod client;
mod crds;
mod decision_log;
mod host;
mod key;
mod leading;
mod logging;
mod options;
#[cfg(feature = "otel")]
mod otel;
mod release_finalizers;
mod reviewer;
mod run;
mod serve;

use std::{
    io::{self, Write as _},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use crate::source::{self, with_causes};

/// Fine-grained authorization, declared in Kubernetes.
///
/// Teams declare who may do what on which resource as custom resources, in YAML. Bailiwick keeps an authorization graph up to
/// date with them and answers permission checks from it over HTTP.
#[derive(Debug, Parser)]
#[command(version, after_help = "Every option can also be given as the environment variable that its help names.")]
struct Cli {
    #[command(flatten)]
    logging: logging::Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Options),
    Run(Box<run::Options>),
    Crds(crds::Options),
    Key(key::Options),
    ReleaseFinalizers(release_finalizers::Options),
}

/// Why a subcommand failed.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// The options contradict each other or are not safe together.
    #[error("{0}")]
    Usage(String),
    /// The threads that everything runs on cannot be had.
    #[error("cannot start threads")]
    Runtime(#[source] io::Error),
    /// Signals cannot be waited for.
    #[error("cannot wait for signals")]
    Signals(#[source] io::Error),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}; choose another address with {flag}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The option that sets it.
        flag: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The server failed.
    #[error("the server failed")]
    Server(#[source] io::Error),
    /// The server ended before it was told to.
    #[error("the server ended by itself")]
    ServerEnded,
    /// Objects cannot be read.
    #[error(transparent)]
    Source(source::Error),
    /// The kubeconfig cannot be used, or there is none and this is not a pod either.
    #[error("cannot find a Kubernetes API server to talk to; name a kubeconfig with --kubeconfig")]
    Kubeconfig(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The API server does not do what it is asked for.
    #[error("cannot {action}: {cause}")]
    Refused {
        /// What is asked for.
        action: &'static str,
        /// Why not, in words.
        cause: String,
    },
    /// An operator would put back what is to be removed.
    #[error(
        "`{holder}` leads, by the lease {namespace}/{lease}, and would put the finalizers back: stop the operator first, \
         or say --force"
    )]
    Led {
        /// The identity of the holder.
        holder: String,
        /// The namespace of the lease.
        namespace: String,
        /// The name of the lease.
        lease: String,
    },
    /// Finalizers are left.
    #[error("finalizers are left, or could not be looked for")]
    FinalizersLeft,
    /// The source of objects ended before it was told to.
    #[error("the source of objects ended by itself")]
    SourceEnded,
    /// A second signal came before the requests under way were answered.
    #[error("aborted by a second signal")]
    Aborted,
    /// A file or the standard output cannot be written.
    #[error("cannot write {}", .path.display())]
    Write {
        /// Where to.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The standard input cannot be read.
    #[error("cannot read the standard input")]
    Input(#[source] io::Error),
    /// A file that an option names cannot be used.
    #[error("{flag} cannot be used")]
    Unusable {
        /// The option.
        flag: &'static str,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A definition cannot be put into YAML.
    #[error("cannot print a definition")]
    Print(#[source] serde_saphyr::SerializeError),
}

impl Error {
    const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            _ => 1,
        }
    }
}

/// Does what the command line says. Exit codes: 0 is success, 1 a failure, 2 a wrong command line.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match execute(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", with_causes(&error));
            ExitCode::from(error.exit_code())
        }
    }
}

fn execute(cli: Cli) -> Result<(), Error> {
    // Only the commands that talk to others have something to log.
    match cli.command {
        Command::Crds(options) => crds::execute(&options),
        Command::Key(options) => key::execute(&options),
        Command::Serve(options) => host::block_on(&cli.logging, serve::execute(options)),
        Command::Run(options) => host::block_on(&cli.logging, run::execute(*options)),
        Command::ReleaseFinalizers(options) => host::block_on(&cli.logging, release_finalizers::execute(options)),
    }
}

/// Writes to the standard output.
fn print(text: &str) -> Result<(), Error> {
    let written = io::stdout().write_all(text.as_bytes());
    written.map_err(|source| Error::Write { path: "the standard output".into(), source })
}
