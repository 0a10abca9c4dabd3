//! The authorization webhook, asked by a real API server as examples/subject-access-review has it.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    sync::Arc,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    bailiwick::Bailiwick,
    control_plane::ControlPlane,
    wait::{self, PATIENCE},
    webhook::{Authority, HOST},
};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/subject-access-review");

/// The files that the API server reads in the example, and its address of the webhook.
const FILES: &str = "/etc/kubernetes/bailiwick";
const ADDRESS: &str = "10.96.0.53:9444";

/// What tells the operator and the API server of each other.
struct Files {
    folder: TempDir,
}

impl Files {
    /// A certificate for the webhook, and one for the API server, by different authorities.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let files = Self { folder };
        let (server, client) = (Authority::new(), Authority::new());
        server.issue_into(files.folder.path());
        let shown = files.folder.path().join("client");
        fs::create_dir(&shown).expect("a folder");
        client.issue_into(&shown);
        for (from, to) in [("client/tls.crt", "client.crt"), ("client/tls.key", "client.key")] {
            fs::rename(files.folder.path().join(from), files.folder.path().join(to)).expect("a file");
        }
        files.write("ca.crt", &server.pem);
        files.write("client-ca.crt", &client.pem);
        files
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("a path in UTF-8").to_owned()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).expect("a file");
    }

    /// A file of the example, with the paths of this folder and the address of the operator.
    fn example(&self, name: &str, operator: &Bailiwick) -> String {
        let text = fs::read_to_string(Path::new(EXAMPLE).join(name)).expect("a text file");
        text.replace(FILES, self.folder.path().to_str().expect("a path in UTF-8")).replace(ADDRESS, &address(operator))
    }

    /// Starts an operator that has the webhook, on a free port.
    fn start_operator(&self, plane: &ControlPlane, arguments: &[&str]) -> Bailiwick {
        let (certificate, clients) = (self.path(""), self.path("client-ca.crt"));
        let webhook = ["--authorization-listen", "127.0.0.1:0", "--admission-certificate", &certificate];
        plane.start_operator(&[&webhook[..], &["--authorization-client-ca", &clients], arguments].concat())
    }
}

/// Where the authorization webhook of an operator listens: `address:port`.
fn address(operator: &Bailiwick) -> String {
    let log = operator.log();
    let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let line = lines.find(|line| line["authorization"].is_string()).unwrap_or_else(|| panic!("no webhook in: {log}"));
    line["authorization"].as_str().expect("an address").to_owned()
}

/// Asks the webhook of an operator something that is no review. The status line of the answer.
fn ask(operator: &Bailiwick, files: &Files, certificate: Option<(String, String)>) -> io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(files.path("ca.crt")).expect("a certificate")).expect("an authority");
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    let config = match certificate {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let certificate = CertificateDer::from_pem_file(certificate).expect("a certificate");
            let key = PrivateKeyDer::from_pem_file(key).expect("a key");
            builder.with_client_auth_cert(vec![certificate], key).expect("a certificate with its key")
        }
    };
    let host = ServerName::try_from(HOST).expect("a host");
    let client = ClientConnection::new(Arc::new(config), host).map_err(io::Error::other)?;
    let stream = TcpStream::connect(address(operator))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut connection = StreamOwned::new(client, stream);
    connection.write_all(b"POST /subject-access-review HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

/// Another authority takes the place of the one that the API server's certificate is of, while the operator runs.
fn exchange_authority(operator: &Bailiwick, files: &Files) {
    let ask = || ask(operator, files, Some((files.path("client.crt"), files.path("client.key"))));
    assert!(ask().is_ok(), "{}", operator.log());
    files.write("client-ca.crt", &Authority::new().pem);
    wait::until("the certificate of the API server is no longer taken", || match ask() {
        Ok(line) => Err(line),
        Err(_refused) => Ok(()),
    });
}

/// The namespaces of the example with its objects, and `ruth`, to whom RBAC grants the Secrets of the shop.
fn prepared() -> ControlPlane {
    let plane = ControlPlane::start();
    plane.permit_operator();
    plane.install_crds();
    for namespace in ["authz", "shop", "cellar", "monitoring"] {
        plane.create_namespace(namespace);
    }
    plane.kubectl(&["apply", "--namespace", "authz", "--filename", &format!("{EXAMPLE}/manifests")]).ok();
    plane.kubectl(&["create", "--namespace", "shop", "role", "secrets", "--verb=get", "--resource=secrets"]).ok();
    plane.kubectl(&["create", "--namespace", "shop", "rolebinding", "ruth", "--role=secrets", "--user=oidc:ruth"]).ok();
    plane
}

/// Whether the API server allows a user, with groups after commas, to do this.
#[track_caller]
fn can(plane: &ControlPlane, who: &str, what: &str) -> bool {
    let mut names = who.split(',');
    let user = format!("--as={}", names.next().expect("a user"));
    let groups: Vec<_> = names.map(|group| format!("--as-group={group}")).collect();
    let mut arguments = vec!["auth", "can-i", &user];
    arguments.extend(groups.iter().map(String::as_str));
    arguments.extend(what.split(' '));
    let answer = plane.kubectl(&arguments);
    match (answer.success, answer.stdout.trim()) {
        (true, "yes") => true,
        (false, said) if said == "no" || said.starts_with("no - ") => false,
        _ => panic!("{arguments:?}: {answer:?}"),
    }
}

/// How often reviews ended so.
fn reviews(operator: &Bailiwick, outcome: &str) -> u64 {
    let series = format!("bailiwick_subject_access_reviews_total{{outcome=\"{outcome}\"}} ");
    let metrics = operator.probe("/metrics").body;
    let count = metrics.lines().find_map(|line| line.strip_prefix(&series));
    count.map_or(0, |count| count.parse().expect("a count"))
}

#[test]
fn it_answers_as_the_example_says_beside_rbac() {
    let plane = prepared();
    let files = Files::new();
    let mapping = format!("{EXAMPLE}/mapping.yaml");
    let operator = files.start_operator(&plane, &["--authorization-mapping", &mapping]);
    operator.wait_until_ready();
    files.write("webhook.kubeconfig", &files.example("webhook.kubeconfig", &operator));
    plane.kill_api_server();
    plane.authorize(&files.example("authorization.yaml", &operator));
    plane.start_api_server();

    let prometheus = "system:serviceaccount:monitoring:prometheus";
    let deployer = "system:serviceaccount:ci:deployer";
    for (who, what, allowed) in [
        // Ours: by a role on the project above the namespace.
        ("oidc:alice", "list pods -n shop", true),
        ("oidc:alice", "get pods/web-1 -n cellar", true),
        ("oidc:alice", "get pods/web-1 --subresource=log -n shop", true),
        ("oidc:alice", "patch deployments.apps/web -n shop", true),
        ("oidc:alice", "update deployments.apps/web --subresource=scale -n shop", true),
        ("oidc:bob", "list pods -n shop", true),
        // Neither of both: another verb, namespace, subresource, kind, group, user.
        ("oidc:bob", "patch deployments.apps/web -n shop", false),
        ("oidc:alice", "list pods -n monitoring", false),
        ("oidc:alice", "list pods --all-namespaces", false),
        ("oidc:alice", "create pods/web-1 --subresource=exec -n shop", false),
        ("oidc:alice", "get secrets -n shop", false),
        ("oidc:alice", "list nodes", false),
        ("oidc:alice", "* *.* -n shop", false),
        ("alice", "list pods -n shop", false),
        ("oidc:mallory", "list pods -n shop", false),
        // RBAC's alone, of which the webhook has no opinion, and what it would not allow.
        ("oidc:ruth", "get secrets/token -n shop", true),
        ("oidc:ruth", "get secrets/token -n cellar", false),
        ("oidc:ruth", "list pods -n shop", false),
        // Groups of Kubernetes, alone and as members of a group of ours, and a service account in one.
        ("oidc:mallory,oidc:oncall", "create pods/web-1 --subresource=exec -n shop", true),
        ("oidc:mallory,oidc:guests,oidc:oncall", "list pods -n shop", true),
        ("oidc:mallory,oidc:oncall", "create pods/web-1 --subresource=exec -n cellar", false),
        ("oidc:mallory,oncall", "create pods/web-1 --subresource=exec -n shop", false),
        ("oidc:group:oncall", "create pods/web-1 --subresource=exec -n shop", false),
        ("oidc:mallory,oidc:releasers", "patch deployments.apps/web -n cellar", true),
        (deployer, "patch deployments.apps/web -n cellar", true),
        ("system:serviceaccount:ci:other", "patch deployments.apps/web -n cellar", false),
        // By name.
        ("oidc:bob", "update configmaps/prices -n shop", true),
        ("oidc:bob", "update configmaps/others -n shop", false),
        ("oidc:bob", "update configmaps/prices -n cellar", false),
        ("oidc:alice", "update configmaps/prices -n shop", false),
        // What is no object.
        (prometheus, "get /metrics", true),
        (prometheus, "get /metrics/slis", true),
        (prometheus, "get /logs", false),
        ("oidc:alice", "get /metrics", false),
        // Kubernetes itself is left to others.
        ("system:kube-scheduler", "list pods -n shop", true),
        ("system:node:one,system:nodes", "list pods -n shop", false),
    ] {
        assert_eq!(can(&plane, who, what), allowed, "{who}: {what}");
    }
    plane.kubectl(&["--as=oidc:alice", "--namespace=shop", "get", "configmaps"]).ok();
    let refused = plane.kubectl(&["--as=oidc:alice", "--namespace=shop", "get", "secrets"]);
    assert!(!refused.success && refused.stderr.contains("no rule of the mapping"), "{refused:?}");

    // Whoever is not the API server is told nothing, not even what is wrong with the question.
    let shown = |name: &str| Some((files.path(&format!("{name}.crt")), files.path(&format!("{name}.key"))));
    let answered = ask(&operator, &files, shown("client"));
    assert!(answered.as_ref().is_ok_and(|line| line == "HTTP/1.1 400 Bad Request"), "{answered:?}");
    for certificate in [None, shown("tls")] {
        let refused = ask(&operator, &files, certificate);
        assert!(refused.as_ref().is_err_and(|error| error.to_string().contains("fatal alert")), "{refused:?}");
    }

    // The conditions of the example keep away whom the webhook would ignore; what was malformed is the question above.
    assert!(reviews(&operator, "ignored") == 0 && reviews(&operator, "malformed") == 1, "{}", operator.log());

    // What is granted and revoked is heeded, once the API server has forgotten its answers.
    let carol = json!({
        "apiVersion": "authz.bailiwick.dev/v1alpha1", "kind": "MembershipRoleAssignment", "metadata": {"name": "carol"},
        "spec": {
            "membershipRef": {"name": "carol"}, "roleRef": {"name": "viewer"}, "resourceRef": {"name": "retail"},
        },
    });
    let becomes = |expected: bool| {
        wait::until(&format!("carol may look: {expected}"), || {
            if can(&plane, "oidc:carol", "list pods -n shop") == expected { Ok(()) } else { Err(operator.log()) }
        });
    };
    becomes(false);
    plane.apply("authz", &carol.to_string());
    becomes(true);
    plane.kubectl(&["delete", "--namespace", "authz", "membershiproleassignment", "carol"]).ok();
    becomes(false);

    // Without an operator, only RBAC is left.
    drop(operator);
    wait::until("the API server has forgotten what it was told", || {
        if can(&plane, "oidc:alice", "list pods -n shop") { Err("it has not".to_owned()) } else { Ok(()) }
    });
    assert!(can(&plane, "oidc:ruth", "get secrets/token -n shop"));

    // The same by flags in place of an AuthorizationConfiguration.
    let operator = files.start_operator(&plane, &["--authorization-mapping", &mapping]);
    operator.wait_until_ready();
    plane.kill_api_server();
    plane.authorize_by_webhook(&files.example("webhook.kubeconfig", &operator));
    plane.start_api_server();
    for (who, what, allowed) in [
        ("oidc:alice", "list pods -n shop", true),
        ("oidc:alice", "get secrets -n shop", false),
        ("oidc:ruth", "get secrets/token -n shop", true),
        ("system:node:one,system:nodes", "list pods -n shop", false),
    ] {
        assert_eq!(can(&plane, who, what), allowed, "by flags: {who}: {what}");
    }

    exchange_authority(&operator, &files);
}

#[test]
fn the_operator_becomes_ready_though_the_api_server_asks_it_about_itself_first() {
    let plane = prepared();
    let files = Files::new();
    plane.kill_api_server();
    // It does not know that it is this user, so that every one of its own requests becomes a question to it.
    let operator = files.start_operator(&plane, &[]);
    files.write("webhook.kubeconfig", &files.example("webhook.kubeconfig", &operator));
    let mut configuration: Value =
        serde_saphyr::from_str(&files.example("authorization.yaml", &operator)).expect("a configuration");
    let authorizers = configuration["authorizers"].as_array_mut().expect("authorizers");
    authorizers.rotate_right(1);
    assert_eq!(authorizers[0]["type"], "Webhook", "it is not asked first");
    authorizers[0]["webhook"]["failurePolicy"] = json!("Deny");
    plane.authorize(&configuration.to_string());
    plane.start_api_server();

    operator.wait_until_ready();
    // What came of it depends on how far the operator was by then.
    let asked: u64 = ["ignored", "unmapped", "unanswered"].map(|outcome| reviews(&operator, outcome)).iter().sum();
    assert!(asked > 0, "nobody asked it about itself: {}", operator.log());
    assert!(can(&plane, "oidc:ruth", "get secrets/token -n shop"));
    // It goes on to lead and to write.
    operator.wait_until_leads();
    plane.kubectl(&["wait", "--namespace=authz", "--for=condition=Ready", "--timeout=60s", "resource/acme"]).ok();

    // With `Deny`, nobody else is asked while there is no operator, not even RBAC.
    drop(operator);
    wait::until("the API server has forgotten what it was told", || {
        let answer = plane.kubectl(&["auth", "can-i", "--as=oidc:ruth", "get", "secrets/token", "--namespace=shop"]);
        let is_refused = !answer.success && answer.stderr.contains("connection refused");
        if is_refused { Ok(()) } else { Err(format!("{answer:?}")) }
    });
}
