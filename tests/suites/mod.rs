//! Test cases of outside origin, from the folder that `BAILIWICK_SUITES` names.

mod certification;
mod neutral;

use std::{env, fs, path::Path};

use serde::de::DeserializeOwned;

/// A file of the suites.
fn read<T: DeserializeOwned>(path: &str) -> T {
    let folder = env::var_os("BAILIWICK_SUITES").expect(
        "BAILIWICK_SUITES is not set: it names the folder with the test cases; `make test` sets it where there is one",
    );
    let path = Path::new(&folder).join(path);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
