//! The frames of HTTP/2, as they are followed so that the head of a request has its time.
#![no_main]

use bailiwick::server::Frames;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&length, bytes)) = data.split_first() else { return };
    let (first, second) = bytes.split_at(bytes.len().min(length.into()));
    let (mut whole, mut parts) = (Frames::default(), Frames::default());
    parts.receive(first);
    assert_eq!(whole.receive(bytes), parts.receive(second));
});
