//! Manifests that the API server refuses, each with words that a person understands.
//!
//! A file in `tests/manifests/refused/` begins with `# refused: <part of the message>`. Its last document is the one that is
//! refused; what comes before it is accepted.

use std::fs;

use crate::support::{
    control_plane::{ControlPlane, Kubectl},
    manifests,
};

#[test]
fn bad_manifests_are_refused_with_a_message() {
    let plane = ControlPlane::shared();
    let files = manifests::files("tests/manifests/refused");
    assert!(files.len() >= 10, "only {} files", files.len());

    let mut wrong = Vec::new();
    for (i, path) in files.iter().enumerate() {
        let file = path.file_name().expect("a name").display();
        let text = fs::read_to_string(path).expect("a text file");
        let message = text.lines().next().and_then(|line| line.strip_prefix("# refused: "));
        let message = message.unwrap_or_else(|| panic!("{file} does not begin with `# refused: `"));
        let namespace = format!("refused-{i}");
        plane.create_namespace(&namespace);
        let apply = |manifest: &str| -> Kubectl {
            let arguments = ["apply", "--validate=strict", "--namespace", &namespace, "--filename", "-"];
            plane.kubectl_with(&arguments, manifest)
        };
        let documents: Vec<&str> = text.split("\n---\n").collect();
        let (last, before) = documents.split_last().expect("a document");
        for document in before {
            apply(document).ok();
        }
        let answer = apply(last);
        if answer.success {
            wrong.push(format!("{file} is accepted"));
        } else if !answer.stderr.contains(message) {
            wrong.push(format!("{file}: no `{message}` in: {}", answer.stderr));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
