//! Texts of manifests in which documents are changed.

use std::path::Path;

use serde_json::{Value, json};

use super::text::{Edits, Text};
use crate::{
    graph::facts::{Kind, Name, ObjectRef},
    source::directory::recent::Recent,
};

/// The text after a change of what the object `a` says; none of it left: `None`.
fn edited_in(file: &str, text: &str, change: impl FnOnce(&mut Value)) -> Result<Option<String>, String> {
    edited_or_removed(file, text, |mut document| {
        change(&mut document);
        Some(document)
    })
}

fn edited_or_removed(
    file: &str,
    text: &str,
    change: impl FnOnce(Value) -> Option<Value>,
) -> Result<Option<String>, String> {
    let environment = Name::from("default");
    let recent = Recent::default();
    let text = Text::parse(Path::new(file), text, &recent, &environment).map_err(|error| error.to_string())?;
    let a = ObjectRef { kind: Kind::Group, name: "a".into() };
    let (declaration, node) = text.find(&environment, &a).map_err(|error| error.to_string())?.expect("the group `a`");
    let edits = Edits::from([(declaration.path.clone(), change(node.to_value()))]);
    text.edited(&edits).map_err(|error| error.to_string())
}

fn edited(text: &str, change: impl FnOnce(&mut Value)) -> String {
    edited_in("x.yaml", text, change).unwrap().unwrap()
}

fn removed(file: &str, text: &str) -> Option<String> {
    edited_or_removed(file, text, |_| None).unwrap()
}

const BEFORE: &str = "# The first.
apiVersion: v1
kind: ConfigMap
data: {a: 'x'}   # as it is
--- # two
# Who builds.

apiVersion: authz.bailiwick.dev/v1alpha1
kind: Group # a group
metadata:
    name: a
    # What it is for.
    labels: { team: \"a\" }
spec:
  # Where.
  organizationRef: {name: acme}  # ours
  displayName: 'The A'   # funny
  members:
    - alice # the boss
    # Bob is on leave.
    - bob

    - carol
  description: |
    # no comment
    at all

# Behind it.
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Group
metadata: {name: b}
spec: {organizationRef: {name: acme}}
...
# The end.
";

#[test]
fn what_does_not_change_keeps_every_byte() {
    type Change = fn(&mut Value);
    type Replaced = &'static [(&'static str, &'static str)];
    let cases: [(&str, Change, Replaced); 12] = [
        ("nothing", |_| (), &[]),
        (
            "a text on one line",
            |group| group["spec"]["displayName"] = json!("yes"),
            &[("'The A'   # funny", "\"yes\"   # funny")],
        ),
        (
            "a text of several lines",
            |group| group["spec"]["description"] = json!("short"),
            &[("description: |\n    # no comment\n    at all\n", "description: short\n")],
        ),
        (
            "several lines in place of one",
            |group| group["spec"]["displayName"] = json!("two\nlines"),
            &[("'The A'   # funny", "\"two\\nlines\"   # funny")],
        ),
        (
            "a member more at the end",
            |group| group["spec"]["members"].as_array_mut().unwrap().push(json!("dave")),
            &[("    - carol\n", "    - carol\n    - dave\n")],
        ),
        (
            "a member more in front",
            |group| group["spec"]["members"].as_array_mut().unwrap().insert(0, json!("dave")),
            &[("    - alice #", "    - dave\n    - alice #")],
        ),
        (
            "a member more in the middle",
            |group| group["spec"]["members"].as_array_mut().unwrap().insert(1, json!("dave")),
            &[("# the boss\n", "# the boss\n    - dave\n")],
        ),
        (
            "a member less",
            |group| drop(group["spec"]["members"].as_array_mut().unwrap().remove(1)),
            &[("    - bob\n", "")],
        ),
        (
            "no members",
            |group| group["spec"]["members"] = json!([]),
            &[(
                "members:\n    - alice # the boss\n    # Bob is on leave.\n    - bob\n\n    - carol\n",
                "members: []\n",
            )],
        ),
        (
            "a field less and one more",
            |group| {
                group["spec"].as_object_mut().unwrap().remove("displayName");
                group["spec"]["subgroups"] = json!(["c"]);
            },
            &[("  displayName: 'The A'   # funny\n", ""), ("    at all\n", "    at all\n  subgroups:\n  - c\n")],
        ),
        (
            "an annotation",
            |group| group["metadata"]["annotations"] = json!({ "a/b": "2026-01-01" }),
            &[("{ team: \"a\" }\n", "{ team: \"a\" }\n    annotations:\n      a/b: \"2026-01-01\"\n")],
        ),
        (
            "between braces",
            |group| {
                group["metadata"]["labels"] = json!({ "team": "b", "more": 1 });
                group["spec"]["organizationRef"]["name"] = json!("other");
            },
            &[("\"a\" }", "\"b\", \"more\": 1 }"), ("{name: acme}  # ours", "{name: \"other\"}  # ours")],
        ),
    ];
    for (what, change, differences) in cases {
        for line_end in ["\n", "\r\n"] {
            let mut expected = BEFORE.to_owned();
            for (old, new) in differences {
                assert_eq!(expected.matches(old).count(), 1, "{what}: {old}");
                expected = expected.replace(old, new);
            }
            let in_lines = |text: &str| text.replace('\n', line_end);
            assert_eq!(edited(&in_lines(BEFORE), change), in_lines(&expected), "{what} with {line_end:?}");
        }
    }
}

#[test]
fn a_document_goes_with_its_line_of_dashes_and_its_comments_stay() {
    let begin = BEFORE.find("apiVersion: authz").unwrap();
    let end = BEFORE.find("\n# Behind it.").unwrap();
    let expected = format!("{}{}", &BEFORE[..begin], &BEFORE[end..]);
    assert_eq!(removed("x.yaml", BEFORE).unwrap(), expected);

    let group = |name: &str| {
        format!(
            "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Group\nmetadata: {{name: {name}}}\nspec: {{organizationRef: {{name: acme}}}}\n"
        )
    };
    let (a, b) = (group("a"), group("b"));
    assert_eq!(removed("x.yaml", &a), None);
    assert_eq!(removed("x.yaml", &format!("# A comment.\n---\n{a}")), None);
    assert_eq!(removed("x.yaml", &format!("{b}---\n{a}")).unwrap(), b);
    assert_eq!(removed("x.yaml", &format!("{b}---\n{}", a.trim_end())).unwrap(), b);
    assert_eq!(removed("x.yaml", &format!("---\n{a}---\n{b}")).unwrap(), format!("---\n{b}"));
    assert_eq!(removed("x.yaml", &format!("{a}---\n{b}")).unwrap(), format!("---\n{b}"));
    let c = group("c");
    assert_eq!(removed("x.yaml", &format!("{b}---\n{a}---\n{c}")).unwrap(), format!("{b}---\n{c}"));
}

#[test]
fn lists_and_json_keep_what_does_not_change() {
    let list = "# All.
apiVersion: v1
kind: List
items:
- apiVersion: authz.bailiwick.dev/v1alpha1   # one
  kind: Group
  metadata: {name: b}
  spec: {organizationRef: {name: acme}}
- kind: Group   # two
  apiVersion: authz.bailiwick.dev/v1alpha1
  metadata:
    name: a
  spec:
    organizationRef: {name: acme}
    members: []  # none yet
# Behind.
- apiVersion: authz.bailiwick.dev/v1alpha1
  kind: Group
  metadata: {name: c}
  spec: {organizationRef: {name: acme}}
";
    let with_member = edited(list, |group| group["spec"]["members"] = json!(["p", "q"]));
    assert_eq!(with_member, list.replace("members: []  # none yet\n", "members:\n    - p\n    - q\n"));
    let without = list.replace(
        "- kind: Group   # two\n  apiVersion: authz.bailiwick.dev/v1alpha1\n  metadata:\n    name: a\n  spec:\n    organizationRef: \
         {name: acme}\n    members: []  # none yet\n",
        "",
    );
    assert_eq!(removed("x.yaml", list).unwrap(), without);

    let json = "\u{feff}{\"kind\": \"List\", \"apiVersion\": \"v1\", \"items\": [
\t{ \"kind\": \"Group\", \"apiVersion\": \"authz.bailiwick.dev/v1alpha1\", \"metadata\": {\"name\": \"é\"}, \"spec\": {} },
\t{
\t\t\"kind\": \"Group\",
\t\t\"apiVersion\": \"authz.bailiwick.dev/v1alpha1\",
\t\t\"metadata\": {\"name\": \"a\"},
\t\t\"spec\": {
\t\t\t\"organizationRef\": {\"name\": \"acme\"},
\t\t\t\"members\": [\"x\", \"y\" ]
\t\t}
\t}
] }
{\"kind\": \"Group\", \"apiVersion\": \"authz.bailiwick.dev/v1alpha1\", \"metadata\": {\"name\": \"b\"}, \"spec\": {}}";
    let change = |group: &mut Value| {
        group["spec"]["members"] = json!(["y", "z"]);
        group["spec"]["displayName"] = json!("A");
    };
    assert_eq!(
        edited_in("x.json", json, change).unwrap().unwrap(),
        json.replace("[\"x\", \"y\" ]", "[\"y\", \"z\" ],\n\t\t\t\"displayName\": \"A\"")
    );
    let without = removed("x.json", json).unwrap();
    assert!(without.starts_with("\u{feff}{\"kind\": \"List\"") && without.contains("{\"name\": \"é\"}"), "{without}");
    assert!(!without.contains("\"a\""), "{without}");
    let alone = json.rsplit_once('\n').unwrap().1.replace("\"b\"", "\"a\"");
    assert_eq!(removed("x.json", &alone), None);
}

#[test]
fn what_cannot_be_told_in_lines_is_written_anew_in_its_document_alone() {
    let other = "apiVersion: v1\nkind: ConfigMap\nx: &x [1]  # anchored\ny: *x\n---\n";
    let texts = [
        // Anchors, merged maps, tags, keys and values in strange places.
        "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Group\nmetadata: &m {name: a}\nspec: {organizationRef: {name: &o acme}, members: &l [&x x], subgroups: *l}\n",
        "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Group\nmetadata: {name: a}\nspec:\n  organizationRef: &r\n    name: acme\n  members: &l\n  - x\n  subgroups: *l\n",
        "\"apiVersion\": authz.bailiwick.dev/v1alpha1\n? kind\n: Group\nmetadata:\n  ? name\n  : a\nspec:\n  organizationRef:\n    name:\n      acme\n  members:\n  -\n    x\n",
        "!!map\napiVersion: authz.bailiwick.dev/v1alpha1\nkind: !!str Group\nmetadata: {name: !!str a}\nspec: !!map\n  organizationRef: {name: acme}\n  members: !!seq [x]\n",
        "{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Group, # a comment\n metadata: {name: a,},\nspec: {organizationRef: {name: acme,}, members: [x, # y\n ],},}\n",
        "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Group\nmetadata: {name: a}\nspec:\n  organizationRef: {name: acme}\n  members: ['x',\n    ]\n  description: >-\n    folded\n    text\n\n    # of it\n",
        "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Group\nmetadata: {name: a}\nspec:\n  organizationRef: {name: acme}\n  displayName: plain\n    on two lines\n  members: [x]",
        "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Group\nmetadata: {name: a}\nspec:\n  organizationRef: {name: acme}\n  members: [x]\n  description: |+\n    kept\n\n\n",
        "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Group\nmetadata: {name: a}\nspec:\n  organizationRef: {name: acme}\n  description: \"two\n    lines # no comment\"\n  members: [\"x\"]\n",
    ];
    let changes: [fn(&mut Value); 6] = [
        |group| group["spec"]["members"] = json!(["x", "y"]),
        |group| group["spec"]["members"] = json!([]),
        |group| group["spec"]["displayName"] = json!("# no: comment"),
        |group| group["spec"]["description"] = json!("new"),
        |group| drop(group["spec"].as_object_mut().unwrap().remove("members")),
        |group| group["metadata"]["annotations"] = json!({ "a": "b" }),
    ];
    for text in texts {
        for change in changes {
            for (before, after) in [("", ""), (other, ""), (other, "\n---\n# between\nx: 'y' # z\n")] {
                let after = if text.ends_with('\n') { after.trim_start() } else { after };
                let whole = format!("{before}{text}{after}");
                let mut expected = serde_saphyr::from_str::<Value>(text).unwrap();
                change(&mut expected);
                let edited = edited(&whole, change);
                let left = edited.strip_prefix(before).and_then(|left| left.strip_suffix(after));
                let left = left.unwrap_or_else(|| panic!("{edited}"));
                assert_eq!(serde_saphyr::from_str::<Value>(left).unwrap(), expected, "{whole}\n\n{edited}");
            }
        }
    }
}

#[test]
fn what_is_declared_twice_or_cannot_be_read_is_left_to_people() {
    let a = "apiVersion: authz.bailiwick.dev/v1alpha1\nkind: Group\nmetadata: {name: a}\nspec: {organizationRef: {name: acme}}\n";
    let twice = edited_in("x.yaml", &format!("{a}---\n{a}"), |_| ()).unwrap_err();
    assert!(twice.contains("x.yaml:1:1") && twice.contains("x.yaml:6:1"), "{twice}");
    let broken = edited_in("x.yaml", &format!("{a}---\na: ["), |_| ()).unwrap_err();
    assert!(broken.contains("x.yaml:") && broken.contains("mend the file"), "{broken}");
}
