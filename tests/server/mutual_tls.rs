//! The API with TLS: callers by the certificates that they show.

use std::{fs, io, io::Write as _, net::SocketAddr, sync::Arc};

use axum::http::StatusCode;
use bailiwick::server::{self, ApiTls, Authentication, CallersFile, Certificate, ClientAuthority, Config, Listeners};
use prometheus_client::registry::Registry;
use rcgen::{CertificateParams, DnType, SanType, date_time_ymd};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::tls::answer;
use crate::support::{
    callers::{self, entry},
    router::{TestServer, config},
    wait,
    webhook::{self, Authority, HOST, Issued},
};

/// A server whose API shows a certificate of an authority, and takes those of clients of another.
struct Serving {
    api: SocketAddr,
    folder: TempDir,
    authority: Authority,
    clients: Authority,
    _shutdown: tokio_util::sync::DropGuard,
}

impl Serving {
    async fn begin() -> Self {
        let (authority, clients) = (Authority::new(), Authority::new());
        let folder = tempfile::tempdir().unwrap();
        authority.issue_into(folder.path());
        let may = "may: [{environments: [default], verbs: [search]}]";
        let entries = ["shop", "shop.example", "spiffe://example/shop"]
            .map(|name| format!("- {{name: named, certificate: '{name}', {may}}}\n"));
        let key = entry("keyed", "sesame", "{environments: [default], verbs: [search]}");
        callers::write(&folder.path().join("callers"), &[entries.concat(), key]);
        fs::write(folder.path().join("ca.crt"), &clients.pem).unwrap();

        let mut registry = Registry::default();
        let callers = CallersFile::open(folder.path().join("callers"), &mut registry).unwrap();
        let certificate = Certificate::register_for_api(&mut registry);
        let authorities = ClientAuthority::open(folder.path().join("ca.crt"), &mut registry).unwrap();
        tokio::spawn(server::follow_files(folder.path().to_owned(), Arc::clone(&certificate)));
        let followed = Arc::clone(&authorities);
        tokio::spawn(async move { followed.follow().await });
        let authentication = Some(Authentication::new(Some(callers), None, &mut registry));
        let server = TestServer::new(Config { authentication, ..config() });
        server.environments.apply("default", &[]);
        let bind = async || TcpListener::bind((HOST, 0)).await.unwrap();
        let (api, probes) = (bind().await, bind().await);
        let address = api.local_addr().unwrap();
        let api_tls = Some(ApiTls { certificate, clients: Some(authorities) });
        let shutdown = CancellationToken::new();
        let listeners = Listeners { api, api_tls, probes, admission: None, access_reviews: None };
        tokio::spawn(server::serve(server.server, listeners, shutdown.clone().cancelled_owned()));
        let serving = Self { api: address, folder, authority, clients, _shutdown: shutdown.drop_guard() };
        wait::until("it greets", || serving.ask(None, "").map_err(|error| error.to_string()));
        serving
    }

    /// The status of a list, for a client with this certificate and these headers.
    fn ask(&self, client: Option<&Issued>, headers: &str) -> io::Result<StatusCode> {
        let mut connection = webhook::connect_as(&self.api.to_string(), &self.authority.pem, &[], client)?;
        let request = format!("GET /environments/default/v1/objects HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        connection.write_all(request.as_bytes())?;
        let status = answer(&mut connection)?;
        Ok(status.split(' ').nth(1).unwrap().parse().unwrap())
    }
}

fn named(common_name: &str, alternatives: &[SanType]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.subject_alt_names = alternatives.to_vec();
    params
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_are_known_by_the_names_in_their_certificates() {
    let serving = Serving::begin().await;
    let dns = |name: &str| SanType::DnsName(name.try_into().unwrap());
    let uri = |name: &str| SanType::URI(name.try_into().unwrap());
    for (params, status) in [
        (named("shop", &[]), 200),
        (named("Shop", &[]), 401),
        (named("x", &[dns("y.example"), dns("shop.example")]), 200),
        (named("x", &[uri("spiffe://example/shop")]), 200),
        (named("x", &[uri("spiffe://example/shopping")]), 401),
        (CertificateParams::default(), 401),
    ] {
        let certificate = serving.clients.issue(&params);
        assert_eq!(serving.ask(Some(&certificate), "").unwrap(), status, "{params:?}");
    }
    assert_eq!(serving.ask(None, "").unwrap(), 401);
    assert_eq!(serving.ask(None, "authorization: Bearer sesame\r\n").unwrap(), 200);
    let shop = serving.clients.issue(&named("shop", &[]));
    assert_eq!(serving.ask(Some(&shop), "authorization: Bearer wrong\r\n").unwrap(), 401, "a wrong key is wrong");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_that_are_over_or_of_others_are_not_taken() {
    let serving = Serving::begin().await;
    let mut over = named("shop", &[]);
    over.not_after = date_time_ymd(2020, 1, 1);
    assert!(serving.ask(Some(&serving.clients.issue(&over)), "").is_err());
    let others = Authority::new();
    let of_others = others.issue(&named("shop", &[]));
    assert!(serving.ask(Some(&of_others), "").is_err());

    let before = serving.clients.issue(&named("shop", &[]));
    fs::write(serving.folder.path().join("ca.crt"), "-----BEGIN GARBAGE-----\n").unwrap();
    assert_eq!(serving.ask(Some(&before), "").unwrap(), 200);
    fs::write(serving.folder.path().join("ca.crt"), &others.pem).unwrap();
    wait::until("the other authority is trusted", || match serving.ask(Some(&of_others), "") {
        Ok(status) if status == 200 => Ok(()),
        other => Err(format!("{other:?}")),
    });
    assert!(serving.ask(Some(&before), "").is_err(), "the one before is still trusted");
}
