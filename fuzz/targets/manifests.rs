//! The text of manifests, in YAML and in JSON, and their editing.
#![no_main]

use bailiwick::store::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    fuzzing::read_and_edit("manifest.yaml", text);
    fuzzing::read_and_edit("manifest.json", text);
});
