//! What the SDKs are run against, and how their programs are run.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tempfile::TempDir;

use crate::support::{bailiwick::Bailiwick, control_plane::ControlPlane, process::Process, wait};

/// The schema that the programs expect. They have no means to make it: the SDKs have no methods for resource types.
pub const RESOURCE_TYPES: &str = "
apiVersion: authz.bailiwick.dev/v1alpha1
kind: ResourceType
metadata: {name: workspace}
spec: {parents: [organization]}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: ResourceType
metadata: {name: project}
spec: {parents: [workspace]}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: ResourceType
metadata: {name: document}
spec: {parents: [project]}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: ResourceType
metadata: {name: app}
spec: {parents: [organization, workspace]}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: ResourceType
metadata: {name: folder}
spec: {parents: [organization, folder]}
";

/// The settings of an environment in which a membership may have several roles in its organization.
const MULTIPLE_ROLES: &str = "
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Environment
metadata: {name: default}
spec: {multipleRoles: true}
";

/// How long one program may take.
const PATIENCE: Duration = Duration::from_mins(3);

/// A server with two environments that have the schema of the programs, and nothing else.
#[derive(Debug)]
pub struct Target {
    /// The server.
    pub bailiwick: Bailiwick,
    /// Its default environment.
    pub environment: String,
    /// The one in which a membership may have several roles in its organization.
    pub multiple_roles: String,
    _manifests: Option<TempDir>,
}

impl Target {
    /// `bailiwick serve` over a folder of its own.
    pub fn serve() -> Self {
        let manifests = tempfile::tempdir().expect("a temporary folder");
        let (environment, multiple_roles) = ("sdk", "sdk-multiple");
        for (namespace, schema) in
            [(environment, RESOURCE_TYPES.to_owned()), (multiple_roles, format!("{RESOURCE_TYPES}{MULTIPLE_ROLES}"))]
        {
            let schema = schema.replace("metadata: {", &format!("metadata: {{namespace: {namespace}, "));
            fs::write(manifests.path().join(format!("{namespace}.yaml")), schema).expect("a file of manifests");
        }
        let folder = manifests.path().to_str().expect("a path in UTF-8");
        let bailiwick = Bailiwick::start_ready(&["serve", "--manifests", folder, "--default-environment", environment]);
        Self {
            bailiwick,
            environment: environment.to_owned(),
            multiple_roles: multiple_roles.to_owned(),
            _manifests: Some(manifests),
        }
    }

    /// `bailiwick run` on the shared API server, for a namespace of this name, and for another.
    pub fn operator(environment: &str) -> Self {
        let plane = ControlPlane::shared();
        let multiple_roles = format!("{environment}-multiple");
        for (namespace, schema) in [
            (environment, RESOURCE_TYPES.to_owned()),
            (multiple_roles.as_str(), format!("{RESOURCE_TYPES}{MULTIPLE_ROLES}")),
        ] {
            plane.create_namespace(namespace);
            plane.permit_operator_in(namespace);
            plane.apply(namespace, &schema);
        }
        let bailiwick = plane.start_operator(&[
            "--namespace",
            environment,
            "--namespace",
            &multiple_roles,
            "--lease-namespace",
            environment,
            "--default-environment",
            environment,
        ]);
        bailiwick.wait_until_ready();
        Self { bailiwick, environment: environment.to_owned(), multiple_roles, _manifests: None }
    }

    /// The base URL of its API.
    pub fn url(&self) -> String {
        format!("http://{}", self.bailiwick.api)
    }

    /// Runs a program of tests/sdk, and fails with what it printed unless it succeeds.
    pub fn run(&self, mut program: Command) {
        let output = tempfile::NamedTempFile::new().expect("a temporary file");
        let file = File::create(output.path()).expect("a file for the output");
        program
            .env("BAILIWICK_SDKS", sdks())
            .env("BAILIWICK_URL", self.url())
            .env("BAILIWICK_ENVIRONMENT", &self.environment)
            .env("BAILIWICK_MULTIPLE_ROLES_URL", format!("{}/environments/{}", self.url(), self.multiple_roles));
        let mut process = Process::start(&program, file.try_clone().expect("a second handle"), file);
        let status = wait::within(PATIENCE, "the program ends", || {
            process.ended().ok_or_else(|| fs::read_to_string(output.path()).unwrap_or_default())
        });
        let output = fs::read_to_string(output.path()).expect("the output");
        if !status.success() {
            let log = self.bailiwick.log();
            let complaints: Vec<_> = log.lines().filter(|line| !line.contains(r#""level":"INFO""#)).collect();
            panic!("{program:?} ended with {status}:\n{output}\nlog:\n{}", complaints.join("\n"));
        }
    }
}

/// The folder of the SDKs.
pub fn sdks() -> PathBuf {
    env::var_os("BAILIWICK_SDKS")
        .map(PathBuf::from)
        .expect("BAILIWICK_SDKS is not set: run `make test`, or set it to what hack/sdks prints")
}

/// A file of tests/sdk.
pub fn program(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk").join(path)
}
