//! From the names of Kubernetes' users and groups to ids of users.

use serde::Deserialize;

/// What the names begin with that Kubernetes keeps to itself: nodes, control plane, built-in groups.
pub const SYSTEM: &str = "system:";

/// Names that begin with this become ids that begin with something else.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Renaming {
    /// What a name begins with, and its id does not.
    strip_prefix: String,
    /// What the id begins with instead.
    add_prefix: String,
}

/// The renamings of the users, or of the groups: the first that fits a name counts.
#[derive(Clone, Debug)]
pub struct Renamings {
    /// What the names of service accounts, or of their groups, begin with: they are named by those who ask for it.
    service_accounts: &'static str,
    renamings: Vec<Renaming>,
}

impl Renaming {
    /// Leaves names as they are, with something before them.
    pub fn adding(prefix: &str) -> Self {
        Self { strip_prefix: String::new(), add_prefix: prefix.to_owned() }
    }
}

impl Renamings {
    /// Those of the users.
    ///
    /// # Errors
    /// The index of the one that is at fault, and what is wrong with it.
    pub fn of_users(renamings: Vec<Renaming>) -> Result<Self, (usize, String)> {
        Self::new("system:serviceaccount:", renamings)
    }

    /// Those of the groups.
    ///
    /// # Errors
    /// The index of the one that is at fault, and what is wrong with it.
    pub fn of_groups(renamings: Vec<Renaming>) -> Result<Self, (usize, String)> {
        Self::new("system:serviceaccounts:", renamings)
    }

    fn new(service_accounts: &'static str, renamings: Vec<Renaming>) -> Result<Self, (usize, String)> {
        let reserved = |renaming: &Renaming| {
            renaming.strip_prefix.starts_with(SYSTEM) && !renaming.strip_prefix.starts_with(service_accounts)
        };
        if let Some(at) = renamings.iter().position(reserved) {
            let prefix = &renamings[at].strip_prefix;
            return Err((
                at,
                format!(
                    "cannot be `{prefix}`: of the names of Kubernetes' own only those that begin with \
                                     `{service_accounts}` can be mapped"
                ),
            ));
        }
        Ok(Self { service_accounts, renamings })
    }

    /// What ids are given to begin with.
    pub fn added(&self) -> impl Iterator<Item = &str> {
        self.renamings.iter().map(|renaming| renaming.add_prefix.as_str())
    }

    /// The id of whoever has this name.
    ///
    /// None: no renaming fits, or the id would look like one of another renaming, of these or of the `others`, which
    /// whoever chooses a name could otherwise pass for.
    pub fn id(&self, name: &str, others: &Self) -> Option<String> {
        let fits = |renaming: &&Renaming| {
            // Unless they are meant, Kubernetes' own names are nobody's.
            !name.starts_with(SYSTEM) || renaming.strip_prefix.starts_with(self.service_accounts)
        };
        let (rest, added) = self.renamings.iter().filter(fits).find_map(|renaming| {
            Some((name.strip_prefix(renaming.strip_prefix.as_str())?, renaming.add_prefix.as_str()))
        })?;
        let id = format!("{added}{rest}");
        let is_of_another =
            self.added().chain(others.added()).any(|other| other.len() > added.len() && id.starts_with(other));
        (!rest.is_empty() && !is_of_another).then_some(id)
    }
}
