//! That the answers are right, by a naive evaluation.

use std::collections::BTreeSet;

use bailiwick::graph::{
    Graph,
    facts::{Name, Timestamp},
    query::{Reach, ResourceFilter},
};
use bailiwick_benches::org_tree::{Mix, Popularity, Question, World};

use crate::{
    cases::{PAGE, WHOLE},
    named,
};

/// Compares every list that is measured, for `count` questions.
pub fn compare(world: &World, graph: &Graph, count: usize, now: Timestamp) {
    for mix in Mix::ALL {
        for question in world.questions(mix, Popularity::Uniform, count / Mix::ALL.len()) {
            compare_one(world, graph, question, now);
        }
    }
}

fn compare_one(world: &World, graph: &Graph, question: Question, now: Timestamp) {
    let asked = named(world, question);
    let allowed_on = |resource: &usize| world.allows(Question { resource: *resource, ..question });
    let members = |allows: &dyn Fn(Question) -> bool| -> BTreeSet<Name> {
        let members = (0..world.members()).filter(|&member| allows(Question { member, ..question }));
        members.map(World::member_name).collect()
    };
    let names = |resources: &mut dyn Iterator<Item = usize>| -> BTreeSet<Name> {
        resources.map(World::resource_name).collect()
    };
    let sorted = |names: BTreeSet<Name>| names.into_iter().collect::<Vec<_>>();

    let resources = sorted(names(&mut (0..world.resources()).filter(allowed_on)));
    assert_eq!(asked.resources(graph, ResourceFilter::default(), WHOLE, now), resources);
    let first: Vec<Name> = resources.iter().take(PAGE.limit).cloned().collect();
    assert_eq!(asked.resources(graph, ResourceFilter::default(), PAGE, now), first);
    let is_workspace = |resource: &usize| world.type_name(*resource) == "workspace";
    let workspaces = names(&mut (0..world.resources()).filter(allowed_on).filter(is_workspace));
    let filter = ResourceFilter { resource_type: Some("workspace"), parent: None };
    assert_eq!(asked.resources(graph, filter, WHOLE, now), sorted(workspaces));
    let parent = world.parent(question.resource);
    let children = if world.organization_of_member(question.member) == world.organization_of(parent) {
        names(&mut world.children(parent).iter().copied().filter(allowed_on))
    } else {
        BTreeSet::new()
    };
    assert_eq!(asked.resources(graph, asked.children(), WHOLE, now), sorted(children));

    let direct = members(&|question| world.allows_directly(question));
    assert_eq!(asked.memberships(graph, Reach::Direct, WHOLE, now), sorted(direct));
    let all = members(&|question| world.allows(question));
    assert_eq!(asked.memberships(graph, Reach::All, WHOLE, now), sorted(all));

    let of_member = world.assignments_of(question.member).len();
    assert_eq!(asked.assignments_of_membership(graph, WHOLE, now), of_member);
    assert_eq!(asked.assignments_of_resource(graph, WHOLE, now), world.assignments_on(question.resource).len());
    let permissions: BTreeSet<Name> = (0..World::PERMISSIONS)
        .filter(|&permission| world.allows(Question { permission, ..question }))
        .map(World::permission_name)
        .collect();
    assert_eq!(asked.permissions(graph, now), sorted(permissions));

    let explanation = graph.explain(&asked.request(), now);
    assert_eq!(explanation.decision.is_allowed(), world.allows(question));
    assert_eq!(explanation.decision.is_allowed(), !explanation.paths.is_empty());
}
