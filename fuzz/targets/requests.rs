//! Whole requests: methods, paths with their parameters, query strings and bodies, of every surface.
//!
//! The first line is `METHOD PATH`, the rest is the body.
#![no_main]

use bailiwick_fuzz::WORLD;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|&byte| byte == b'\n').unwrap_or(data.len());
    let (line, body) = data.split_at(end);
    let Some((method, path)) = std::str::from_utf8(line).ok().and_then(|line| line.split_once(' ')) else { return };
    if path.starts_with('/') {
        WORLD.ask(method, path, body.get(1..).unwrap_or_default());
    }
});
