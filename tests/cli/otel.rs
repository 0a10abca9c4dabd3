//! Spans arrive at an OpenTelemetry collector.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use serde_json::json;
use tokio::{net::TcpListener, runtime::Runtime};

use super::{acme, text};
use crate::support::{
    bailiwick::{Bailiwick, command},
    control_plane::ControlPlane,
    http,
    manifests::{ACME, may_edit},
    wait::{self, PATIENCE},
};

/// What arrived: `content-type` and body of each request.
type Received = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A collector that keeps what it is sent.
struct Collector {
    address: SocketAddr,
    received: Received,
    _runtime: Runtime,
}

impl Collector {
    fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let received = Received::default();
        let take = async |State(received): State<Received>, headers: HeaderMap, body: Bytes| {
            let content_type = headers.get("content-type").map(|value| value.to_str().expect("text").to_owned());
            received.lock().unwrap().push((content_type.unwrap_or_default(), body.to_vec()));
        };
        let router = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&received));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { address, received, _runtime: runtime }
    }

    /// Starts the program with its spans sent here, once it ends or a span was there for `delay` milliseconds.
    fn observe(&self, arguments: &[&str], delay: u32) -> Bailiwick {
        let mut command = command(arguments);
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", self.address));
        command.env("OTEL_BSP_SCHEDULE_DELAY", delay.to_string());
        Bailiwick::start_command(command)
    }

    /// Whether the words are all in one of the requests. (Texts and identifiers are in Protobuf as they are.)
    fn has(&self, words: &[&[u8]]) -> bool {
        let received = self.received.lock().unwrap();
        received.iter().any(|(content_type, body)| {
            content_type == "application/x-protobuf"
                && words.iter().all(|word| body.windows(word.len()).any(|window| window == *word))
        })
    }
}

#[test]
fn a_request_is_a_span_of_its_callers_trace_and_none_is_lost_at_the_end() {
    let (collector, folder) = (Collector::start(), acme());
    let never = 3_600_000;
    let mut serve = collector.observe(&["serve", "--manifests", text(folder.path())], never);
    serve.wait_until_ready();
    let address = format!("http://{}/access/v1/evaluation", serve.api);
    let question = may_edit("default", "alice").evaluation();
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let answer = http::send(|client| client.post(address).header("traceparent", traceparent).json(&question));
    answer.expect("an answer").ok();
    assert!(collector.received.lock().unwrap().is_empty(), "sent before it was time");

    serve.process.terminate();
    assert_eq!(serve.process.wait(PATIENCE).code(), Some(0), "{}", serve.log());
    let trace_id = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes();
    let parent_id = 0xb7ad_6b71_6920_3331_u64.to_be_bytes();
    let words: [&[u8]; 7] = [
        &trace_id,
        &parent_id,
        b"/access/v1/evaluation",
        b"http.route",
        b"http.response.status_code",
        b"service.name",
        b"bailiwick",
    ];
    assert!(collector.has(&words), "{}", serve.log());
    assert!(!collector.has(&[b"alice"]), "no name that a caller sends is in a span");
}

#[test]
fn a_reconciliation_and_its_writes_are_spans() {
    let (collector, plane) = (Collector::start(), ControlPlane::start());
    plane.permit_operator();
    plane.install_crds();
    let kubeconfig = plane.kubeconfig();
    let _operator = collector.observe(&["run", "--kubeconfig", text(&kubeconfig), "--context", "operator"], 100);
    plane.apply("default", ACME);
    wait::until("a reconciliation and a write arrive", || {
        let words: [&[u8]; 4] = [b"reconcile", b"environment", b"write", b"operation"];
        if collector.has(&words) { Ok(()) } else { Err("not yet".to_owned()) }
    });
}

#[test]
fn without_a_collector_nothing_changes() {
    let folder = acme();
    let mut command = command(&["serve", "--manifests", text(folder.path())]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9").env("OTEL_SDK_DISABLED", "true");
    let mut serve = Bailiwick::start_command(command);
    serve.wait_until_ready();
    serve.post("/access/v1/evaluation", &json!({})).error(400, "invalid_field");
    serve.process.terminate();
    assert_eq!(serve.process.wait(PATIENCE).code(), Some(0), "{}", serve.log());
}
