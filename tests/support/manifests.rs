//! Manifests: those of the repository, and a few that several tests write.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::bailiwick::Question;

/// An organization with a role that may edit it.
pub const ACME: &str = "
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Resource
metadata: {name: acme}
spec: {type: organization}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Role
metadata: {name: editor}
spec: {permissions: ['organization:edit']}
";

/// The role of [`ACME`] for a membership, by an assignment of the same name.
pub fn editor(membership: &str) -> String {
    format!(
        "
apiVersion: authz.bailiwick.dev/v1alpha1
kind: MembershipRoleAssignment
metadata: {{name: {membership}}}
spec: {{membershipRef: {{name: {membership}}}, roleRef: {{name: editor}}, resourceRef: {{name: acme}}}}
"
    )
}

/// Whether a membership may edit the organization of [`ACME`].
pub const fn may_edit<'a>(environment: &'a str, membership: &'a str) -> Question<'a> {
    Question { environment, user: membership, action: "edit", resource_type: "organization", resource: "acme" }
}

/// The YAML files of a folder of the repository, sorted.
pub fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files
}

/// The documents of a file.
pub fn documents(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).expect("a text file");
    serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
