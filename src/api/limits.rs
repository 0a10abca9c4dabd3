//! The bounds of every string and list, in one place.
//!
//! One value here makes both the schema of a custom resource definition and the check that [`Validate`](super::Validate)
//! runs, so that the API server and a folder of manifests take exactly the same objects.

use std::{collections::HashSet, fmt, sync::OnceLock};

use kube::core::{Reason, Rule, validate};
use regex::Regex;
use schemars::{Schema, transform::Transform};
use serde_json::json;

use super::Problem;

/// Names of objects: DNS subdomains (RFC 1123), as Kubernetes demands.
pub static OBJECT_NAME: Text = Text::new(
    1..=253,
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    "lower-case letters, digits, `-` and `.`, with a letter or digit at both ends of each part",
);

/// Names of memberships and ids of users: whatever an identity provider may call them.
pub static MEMBERSHIP: Text = Text::new(1..=253, r"^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$", "printable characters");

/// Ids by which applications know their resources.
pub static EXTERNAL_ID: Text = Text::new(1..=128, "^[ -~]+$", "printable ASCII characters");

/// Slugs of resource types.
pub static RESOURCE_TYPE: Text = Text::new(1..=63, "^[A-Za-z0-9_-]+$", "ASCII letters, digits, `_` and `-`");

/// Slugs of permissions.
pub static PERMISSION: Text =
    Text::new(1..=128, "^[A-Za-z0-9_.:*/-]+$", "ASCII letters, digits, `_`, `.`, `:`, `*`, `/` and `-`");

/// Slugs of roles.
pub static ROLE_SLUG: Text =
    Text::new(1..=128, "^[A-Za-z0-9_.:/-]+$", "ASCII letters, digits, `_`, `.`, `:`, `/` and `-`");

/// Names of groups at the identity provider; distinguished names of LDAP fit.
pub static PROVIDER_GROUP: Text = Text::new(1..=512, r"^\P{Cc}+$", "characters on one line");

/// Names for people.
pub static DISPLAY_NAME: Text = Text::new(1..=256, r"^\P{Cc}+$", "characters on one line");

/// Descriptions for people, of several lines if need be.
pub static DESCRIPTION: Text = Text::new(0..=1024, r"^[\P{Cc}\t\n\r]*$", "characters, on several lines if need be");

/// Conditions of assignments. What they may say is judged where they are compiled.
pub static CONDITION: Text =
    Text::new(1..=1024, r"^[\P{Cc}\t\n\r]*$", "characters of a CEL expression, on several lines if need be");

/// Email addresses; the longest that mail can be sent to has 254 characters.
pub static EMAIL: Text = Text::new(3..=254, r"^[^\p{Cc} @]+@[^\p{Cc} @]+$", "characters, as in `name@example.com`");

/// How many memberships a group lists at the most.
pub const MEMBERS_MAX: usize = 50_000;

/// Memberships in a group. What really limits a group is the size of an object in etcd, 1.5 MiB with all it carries:
/// some 20,000 names of 29 characters, if they were written by server-side apply, which notes the owner of each.
/// Larger groups are made of subgroups.
pub static MEMBERS: List = List::set(MEMBERS_MAX, &MEMBERSHIP);

/// Groups within a group.
pub static SUBGROUPS: List = List::set(1_000, &OBJECT_NAME);

/// Permissions of a role.
pub static PERMISSIONS: List = List::set(1_024, &PERMISSION);

/// Permissions that a type declares, by slug.
pub static DECLARED_PERMISSIONS: List = List::map(1_024, "slug", &PERMISSION);

/// Types that a parent may have.
pub static PARENT_TYPES: List = List::set(64, &RESOURCE_TYPE);

/// Roles of a membership on its organization, by name.
pub static ROLE_REFS: List = List::map(64, "name", &OBJECT_NAME);

/// Groups of a user at the identity provider.
pub static PROVIDER_GROUPS: List = List::set(1_000, &PROVIDER_GROUP);

/// Roles in the order of their priority: atomic, since two writers cannot agree on an order item by item.
pub static ROLE_PRIORITY: List = List::atomic(1_000, &OBJECT_NAME);

/// Mappings of groups to roles; atomic, since no field of a mapping identifies it.
pub const ROLE_MAPPINGS_MAX: usize = 1_000;

/// The longest list whose items have rules: the API server refuses a rule that might run more often as too expensive.
const RULES_MAX: usize = 1_024;

/// The bounds of a string.
#[derive(Debug)]
pub struct Text {
    min: usize,
    max: usize,
    pattern: &'static str,
    /// What to use, in words that follow a number.
    hint: &'static str,
    regex: OnceLock<Regex>,
}

impl Text {
    /// Bounds of the number of characters (Unicode scalar values), a pattern for the whole text that means the same
    /// to Go (RE2) and to Rust, and what it says in words that follow a number.
    const fn new(length: std::ops::RangeInclusive<usize>, pattern: &'static str, hint: &'static str) -> Self {
        Self { min: *length.start(), max: *length.end(), pattern, hint, regex: OnceLock::new() }
    }

    /// Whether the text is within the bounds. `field` is where it stands.
    ///
    /// # Errors
    /// What is wrong with it and what to use instead.
    pub fn check(&self, field: impl fmt::Display, text: &str) -> Result<(), Problem> {
        let length = text.chars().count();
        let wrong = if length == 0 && self.min > 0 {
            "is empty".to_owned()
        } else if !(self.min..=self.max).contains(&length) {
            format!("has {length} characters")
        } else if !self.regex().is_match(text) {
            format!("cannot be `{}`", text.escape_debug())
        } else {
            return Ok(());
        };
        Err(Problem::new(field.to_string(), format!("{wrong}: {}", self.remedy())))
    }

    /// As [`check`](Self::check), where the text may be absent.
    ///
    /// # Errors
    /// What is wrong with it and what to use instead.
    pub fn check_optional(&self, field: impl fmt::Display, text: Option<&str>) -> Result<(), Problem> {
        text.map_or(Ok(()), |text| self.check(field, text))
    }

    fn remedy(&self) -> String {
        format!("use {} to {} {}", self.min, self.max, self.hint)
    }

    fn regex(&self) -> &Regex {
        // INVARIANT: every pattern is a literal of this file, and a test compiles them all.
        #[expect(clippy::expect_used, reason = "see above")]
        self.regex.get_or_init(|| Regex::new(self.pattern).expect("the pattern is valid"))
    }

    /// Adds the bounds to the schema of a string.
    fn bound(&self, schema: &mut Schema) {
        let Self { min, max, pattern, hint: _, regex: _ } = self;
        let object = schema.ensure_object();
        object.insert("minLength".to_owned(), json!(min));
        object.insert("maxLength".to_owned(), json!(max));
        object.insert("pattern".to_owned(), json!(pattern));
    }

    /// Adds the pattern once more as a rule, for the sake of its message: a pattern alone explains nothing to people,
    /// a rule alone says nothing to tools that know but schemas.
    fn explain(&self, schema: &mut Schema) {
        let rule = Rule::new(format!("self.matches(r'{}')", self.pattern))
            .message(self.remedy().as_str())
            .reason(Reason::FieldValueInvalid);
        // INVARIANT: a rule of three strings has a JSON form.
        #[expect(clippy::expect_used, reason = "see above")]
        validate(schema, rule).expect("the rule can be serialized");
    }
}

impl Transform for &Text {
    /// Adds the bounds to the schema of a string.
    fn transform(&mut self, schema: &mut Schema) {
        self.bound(schema);
        self.explain(schema);
    }
}

/// The bounds of a list.
#[derive(Debug)]
pub struct List {
    max: usize,
    merge: Merge,
    /// The bounds of its items, or of their keys.
    item: &'static Text,
}

/// How the changes of several writers to one list are merged.
#[derive(Debug)]
enum Merge {
    /// The list is written as a whole.
    Atomic,
    /// Each item is for itself and occurs once.
    Set,
    /// As a set, of objects that are told apart by this field.
    Map(&'static str),
}

impl List {
    const fn atomic(max: usize, item: &'static Text) -> Self {
        Self { max, merge: Merge::Atomic, item }
    }

    const fn set(max: usize, item: &'static Text) -> Self {
        Self { max, merge: Merge::Set, item }
    }

    const fn map(max: usize, key: &'static str, item: &'static Text) -> Self {
        Self { max, merge: Merge::Map(key), item }
    }

    /// Whether the list is within the bounds. `text` gives an item as a string, or the key of an item.
    ///
    /// # Errors
    /// What is wrong with it and what to do about it.
    pub fn check<T>(&self, field: &str, items: &[T], text: impl Fn(&T) -> &str) -> Result<(), Problem> {
        check_length(field, items.len(), self.max)?;
        let (unique, key) = match self.merge {
            Merge::Atomic => (false, String::new()),
            Merge::Set => (true, String::new()),
            Merge::Map(key) => (true, format!(".{key}")),
        };
        let mut seen = HashSet::with_capacity(if unique { items.len() } else { 0 });
        for (index, item) in items.iter().map(text).enumerate() {
            self.item.check(format_args!("{field}[{index}]{key}"), item)?;
            if unique && !seen.insert(item) {
                return Err(Problem::new(format!("{field}[{index}]{key}"), format!("repeats `{item}`: list it once")));
            }
        }
        Ok(())
    }
}

/// Whether a list of `length` items is not longer than `max`.
///
/// # Errors
/// That it is.
pub fn check_length(field: &str, length: usize, max: usize) -> Result<(), Problem> {
    if length <= max {
        return Ok(());
    }
    Err(Problem::new(field, format!("has {length} items: use at most {max}")))
}

impl Transform for &List {
    /// Adds the bounds to the schema of a list and of its items.
    fn transform(&mut self, schema: &mut Schema) {
        let object = schema.ensure_object();
        object.insert("maxItems".to_owned(), json!(self.max));
        let merge = match self.merge {
            Merge::Atomic => "atomic",
            Merge::Set => "set",
            Merge::Map(_) => "map",
        };
        object.insert("x-kubernetes-list-type".to_owned(), json!(merge));
        if let Merge::Map(key) = self.merge {
            // The key has the bounds of its own field.
            object.insert("x-kubernetes-list-map-keys".to_owned(), json!([key]));
        } else if let Some(items) = object.get_mut("items").and_then(|items| items.try_into().ok()) {
            let items: &mut Schema = items;
            self.item.bound(items);
            if self.max <= RULES_MAX {
                self.item.explain(items);
            }
        }
    }
}
