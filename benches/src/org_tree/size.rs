//! How large the worlds are.

/// How large a world is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub label: &'static str,
    pub(super) organizations: usize,
    pub(super) members: usize,
    pub(super) workspaces_per_organization: usize,
    pub(super) projects_per_workspace: usize,
    pub(super) resources: usize,
    pub(super) groups: usize,
    pub(super) groups_per_member: usize,
    pub assignments: usize,
}

impl Size {
    /// The same, with nobody assigned anything.
    #[must_use]
    pub const fn without_assignments(self) -> Self {
        Self { assignments: 0, ..self }
    }
}

const fn size(
    label: &'static str,
    [organizations, members, workspaces, projects]: [usize; 4],
    rest: [usize; 4],
) -> Size {
    let [resources, groups, groups_per_member, assignments] = rest;
    Size {
        label,
        organizations,
        members,
        workspaces_per_organization: workspaces,
        projects_per_workspace: projects,
        resources,
        groups,
        groups_per_member,
        assignments,
    }
}

/// The three sizes of the workload.
pub const STANDARD: [Size; 3] = [
    size("S", [5, 200, 4, 5], [1_000, 40, 5, 400]),
    size("M", [20, 5_000, 10, 10], [10_000, 400, 8, 6_000]),
    size("L", [100, 25_000, 20, 10], [100_000, 2_000, 10, 60_000]),
];

/// Worlds that grow tenfold in assignments, each with as many resources.
pub const SERIES: [Size; 4] = [
    size("1k", [5, 200, 4, 5], [1_000, 40, 5, 1_000]),
    size("10k", [20, 5_000, 10, 10], [10_000, 400, 8, 10_000]),
    size("100k", [100, 25_000, 20, 10], [100_000, 2_000, 10, 100_000]),
    size("1M", [100, 100_000, 50, 20], [1_000_000, 10_000, 20, 1_000_000]),
];

/// A small, a large and a very large one of the series.
pub const SIZES: [Size; 3] = [SERIES[0], SERIES[2], SERIES[3]];
