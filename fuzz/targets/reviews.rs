//! The bodies of admission reviews.
#![no_main]

use bailiwick_fuzz::WORLD;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    WORLD.review(data).expect("an answer has a body");
});
