//! The walk through `docs/workos.md`, from an empty folder, and the examples that go on from it: word by word.

use std::{fs, path::Path, process::Command};

use regex::Regex;

use super::{errors::without_ids, sdk_targets::sdks};
use crate::support::bailiwick::Bailiwick;

const GUIDE: &str = include_str!("../../docs/workos.md");

/// What one console of the guide says to type, and what it shows then.
struct Step {
    command: String,
    shown: String,
}

/// The steps of a console. A text that is fed to a command ends with a line `END`.
fn steps(console: &str) -> Vec<Step> {
    let steps = console.split("$ ").filter(|step| !step.is_empty());
    let step = |step: &str| {
        let end = if step.contains("<<'END'") { "\nEND\n" } else { "\n" };
        let (command, shown) = step.split_once(end).unwrap();
        Step { command: format!("{command}{end}"), shown: shown.to_owned() }
    };
    steps.map(step).collect()
}

/// What is different each time left out.
fn lasting(text: &str) -> String {
    let time = Regex::new("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z").unwrap();
    time.replace_all(&without_ids(text.trim()), "(time)").into_owned()
}

/// Types a command into a shell.
fn type_in(command: &str, folder: &Path) -> String {
    let mut shell = Command::new("bash");
    shell.args(["-e", "-c", command]).current_dir(folder);
    let path = std::env::var("PATH").unwrap_or_default();
    shell.env("PATH", format!("{}:{path}", sdks().join("python/bin").display()));
    let output = shell.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// The text with the address at which the server listens, once there is one.
fn at(server: Option<&Bailiwick>, text: &str) -> String {
    let address = Regex::new("(localhost|127.0.0.1):8080").unwrap();
    server.map_or_else(|| text.to_owned(), |server| address.replace_all(text, server.api.as_str()).into_owned())
}

#[test]
fn the_guide_can_be_followed_word_by_word() {
    let (_, walk) = GUIDE.split_once("\n## Ten minutes from nothing\n").unwrap();
    let (walk, _) = walk.split_once("\n## Where the answers differ\n").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut server = None;
    let mut compared = 0;
    // Between two fences is a block, then comes text, then a block.
    for block in walk.split("```").skip(1).step_by(2) {
        if let Some(program) = block.strip_prefix("python\n") {
            fs::write(folder.path().join("story.py"), at(server.as_ref(), program)).unwrap();
            continue;
        }
        for Step { command, shown } in steps(block.strip_prefix("console\n").unwrap()) {
            if command == "bailiwick serve --manifests acme\n" {
                let manifests = folder.path().join("acme");
                server = Some(Bailiwick::start_ready(&["serve", "--manifests", manifests.to_str().unwrap()]));
                break;
            }
            let printed = type_in(&at(server.as_ref(), &command), folder.path());
            if !shown.trim().is_empty() {
                assert_eq!(lasting(&printed), lasting(&shown), "{command}");
                compared += 1;
            }
        }
    }
    assert!(compared >= 10, "the guide shows no more than {compared} answers");
}
