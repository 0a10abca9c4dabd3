//! Objects as the API server sends them.
#![no_main]

use bailiwick::{graph::facts::Kind, source::cluster::WatchedObject};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(object) = serde_json::from_slice::<WatchedObject>(data) else { return };
    for kind in Kind::ALL {
        let (read, problems) = object.to_object(kind, object.name());
        assert_eq!(read.fact.kind(), kind);
        assert!(problems.is_empty() || matches!(read.fact, bailiwick::graph::facts::Fact::Invalid { .. }));
        let _ = object.to_record(kind);
    }
});
