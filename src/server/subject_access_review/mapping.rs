//! Which question to the graph a SubjectAccessReview is.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::{
    names::{Renaming, Renamings, SYSTEM},
    review::Attributes,
    rule::{Question, Rule, WrittenRule},
};
use crate::server::extract::Object;

/// How many rules there may be, each of which may have to be asked for everybody.
const MAX_RULES: usize = 100;

/// For how many groups of a user it is asked at the most.
const MAX_GROUPS: usize = 1000;

/// The controllers of the control plane, where each has a service account of its own.
const CONTROLLERS: &str = "system:serviceaccount:kube-system:";

/// Whoever is in one of these groups is a part of Kubernetes, or may do everything anyway.
const SYSTEM_GROUPS: [&str; 2] = ["system:masters", "system:nodes"];

/// Which question to the graph a SubjectAccessReview is.
///
/// It is total: what it does not mention is nobody's business here, and there is no opinion of it.
#[derive(Clone, Debug)]
pub struct Mapping {
    users: Renamings,
    groups: Renamings,
    ignored: Vec<String>,
    rules: Vec<Rule>,
}

/// Why a mapping cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// It is not YAML, or none with one document.
    #[error("not YAML that can be read: {0}")]
    Syntax(String),
    /// It says nothing at all, like a file that is about to be written.
    #[error("empty: write {{}} for the mapping that there is without a file")]
    Empty,
    /// A field has a value that cannot be used.
    #[error("`{field}` {problem}")]
    Field {
        /// Its path.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl MappingError {
    pub(super) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Field { field: field.into(), problem: problem.into() }
    }

    fn within(self, parent: &dyn fmt::Display) -> Self {
        match self {
            Self::Field { field, problem } => Self::Field { field: format!("{parent}.{field}"), problem },
            Self::Syntax(_) | Self::Empty => self,
        }
    }
}

/// A mapping as it is written.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Written {
    users: Vec<Renaming>,
    groups: Vec<Renaming>,
    ignored_users: Vec<String>,
    rules: Vec<WrittenRule>,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            users: vec![Renaming::default()],
            groups: vec![Renaming::adding("group:")],
            ignored_users: Vec::new(),
            rules: vec![WrittenRule::for_namespaces()],
        }
    }
}

/// Whom the graph is asked for: the user and the groups, each of which is enough.
#[derive(Debug)]
pub struct Subjects {
    /// Their ids as users, the user's own first.
    pub ids: Vec<String>,
    /// How many groups there are too many.
    pub left_out: usize,
}

/// Why the graph is asked for nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unasked {
    /// The user is the operator itself, or one of Kubernetes' own.
    #[error("the user is one that is left to other authorizers")]
    Ignored,
    /// Neither the user nor any group is mapped.
    #[error("neither the user nor any group of theirs is mapped")]
    Unmapped,
}

impl Mapping {
    /// The mapping that a text in YAML or JSON is. Whatever it does not mention is as in `{}`, which is the mapping where nobody has
    /// written any.
    ///
    /// # Errors
    /// Where it is none, which names the field that is at fault.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let value: Value = serde_saphyr::from_str(text).map_err(|error| MappingError::Syntax(error.to_string()))?;
        if value.is_null() {
            return Err(MappingError::Empty);
        }
        let Object(written) = serde_path_to_error::deserialize(value).map_err(|error| {
            MappingError::new(error.path().to_string(), format!("cannot be used: {}", error.inner()))
        })?;
        let Written { users, groups, ignored_users: ignored, rules } = written;
        if rules.len() > MAX_RULES {
            return Err(MappingError::new("rules", format!("has {} elements; {MAX_RULES} are the most", rules.len())));
        }
        let of = |list: &'static str| {
            move |(at, problem): (usize, String)| MappingError::new(format!("{list}[{at}].stripPrefix"), problem)
        };
        let users = Renamings::of_users(users).map_err(of("users"))?;
        let groups = Renamings::of_groups(groups).map_err(of("groups"))?;
        if let Some(at) = groups.added().position(|group| users.added().any(|user| user == group)) {
            let problem = "is also what ids of users begin with, so that a user could have the name of a group";
            return Err(MappingError::new(format!("groups[{at}].addPrefix"), problem));
        }
        let rules = rules
            .into_iter()
            .enumerate()
            .map(|(at, rule)| rule.into_rule().map_err(|error| error.within(&format_args!("rules[{at}]"))));
        Ok(Self { users, groups, ignored, rules: rules.collect::<Result<_, _>>()? })
    }

    /// The same, but without an opinion of these users.
    #[must_use]
    pub fn ignoring(mut self, users: impl IntoIterator<Item = String>) -> Self {
        self.ignored.extend(users);
        self
    }

    /// Whom to ask the graph for.
    pub(super) fn subjects(&self, user: &str, groups: &[String]) -> Result<Subjects, Unasked> {
        let is_systems = user.starts_with(SYSTEM) && !user.starts_with("system:serviceaccount:");
        if is_systems
            || user.starts_with(CONTROLLERS)
            || self.ignored.iter().any(|ignored| ignored == user)
            || groups.iter().any(|group| SYSTEM_GROUPS.contains(&group.as_str()))
        {
            return Err(Unasked::Ignored);
        }
        let user = self.users.id(user, &self.groups);
        let heeded = groups.iter().take(MAX_GROUPS).filter_map(|group| self.groups.id(group, &self.users));
        let ids: Vec<_> = user.into_iter().chain(heeded).collect();
        if ids.is_empty() {
            return Err(Unasked::Unmapped);
        }
        Ok(Subjects { ids, left_out: groups.len().saturating_sub(MAX_GROUPS) })
    }

    /// What to ask the graph, each of which is enough, in the order of the rules.
    pub(super) fn questions<'a>(&'a self, attributes: &'a Attributes) -> impl Iterator<Item = Question> + 'a {
        self.rules.iter().filter_map(|rule| rule.question(attributes))
    }
}
