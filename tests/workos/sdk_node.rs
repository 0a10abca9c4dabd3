//! The official Node SDK, by tests/sdk/node/run.mjs.

use std::process::Command;

use super::sdk_targets::{Target, program};

#[test]
fn works_against_serve() {
    Target::serve().run(node());
}

#[test]
fn works_against_the_operator() {
    Target::operator("sdk-node").run(node());
}

fn node() -> Command {
    let mut command = Command::new("node");
    command.arg(program("node/run.mjs"));
    command
}
