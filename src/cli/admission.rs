//! The options of the admission webhook, and what they ask for.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

#[derive(Args, Debug)]
#[command(next_help_heading = "Admission webhook")]
pub(super) struct Options {
    /// Where the validating admission webhook listens, with TLS, as /admission/validate. Without it, there is none.
    #[arg(long, value_name = "ADDRESS:PORT", requires = "admission_certificates", env = "BAILIWICK_ADMISSION_LISTEN")]
    admission_listen: Option<SocketAddr>,
    /// The folder of its certificate: tls.crt and tls.key, as cert-manager writes them. Followed when they change.
    #[arg(long, value_name = "DIR", group = "admission_certificates", requires = "admission_listen", env = "BAILIWICK_ADMISSION_CERTIFICATE")]
    admission_certificate: Option<PathBuf>,
}
