//! The official Python SDK, by tests/sdk/python/run.py.

use std::process::Command;

use super::sdk_targets::{Target, program, sdks};

#[test]
fn works_against_serve() {
    Target::serve().run(python());
}

#[test]
fn works_against_the_operator() {
    Target::operator("sdk-python").run(python());
}

fn python() -> Command {
    let mut command = Command::new(sdks().join("python/bin/python"));
    command.arg(program("python/run.py")).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}
