//! The documentation: what it calls gives what it prints, and what it links to is there.

use std::{fs, path::Path};

use regex::Regex;

use crate::support::bailiwick::Bailiwick;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// One call of curl as the documentation shows it.
#[derive(Debug)]
struct Call {
    path: String,
    body: Option<String>,
    prints: String,
}

/// The calls of curl in the blocks of `file` that show a console.
fn calls(file: &str) -> Vec<Call> {
    let text = read(file);
    // Between two fences is a block, then comes text, then a block.
    let blocks = text.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("console\n"));
    let commands = blocks.flat_map(|block| block.split("$ ")).filter(|command| command.starts_with("curl "));
    commands
        .map(|command| parse(command).unwrap_or_else(|| panic!("{file}: cannot be understood: {command}")))
        .collect()
}

/// `curl -s URL` or `curl -s URL --json 'BODY'`, with what is printed on the lines after it.
fn parse(command: &str) -> Option<Call> {
    let call = command.strip_prefix("curl -s ")?;
    let (url, body, prints) = if let Some((url, rest)) = call.split_once(" --json '") {
        let (body, prints) = rest.split_once("'\n")?;
        (url, Some(body.to_owned()), prints)
    } else {
        let (url, prints) = call.split_once('\n')?;
        (url, None, prints)
    };
    let path = url.trim_matches('\'').strip_prefix("localhost:8080")?;
    Some(Call { path: path.to_owned(), body, prints: prints.trim_end().to_owned() })
}

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn the_calls_in_the_documentation_give_what_it_prints() {
    let acme = Path::new(ROOT).join("examples/acme");
    let serve = Bailiwick::start_ready(&["serve", "--manifests", acme.to_str().expect("a path in UTF-8")]);
    // It is another one each time.
    let revision = Regex::new(r"\b1\.[A-Za-z0-9_-]{20,}").expect("a pattern");
    for file in ["README.md", "docs/authzen.md", "docs/http-api.md"] {
        let calls = calls(file);
        assert!(calls.len() >= 4, "{file} has only these calls: {calls:#?}");
        for call in calls {
            let answer = match &call.body {
                Some(body) => serve.post(&call.path, &serde_json::from_str(body).expect("a body of JSON")),
                None => serve.get(&call.path),
            };
            assert_eq!(revision.replace_all(&answer.body, "1.…"), call.prints, "{file}: {call:#?}");
        }
    }
}

#[test]
fn what_the_documentation_links_to_is_there() {
    for file in [
        "README.md",
        "docs/authentication.md",
        "docs/authzen.md",
        "docs/conditions.md",
        "docs/consistency.md",
        "docs/fuzzing.md",
        "docs/gitops.md",
        "docs/http-api.md",
        "docs/operations.md",
        "docs/performance.md",
        "docs/rules.md",
        "docs/security.md",
        "docs/semantics.md",
        "docs/subject-access-review.md",
        "docs/workos.md",
    ] {
        let text = read(file);
        let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
        let (elsewhere, here): (Vec<_>, Vec<_>) = links.partition(|link| link.starts_with("https://"));
        assert!(!here.is_empty(), "{file} links to nothing but {elsewhere:?}");
        let folder = Path::new(ROOT).join(file).parent().expect("a folder").to_owned();
        for link in here {
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let path = if path.is_empty() { Path::new(ROOT).join(file) } else { folder.join(path) };
            assert!(path.exists(), "{file} links to {link}, which is not there");
            assert!(heading.is_empty() || has_heading(&path, heading), "{file} links to {link}: no such heading");
        }
    }
}

#[test]
fn the_readme_links_to_every_document() {
    let readme = read("README.md");
    for entry in fs::read_dir(Path::new(ROOT).join("docs")).expect("a folder") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name in UTF-8");
        assert!(readme.contains(&format!("](docs/{name}")), "README.md does not link to docs/{name}");
    }
}

/// Whether a document has a heading that links call so: in lower case, with hyphens for blanks.
fn has_heading(path: &Path, name: &str) -> bool {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut headings = text.lines().filter(|line| line.starts_with('#'));
    headings.any(|line| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-") == name)
}
