//! What a client knows must be so, after what it has written.

use std::collections::{BTreeMap, BTreeSet};

/// How many memberships, workspaces and groups a client has to do with. The second group is its pair's.
pub const TWO: usize = 2;

/// A resource of a client.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Place {
    /// One of its workspaces.
    Workspace(usize),
    /// One of its projects.
    Project(u32),
}

impl Place {
    /// The number of the role of the client that is for resources of this type.
    pub const fn role(self) -> usize {
        match self {
            Self::Workspace(_) => 0,
            Self::Project(_) => 1,
        }
    }
}

/// A membership of a client.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its id.
    pub id: String,
    /// Its user.
    pub user: String,
    /// Whether it is active.
    pub active: bool,
    /// The groups in which it is.
    pub groups: [bool; TWO],
}

/// A project of a client.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its id.
    pub id: String,
    /// The workspace in which it is.
    pub workspace: usize,
    /// The id of the document in it.
    pub document: Option<String>,
}

/// What must be so.
#[derive(Clone, Debug)]
pub struct Model {
    /// The memberships.
    pub members: [Member; TWO],
    /// The ids of the groups.
    pub groups: [String; TWO],
    /// Which of the roles, that for workspaces and that for projects, contain the permission of the client.
    pub roles: [bool; TWO],
    /// Whether the role of the pair contains the client's permission on organizations.
    pub shared_role: bool,
    /// The ids of the workspaces.
    pub workspaces: [String; TWO],
    /// The projects.
    pub projects: BTreeMap<u32, Project>,
    /// The assignments of the memberships.
    pub direct: BTreeSet<(usize, Place)>,
    /// The assignments of the groups.
    pub by_group: BTreeSet<(usize, Place)>,
}

impl Model {
    /// The id of a resource.
    pub fn id(&self, place: Place) -> String {
        match place {
            Place::Workspace(index) => self.workspaces[index].clone(),
            Place::Project(number) => self.projects[&number].id.clone(),
        }
    }

    /// All resources that may have assignments.
    pub fn places(&self) -> Vec<Place> {
        let workspaces = (0..TWO).map(Place::Workspace);
        workspaces.chain(self.projects.keys().copied().map(Place::Project)).collect()
    }

    /// Whether a membership has the permission of the client on a resource.
    pub fn allows(&self, member: usize, place: Place) -> bool {
        let Member { active, groups, .. } = &self.members[member];
        let above = match place {
            Place::Workspace(_) => None,
            Place::Project(number) => Some(Place::Workspace(self.projects[&number].workspace)),
        };
        *active
            && [Some(place), above].into_iter().flatten().any(|place| {
                let by_group = |group: usize| groups[group] && self.by_group.contains(&(group, place));
                self.roles[place.role()] && (self.direct.contains(&(member, place)) || (0..TWO).any(by_group))
            })
    }

    /// Forgets a project and the assignments on it.
    pub fn forget_project(&mut self, number: u32) {
        self.projects.remove(&number);
        self.direct.retain(|(_, place)| *place != Place::Project(number));
        self.by_group.retain(|(_, place)| *place != Place::Project(number));
    }
}
