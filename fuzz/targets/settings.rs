//! What is given to the program as options: what is logged, where it is reached, digests of keys, names of environments.
#![no_main]

use bailiwick::server::{Digest, LogFilter, PublicUrl, check_environment_name};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = LogFilter::new(text);
    let _ = check_environment_name(text);
    if let Ok(url) = text.parse::<PublicUrl>() {
        assert_eq!(url.to_string().parse().as_ref(), Ok(&url));
    }
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string(), text);
    }
});
