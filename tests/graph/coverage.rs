//! The random stories are worth something: checks are often allowed, objects often inert, and every reason occurs.

use std::collections::BTreeSet;

use bailiwick::graph::{
    Graph,
    facts::{Kind, ObjectRef},
    query::{CheckRequest, Decision, Denial, Diagnosis, Reason},
};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use super::{
    brute_force::World,
    strategies::story,
    universe::{Chance, Universe},
};
use crate::support::facts;

const STORIES: usize = 300;

/// The worlds in which random stories end.
fn worlds() -> Vec<World> {
    let mut runner = TestRunner::deterministic();
    let strategy = story(24);
    (0..STORIES)
        .map(|_| {
            let story = strategy.new_tree(&mut runner).expect("no story is rejected").current();
            let mut world = World::default();
            story.0.iter().for_each(|change| world.apply(change));
            world
        })
        .collect()
}

fn graph_of(world: &World) -> Graph {
    facts::graph(world.objects().cloned())
}

fn every_diagnosis(graph: &Graph, world: &World, universe: &Universe) -> Vec<Diagnosis> {
    let objects = || world.objects().map(|object| ObjectRef { kind: object.fact.kind(), name: object.name.clone() });
    universe.instants.iter().flat_map(|&now| objects().filter_map(move |object| graph.diagnose(&object, now))).collect()
}

/// At least a tenth of the checks is allowed, and at least a tenth of the objects is inert but not the most.
#[test]
fn stories_are_balanced() {
    let universe = Universe::new();
    let mut chance = Chance::from_seed(1);
    let (mut checks, mut allowed, mut objects, mut inert) = (0, 0, 0, 0);
    for world in worlds() {
        for &subject in &universe.subjects {
            let request = CheckRequest { subject, ..universe.some_check(&mut chance) };
            checks += 1;
            allowed += usize::from(!world.check(&request, universe.some_instant(&mut chance)).is_empty());
        }
        for object in world.objects() {
            objects += 1;
            inert += usize::from(!world.is_effective(object.fact.kind(), &object.name, universe.instants[0]));
        }
    }
    assert!(allowed * 10 >= checks, "{allowed} of {checks} checks are allowed");
    assert!(inert * 10 >= objects && inert * 2 <= objects, "{inert} of {objects} objects are inert");
}

#[test]
fn every_kind_occurs() {
    let kinds: BTreeSet<Kind> =
        worlds().iter().flat_map(|world| world.objects().map(|object| object.fact.kind())).collect();
    assert_eq!(kinds, Kind::ALL.into());
}

#[test]
fn every_denial_occurs() {
    let universe = Universe::new();
    let mut chance = Chance::from_seed(2);
    let mut seen = BTreeSet::new();
    for world in worlds() {
        let graph = graph_of(&world);
        for _ in 0..200 {
            let now = universe.some_instant(&mut chance);
            if let Decision::Denied(denial) = graph.check(&universe.some_check(&mut chance), now) {
                seen.insert(denial_name(denial));
            }
        }
    }
    assert_eq!(seen, DENIALS.into());
}

/// Every reason but `TooDeep`, for which no story is long enough, and those of reviews and of questions alone.
#[test]
fn every_reason_occurs() {
    let universe = Universe::new();
    let mut seen = BTreeSet::new();
    for world in worlds() {
        for diagnosis in every_diagnosis(&graph_of(&world), &world, &universe) {
            seen.extend(diagnosis.inert.iter().chain(&diagnosis.warnings).map(reason_name));
        }
    }
    assert_eq!(seen, REASONS.into());
}

const DENIALS: [&str; 11] = [
    "NoGrant",
    "UnknownSubject",
    "NotAMember",
    "OtherOrganization",
    "SuspendedMembership",
    "UnusableMembership",
    "UndeclaredMembership",
    "UnknownResource",
    "UnknownOrganization",
    "AmbiguousResource",
    "DetachedResource",
];

/// Without a wildcard, so that a new one must be thought of here.
const fn denial_name(denial: Denial) -> &'static str {
    match denial {
        Denial::NoGrant => "NoGrant",
        Denial::UnknownSubject => "UnknownSubject",
        Denial::NotAMember => "NotAMember",
        Denial::OtherOrganization => "OtherOrganization",
        Denial::SuspendedMembership => "SuspendedMembership",
        Denial::UnusableMembership => "UnusableMembership",
        Denial::UndeclaredMembership => "UndeclaredMembership",
        Denial::UnknownResource => "UnknownResource",
        Denial::UnknownOrganization => "UnknownOrganization",
        Denial::AmbiguousResource => "AmbiguousResource",
        Denial::DetachedResource => "DetachedResource",
    }
}

const REASONS: [&str; 20] = [
    "InvalidSpec",
    "Terminating",
    "NotFound",
    "Inert",
    "Expired",
    "RoleTypeMismatch",
    "OrganizationMismatch",
    "NotAnOrganization",
    "OrganizationUnknown",
    "Suspended",
    "UndeclaredMembership",
    "UndeclaredResourceType",
    "Superseded",
    "CycleDetected",
    "DuplicateExternalId",
    "DuplicateAssignment",
    "ParentTypeNotAllowed",
    "UnknownPermission",
    "PermissionOutOfScope",
    "NotTheDefaultEnvironment",
];

/// Without a wildcard, so that a new one must be thought of here.
const fn reason_name(reason: &Reason) -> &'static str {
    match reason {
        Reason::InvalidSpec { .. } => "InvalidSpec",
        Reason::Terminating { .. } => "Terminating",
        Reason::NotFound { .. } => "NotFound",
        Reason::Inert { .. } => "Inert",
        Reason::Expired { .. } => "Expired",
        Reason::ConditionUnmet { .. } => "ConditionUnmet",
        Reason::RoleTypeMismatch { .. } => "RoleTypeMismatch",
        Reason::OrganizationMismatch { .. } => "OrganizationMismatch",
        Reason::NotAnOrganization { .. } => "NotAnOrganization",
        Reason::OrganizationUnknown { .. } => "OrganizationUnknown",
        Reason::Suspended { .. } => "Suspended",
        Reason::UndeclaredMembership { .. } => "UndeclaredMembership",
        Reason::UndeclaredResourceType { .. } => "UndeclaredResourceType",
        Reason::Superseded { .. } => "Superseded",
        Reason::CycleDetected { .. } => "CycleDetected",
        Reason::TooDeep { .. } => "TooDeep",
        Reason::DuplicateExternalId { .. } => "DuplicateExternalId",
        Reason::ParentTypeNotAllowed { .. } => "ParentTypeNotAllowed",
        Reason::UnknownPermission { .. } => "UnknownPermission",
        Reason::PermissionOutOfScope { .. } => "PermissionOutOfScope",
        Reason::DuplicateAssignment { .. } => "DuplicateAssignment",
        Reason::InUse { .. } => "InUse",
        Reason::HasDependents { .. } => "HasDependents",
        Reason::NotTheDefaultEnvironment => "NotTheDefaultEnvironment",
    }
}
