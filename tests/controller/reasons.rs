//! Every reason that a condition may have: what causes it, how it shows, and what mends it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use bailiwick::{
    api::ConditionType,
    graph::{facts::Kind, query::Reason},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::world::{Faults, World, condition, led};
use crate::support::{manifests, wait};

/// One file a reason, with some cases of it.
const CASES: &str = "tests/manifests/reasons";

/// Reasons that the graph does not know, since they say how far a deletion is.
const OF_DELETIONS: [&str; 1] = ["DependentsRemaining"];

/// For this one the manifests are too many to be written down.
const GENERATED: &str = "TooDeep";

/// Reasons for which the webhook refuses a proposal, and that nothing which exists can have.
const OF_PROPOSALS: [&str; 2] = ["InUse", "HasDependents"];

/// Reasons that are told of an assignment where a question is asked, and that its status never has.
const OF_QUESTIONS: [&str; 1] = ["ConditionUnmet"];

/// References that no kind of object can make.
const IMPOSSIBLE: [&str; 3] = ["ResourceTypeNotFound", "NotFound", "Inert"];

/// A way to a reason, and out of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Case {
    /// The object that shows it, as `Kind/name`.
    object: String,
    /// The conditions that are not as they should be, each with its reason.
    shows: BTreeMap<String, String>,
    /// A part of what `Ready` says.
    message: String,
    /// What causes it.
    manifests: Vec<Value>,
    /// Objects that are deleted then, as `Kind/name`.
    #[serde(default)]
    deleted: Vec<String>,
    /// What mends it: manifests to apply.
    #[serde(default)]
    fix: Vec<Value>,
    /// What mends it: objects to delete.
    #[serde(default)]
    fix_deletes: Vec<String>,
    /// `gone` if the object is gone then, or another object that is ready then. Default: the object is ready.
    then: Option<String>,
}

fn reason_of(file: &Path) -> String {
    file.file_stem().expect("a name").to_string_lossy().into_owned()
}

/// The cases of each file, each with the name of its environment.
fn cases() -> Vec<(String, String, Case)> {
    let of_file = |file: PathBuf| {
        let reason = reason_of(&file);
        manifests::documents(&file)
            .into_iter()
            .enumerate()
            .map(move |(number, document)| {
                let case = Case::deserialize(document).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                (reason.clone(), format!("reason-{}-{number}", reason.to_lowercase()), case)
            })
            .collect::<Vec<_>>()
    };
    manifests::files(CASES).into_iter().flat_map(of_file).collect()
}

#[test]
fn every_reason_shows_with_its_remedy_and_goes_with_its_cause() {
    let plane = &led().plane;
    let cases: Vec<(World<'_>, String, Case)> =
        cases().into_iter().map(|(reason, namespace, case)| (World::new(plane, &namespace), reason, case)).collect();
    for (world, _, case) in &cases {
        world.apply_each(&case.manifests);
    }
    for (world, _, case) in &cases {
        for object in &case.deleted {
            // Before that it might not have the finalizer.
            world.wait_until_ready(object);
            world.delete(object);
        }
    }
    all_come_true("shows its reason", &cases, |(world, reason, case)| {
        assert_eq!(case.shows.get("Ready"), Some(reason), "{}", case.object);
        let object = world.shows(&case.object, &case.shows)?;
        for shown in case.shows.keys().filter(|&shown| case.shows[shown] == *reason) {
            let shown = condition(&object, ConditionType::named(shown).expect("a type of condition"));
            assert!(shown.message.contains(&case.message), "{}: {shown:?}", case.object);
        }
        Ok(())
    });
    for (world, _, case) in &cases {
        world.apply_each(&case.fix);
        case.fix_deletes.iter().for_each(|object| world.delete(object));
    }
    all_come_true("is mended", &cases, |(world, _, case)| match case.then.as_deref() {
        Some("gone") => world.get(&case.object).map_or(Ok(()), |_| Err(format!("{} is not gone", case.object))),
        then => world.shows(then.unwrap_or(&case.object), &Faults::new()).map(drop),
    });
}

/// Waits until all of it is true, and else tells of everything that is not.
fn all_come_true<T>(what: &str, of: &[T], is_true: impl Fn(&T) -> Result<(), String>) {
    let mut waiting: Vec<&T> = of.iter().collect();
    wait::until(&format!("each {what}"), || {
        let mut problems = Vec::new();
        waiting.retain(|item| is_true(item).map_err(|problem| problems.push(problem)).is_err());
        if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
    });
}

#[test]
fn a_resource_too_deep_below_its_organization_says_so() {
    let world = World::new(&led().plane, "reason-toodeep");
    let resource = |name: String, spec: Value| json!({"kind": "Resource", "metadata": {"name": name}, "spec": spec});
    let below = |number: usize| {
        let parent = if number == 1 { "acme".to_owned() } else { format!("r{}", number - 1) };
        resource(format!("r{number}"), json!({"type": "folder", "parentRef": {"name": parent}}))
    };
    world.create_all((1..=1025).map(below).chain([resource("acme".to_owned(), json!({"type": "organization"}))]));
    let shows =
        [ConditionType::Accepted, ConditionType::Ready, ConditionType::Stalled].map(|it| (it.as_str(), GENERATED));
    let object = world.wait_until_shows("Resource/r1025", &shows);
    let message = condition(&object, ConditionType::Ready).message;
    assert_eq!(message, "its organization is more than 1024 steps above it; move it further up");
    world.wait_until_ready("Resource/r1024");
    world.merge("Resource/r1025", &json!({"spec": {"parentRef": {"name": "r1"}}}));
    world.wait_until_ready("Resource/r1025");
}

#[test]
fn there_is_a_case_of_every_reason() {
    let shown: BTreeSet<String> =
        manifests::files(CASES).iter().map(|file| reason_of(file)).chain([GENERATED.to_owned()]).collect();
    assert_eq!(shown, every_reason_shown());
}

fn every_reason_shown() -> BTreeSet<String> {
    let never: Vec<&str> = OF_PROPOSALS.into_iter().chain(OF_QUESTIONS).chain(IMPOSSIBLE).collect();
    let codes = Reason::CODES.into_iter().filter(|code| !never.contains(code));
    codes.chain(OF_DELETIONS).map(str::to_owned).collect()
}

/// The rows of the table of the documentation that begins with this column, each with the names in each of its cells.
pub fn documented(first_column: &str) -> Vec<Vec<BTreeSet<String>>> {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md")).expect("a document");
    let table = text.lines().skip_while(|line| !line.starts_with(&format!("| {first_column} |"))).skip(2);
    let rows = table.take_while(|line| line.starts_with('|')).map(|line| {
        let cells = line.trim_matches('|').split(" | ");
        cells.map(|cell| cell.split(',').map(|name| name.trim_matches([' ', '`', '|']).to_owned()).collect()).collect()
    });
    rows.collect()
}

fn short_name(kind: &str) -> &'static str {
    match Kind::named(kind).expect("one of ours") {
        Kind::Resource => "azres",
        Kind::Role => "azrole",
        Kind::Group => "azgrp",
        Kind::GroupRoleAssignment => "gra",
        Kind::MembershipRoleAssignment => "mra",
        Kind::OrganizationMembership => "azom",
        Kind::ResourceType => "azrt",
        Kind::Environment => "azenv",
    }
}

#[test]
fn every_reason_is_documented() {
    let name = |cell: &BTreeSet<String>| cell.first().expect("a name").clone();
    let rows: BTreeMap<String, Vec<BTreeSet<String>>> =
        documented("Reason of `Ready`").into_iter().map(|row| (name(&row[0]), row)).collect();
    assert_eq!(rows.keys().cloned().collect::<BTreeSet<_>>(), every_reason_shown());
    let of_refusals: BTreeSet<String> = documented("Reason of a refusal").iter().map(|row| name(&row[0])).collect();
    assert_eq!(of_refusals, OF_PROPOSALS.map(str::to_owned).into());

    let mut shown = BTreeMap::<String, BTreeSet<String>>::new();
    for (reason, namespace, case) in cases() {
        let (kind, _) = case.object.split_once('/').expect("a kind and a name");
        assert!(rows[&reason][2].contains(short_name(kind)), "{reason} also shows on {kind}");
        for (condition, reason) in case.shows {
            assert!(rows.contains_key(&reason), "{namespace}: {reason}");
            shown.entry(reason).or_default().insert(condition);
        }
    }
    for (reason, conditions) in shown {
        let documented: BTreeSet<String> = rows[&reason][1].iter().filter(|name| *name != "–").cloned().collect();
        assert_eq!(conditions, documented.into_iter().chain(["Ready".to_owned()]).collect(), "{reason}");
    }
}
