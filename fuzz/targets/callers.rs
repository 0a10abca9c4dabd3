//! The text of a file of callers.
#![no_main]

use bailiwick::server::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| fuzzing::read_callers(text));
