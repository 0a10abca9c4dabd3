//! Certificates, their authorities and keys: in PEM, and in DER as clients show them. The key among the seeds is the one that RFC 8410 prints.
#![no_main]

use std::sync::{Arc, LazyLock};

use bailiwick::server::{Certificate, fuzzing, read_authorities};
use libfuzzer_sys::fuzz_target;
use prometheus_client::registry::Registry;

static SHOWN: LazyLock<Arc<Certificate>> = LazyLock::new(|| Certificate::register(&mut Registry::default()));

fuzz_target!(|data: &[u8]| {
    fuzzing::read_certificate(data);
    read_authorities(data);
    SHOWN.offer(data, data);
});
