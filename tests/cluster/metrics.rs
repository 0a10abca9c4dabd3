//! The documentation of the metrics is that of the metrics that there are.

use std::{collections::BTreeSet, fs, path::Path};

use regex::Regex;

use super::running;
use crate::support::wait;

const DOCUMENT: &str = "docs/operations.md";

/// What a metric's name ends with beyond what it was registered as.
const SUFFIXES: [&str; 3] = ["_total", "_seconds", "_info"];

fn document() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT)).expect("the document")
}

/// The metrics that the document has a row for.
fn documented() -> BTreeSet<String> {
    let document = document();
    let (_, section) = document.split_once("\n## Metrics\n").expect("a section on metrics");
    let (section, _) = section.split_once("\n## ").expect("an end of the section");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.map(|(name, _)| name.to_owned()).collect()
}

/// The names that the sources register metrics by.
fn registered() -> BTreeSet<String> {
    fn sources(folder: &Path, texts: &mut Vec<String>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                sources(&path, texts);
            } else {
                texts.push(fs::read_to_string(&path).expect("a text file"));
            }
        }
    }
    let pattern = concat!(
        r#"(?:register(?:ed_as|_with_unit)?|encode_descriptor|encode_by_kind)\("#,
        r#"\s*(?:&mut encoder,\s*|\[\s*)?"([a-z_]+)"(?:,\s*"([a-z_]+)")?"#,
    );
    let pattern = Regex::new(pattern).expect("a pattern");
    let mut texts = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut texts);
    let text = texts.concat();
    let names = pattern.captures_iter(&text).flat_map(|found| [found.get(1), found.get(2)]).flatten();
    names.map(|name| name.as_str().to_owned()).collect()
}

/// The metrics that a text in the `OpenMetrics` format has, by the names that their samples have.
fn exposed(text: &str) -> BTreeSet<String> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let suffix = |kind| match kind {
        "counter" => "_total",
        "info" => "_info",
        _ => "",
    };
    types.map(|(name, kind)| format!("{name}{}", suffix(kind))).collect()
}

#[test]
fn every_metric_is_documented() {
    let stem = |name: &String| {
        let name = name.strip_prefix("bailiwick_").expect("the prefix of all metrics");
        SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name).to_owned()
    };
    let documented: BTreeSet<_> = documented().iter().map(stem).collect();
    assert_eq!(documented, registered(), "left: {DOCUMENT}, right: the sources");
}

#[test]
fn a_running_operator_has_the_metrics_by_their_documented_names() {
    let (_plane, operator) = running();
    let text = wait::until("it leads and has written", || {
        let text = operator.probe("/metrics").body;
        if text.contains(r#"bailiwick_writes_total{operation="status",outcome="ok"}"#) { Ok(text) } else { Err(text) }
    });
    let exposed = exposed(&text);
    for name in ["bailiwick_lease_held", "bailiwick_watch_lag_seconds", "bailiwick_checks_total"] {
        assert!(exposed.contains(name), "no {name} in:\n{text}");
    }
    let unknown: Vec<_> = exposed.difference(&documented()).cloned().collect();
    assert!(unknown.is_empty(), "not in {DOCUMENT}: {unknown:?}");
    assert_eq!(operator.metric("bailiwick_lease_held"), Some(1.0));
    assert_eq!(operator.metric(r#"bailiwick_watch_lag_seconds{kind="Role"}"#), Some(0.0));
}

#[test]
fn every_alert_has_an_expression_of_metrics_that_there_are() {
    let (document, documented) = (document(), documented());
    let (_, runbook) = document.split_once("\n## Runbook\n").expect("a runbook");
    let (runbook, _) = runbook.split_once("\n## ").expect("an end of the runbook");
    let mut alerts = runbook.split("\n### ");
    alerts.next();
    let metric = Regex::new("bailiwick_[a-z_]+").expect("a pattern");
    let mut count = 0;
    for alert in alerts {
        count += 1;
        let (_, expression) = alert.split_once("```promql\n").unwrap_or_else(|| panic!("no expression: {alert}"));
        let (expression, words) = expression.split_once("```").expect("an end of the expression");
        assert!(metric.is_match(expression), "{alert}");
        assert!(words.len() > 100, "what to do about it: {alert}");
    }
    assert!(count >= 10, "{count} alerts");
    for found in metric.find_iter(&document) {
        let name = found.as_str();
        let histogram = ["_bucket", "_count", "_sum"].iter().find_map(|suffix| name.strip_suffix(suffix));
        assert!(documented.contains(histogram.unwrap_or(name)), "{name} is no metric");
    }
}
