//! `bailiwick crds`: the custom resource definitions.

use std::{
    fs,
    io::{self, Write as _},
    path::PathBuf,
};

use clap::Args;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

use super::Error;
use crate::api;

/// Print the custom resource definitions of all kinds.
///
/// They belong to this very version of the program. Install or upgrade them with
///
///     bailiwick crds | kubectl apply --server-side -f -
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Options {
    /// Write one file a kind into this folder instead of printing them.
    #[arg(long, value_name = "DIR", env = "BAILIWICK_OUT")]
    out: Option<PathBuf>,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let documents = definitions()
        .into_iter()
        .map(|definition| {
            let yaml = serde_saphyr::to_string(&definition).map_err(Error::Print)?;
            Ok((definition.spec.names.plural, yaml))
        })
        .collect::<Result<Vec<_>, Error>>()?;
    match &options.out {
        None => {
            let text: String = documents.iter().map(|(_plural, yaml)| format!("---\n{yaml}")).collect();
            io::stdout()
                .write_all(text.as_bytes())
                .map_err(|source| Error::Write { path: "the standard output".into(), source })
        }
        Some(folder) => {
            fs::create_dir_all(folder).map_err(|source| Error::Write { path: folder.clone(), source })?;
            documents.into_iter().try_for_each(|(plural, yaml)| {
                let path = folder.join(format!("{plural}.yaml"));
                fs::write(&path, yaml).map_err(|source| Error::Write { path, source })
            })
        }
    }
}

fn definitions() -> [CustomResourceDefinition; 8] {
    [
        api::Resource::crd(),
        api::Role::crd(),
        api::Group::crd(),
        api::GroupRoleAssignment::crd(),
        api::MembershipRoleAssignment::crd(),
        api::OrganizationMembership::crd(),
        api::ResourceType::crd(),
        api::Environment::crd(),
    ]
}
