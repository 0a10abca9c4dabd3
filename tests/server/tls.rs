//! The listener of the admission webhook: TLS with a certificate that changes while it is used.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::Arc,
};

use bailiwick::server::{self, AdmissionListener, Certificate, Listeners, ObjectFormat};
use prometheus_client::{encoding::text, registry::Registry};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::support::{
    router::{TestServer, config},
    wait::{self, PATIENCE},
    webhook::{self, Authority, Connection, HOST},
};

/// A server whose admission webhook shows what is in a folder.
struct Serving {
    admission: SocketAddr,
    folder: TempDir,
    registry: Registry,
    shutdown: CancellationToken,
    server: JoinHandle<io::Result<()>>,
}

impl Serving {
    async fn begin(authority: &Authority) -> Self {
        let folder = tempfile::tempdir().unwrap();
        authority.issue_into(folder.path());
        let mut registry = Registry::default();
        let certificate = Certificate::register(&mut registry);
        tokio::spawn(server::follow_files(folder.path().to_owned(), Arc::clone(&certificate)));
        let bind = async || TcpListener::bind((HOST, 0)).await.unwrap();
        let (api, probes, listener) = (bind().await, bind().await, bind().await);
        let admission = listener.local_addr().unwrap();
        let format = ObjectFormat { group: "test.example", read: |_, _| Err("nothing can be read here".to_owned()) };
        let admission_listener = Some(AdmissionListener { listener, certificate, format });
        let shutdown = CancellationToken::new();
        let server = TestServer::new(config()).server;
        let listeners = Listeners { api, api_tls: None, probes, admission: admission_listener, access_reviews: None };
        let server = tokio::spawn(server::serve(server, listeners, shutdown.clone().cancelled_owned()));
        let serving = Self { admission, folder, registry, shutdown, server };
        serving.connect_eventually(authority);
        serving
    }

    fn tcp(&self) -> TcpStream {
        let stream = TcpStream::connect(self.admission).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// A connection of somebody who trusts this authority only.
    fn connect(&self, authority: &Authority) -> io::Result<Connection> {
        webhook::connect(&self.admission.to_string(), &authority.pem)
    }

    /// A connection as soon as the server shows a certificate of this authority.
    fn connect_eventually(&self, authority: &Authority) -> Connection {
        wait::until("the certificate is shown", || self.connect(authority).map_err(|error| error.to_string()))
    }

    fn has_errors(&self) -> bool {
        let mut metrics = String::new();
        text::encode(&mut metrics, &self.registry).unwrap();
        !metrics.contains("admission_certificate_errors_total 0")
    }
}

/// Asks something on a connection. The status line of the answer.
fn ask(connection: &mut Connection) -> String {
    connection.write_all(b"GET /admission/validate HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    answer(connection).unwrap()
}

/// The status line of an answer whose body is JSON, an object.
pub fn answer(connection: &mut Connection) -> io::Result<String> {
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        let mut some = [0; 1024];
        let read = connection.read(&mut some)?;
        assert_ne!(read, 0, "the connection was closed");
        answer.extend_from_slice(&some[..read]);
    }
    let answer = String::from_utf8(answer).unwrap();
    Ok(answer.lines().next().unwrap().to_owned())
}

const METHOD_NOT_ALLOWED: &str = "HTTP/1.1 405 Method Not Allowed";

fn write(folder: &Path, name: &str, content: &str) {
    fs::write(folder.join(name), content).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_new_certificate_is_shown_without_dropping_connections() {
    let (old, new) = (Authority::new(), Authority::new());
    let serving = Serving::begin(&old).await;
    let mut connection = serving.connect(&old).unwrap();
    assert_eq!(ask(&mut connection), METHOD_NOT_ALLOWED);

    new.issue_into(serving.folder.path());
    let mut later = serving.connect_eventually(&new);
    assert_eq!(ask(&mut later), METHOD_NOT_ALLOWED);
    assert!(serving.connect(&old).is_err(), "the old one is still shown");
    assert_eq!(ask(&mut connection), METHOD_NOT_ALLOWED, "the connection lives on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_garbled_is_not_shown_and_what_was_before_is() {
    let (old, new) = (Authority::new(), Authority::new());
    for garbled in ["tls.crt", "tls.key", "mismatch", "missing"] {
        let serving = Serving::begin(&old).await;
        let folder = serving.folder.path();
        assert!(!serving.has_errors(), "{garbled}");
        match garbled {
            "mismatch" => {
                let key = fs::read_to_string(folder.join("tls.key")).unwrap();
                new.issue_into(folder);
                write(folder, "tls.key", &key);
            }
            "missing" => fs::remove_file(folder.join("tls.crt")).unwrap(),
            file => write(folder, file, "-----BEGIN GARBAGE-----\n"),
        }
        wait::until("the error is counted", || if serving.has_errors() { Ok(()) } else { Err(String::new()) });
        assert_eq!(ask(&mut serving.connect(&old).unwrap()), METHOD_NOT_ALLOWED, "{garbled}");

        new.issue_into(folder);
        serving.connect_eventually(&new);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_version_of_http_is_agreed_on() {
    let authority = Authority::new();
    let serving = Serving::begin(&authority).await;
    for (offered, agreed) in [(&["h2", "http/1.1"][..], Some("h2")), (&["http/1.1"], Some("http/1.1")), (&[], None)] {
        let address = serving.admission.to_string();
        let mut connection = webhook::connect_offering(&address, &authority.pem, offered).unwrap();
        assert_eq!(connection.conn.alpn_protocol(), agreed.map(str::as_bytes));
        if agreed == Some("h2") {
            connection.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
            let mut frame = [0; 9];
            connection.read_exact(&mut frame).unwrap();
            assert_eq!(frame[3], 4, "the first frame is one of settings");
        } else {
            assert_eq!(ask(&mut connection), METHOD_NOT_ALLOWED);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_does_not_speak_tls_holds_nobody_up_and_the_end_is_orderly() {
    let authority = Authority::new();
    let serving = Serving::begin(&authority).await;
    let mut plain = serving.tcp();
    plain.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let silent = serving.tcp();
    let mut connection = serving.connect(&authority).unwrap();
    assert_eq!(ask(&mut connection), METHOD_NOT_ALLOWED);
    let mut answer = Vec::new();
    let ended = plain.read_to_end(&mut answer);
    assert!(!ended.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock), "it is kept open");
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");

    serving.shutdown.cancel();
    timeout(PATIENCE, serving.server).await.expect("it ends").unwrap().unwrap();
    drop(silent);
}
