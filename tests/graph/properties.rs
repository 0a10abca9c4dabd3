//! Properties of the graph over random stories. `PROPTEST_CASES` sets how many stories each property is tried on.

use std::{ptr, thread};

use bailiwick::graph::{
    Environments, Graph, Proposal, PublishedGraph,
    facts::{Change, Object},
    query::{CheckRequest, Given, Properties, Reach, ResourceFilter},
};
use proptest::{
    prelude::{ProptestConfig, Strategy, any},
    prop_assert_eq, proptest,
};

use super::{
    agreement::{Agreed, Agreement},
    brute_force::World,
    strategies::{MEMBERSHIPS, RESOURCES, Story, TYPES, story},
    universe::{Chance, Universe},
};
use crate::support::facts;

/// How many changes follow the beginning of a story at the most.
const LONGEST: usize = 24;

/// How many checks are compared after each step; after the last step, very many are.
const CHECKS_A_STEP: usize = 12;

pub fn config(stories: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { stories };
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 20_000, ..default }
}

pub fn seed() -> impl Strategy<Value = u64> {
    any::<u64>().no_shrink()
}

pub fn rebuilt(world: &World, chance: &mut Chance) -> Graph {
    let mut objects: Vec<Object> = world.objects().cloned().collect();
    chance.shuffle(&mut objects);
    facts::graph(objects)
}

proptest! {
    #![proptest_config(config(600))]

    /// After every step the graph that was changed gives the answers of one rebuilt from the objects that result,
    /// told in any order, and those of brute force.
    #[test]
    fn incremental_is_rebuilt_is_brute_force(story in story(LONGEST), seed in seed()) {
        tell(&story, seed, |agreement, universe, chance| {
            for _ in 0..CHECKS_A_STEP {
                agreement.on_check(&universe.some_check(chance), universe.some_instant(chance))?;
            }
            agreement.on_diagnoses(universe.some_instant(chance))
        }, |agreement, universe, chance| {
            let now = universe.some_instant(chance);
            for (subject, resource) in universe.subjects_and_names() {
                agreement.on_checks(subject, universe.actions, resource, now)?;
            }
            for &resource in &universe.targets_by_id {
                agreement.on_check(&CheckRequest { resource, ..universe.some_check(chance) }, now)?;
            }
            for &now in &universe.instants {
                agreement.on_diagnoses(now)?;
            }
            Ok(())
        })?;
    }

    /// Lists hold exactly what checks allow, and explanations show exactly why.
    #[test]
    fn check_is_list_is_explain(story in story(LONGEST), seed in seed()) {
        tell(&story, seed, some_lists, |agreement, universe, chance| {
            for _ in 0..10 {
                some_lists(agreement, universe, chance)?;
            }
            let now = universe.some_instant(chance);
            for membership in MEMBERSHIPS {
                agreement.on_assignments_of_membership(membership, 1 + chance.below(4), now)?;
            }
            for resource in RESOURCES {
                agreement.on_assignments_of_resource(resource, 1 + chance.below(4), now)?;
            }
            agreement.on_objects(1 + chance.below(4), now)
        })?;
    }
}

proptest! {
    #![proptest_config(config(200))]

    /// The same of questions that tell something of themselves.
    #[test]
    fn what_a_question_tells_is_heeded(story in story(LONGEST), seed in seed()) {
        let universe = Universe::new();
        let mut chance = Chance::from_seed(seed);
        let mut world = World::default();
        world.tells_of_mfa = true;
        let mut incremental = Graph::default();
        for change in &story.0 {
            incremental.apply(std::slice::from_ref(change));
            world.apply(change);
        }
        let rebuilt = rebuilt(&world, &mut chance);
        let context = Properties::new(r#"{"mfa": true}"#);
        let given = Given { context: Some(&context), ..Given::default() };
        let agreement = Agreement { world: &world, incremental: &incremental, rebuilt: &rebuilt, given };
        let now = universe.some_instant(&mut chance);
        for (subject, resource) in universe.subjects_and_names() {
            agreement.on_checks(subject, universe.actions, resource, now)?;
        }
        for _ in 0..5 {
            some_lists(&agreement, &universe, &mut chance)?;
        }
    }
}

/// One list of each sort and a few explanations.
fn some_lists(agreement: &Agreement<'_>, universe: &Universe, chance: &mut Chance) -> Agreed {
    let now = universe.some_instant(chance);
    let request = universe.some_check(chance);
    agreement.on_permissions(request.subject, request.resource, now)?;
    agreement.on_memberships(request.resource, request.action, chance.one_of(&[Reach::Direct, Reach::All]), 2, now)?;
    let filter = ResourceFilter {
        resource_type: chance.toss().then(|| chance.one_of(&TYPES)),
        parent: chance.toss().then(|| universe.some_target(chance)),
    };
    agreement.on_resources(request.subject, request.action, filter, 1 + chance.below(3), now)?;
    for _ in 0..3 {
        agreement.on_explanation(&universe.some_check(chance), universe.some_instant(chance))?;
    }
    Ok(())
}

/// Tells a story to a graph, a step at a time, and holds it against the others after each step and at the end.
fn tell(
    story: &Story,
    seed: u64,
    after_each: impl Fn(&Agreement<'_>, &Universe, &mut Chance) -> Agreed,
    at_the_end: impl Fn(&Agreement<'_>, &Universe, &mut Chance) -> Agreed,
) -> Agreed {
    let universe = Universe::new();
    let mut chance = Chance::from_seed(seed);
    let mut world = World::default();
    let mut incremental = Graph::default();
    let mut told = story.0.iter().peekable();
    while let Some(change) = told.next() {
        incremental.apply(std::slice::from_ref(change));
        world.apply(change);
        let rebuilt = rebuilt(&world, &mut chance);
        let agreement =
            Agreement { world: &world, incremental: &incremental, rebuilt: &rebuilt, given: Given::default() };
        after_each(&agreement, &universe, &mut chance)?;
        if told.peek().is_none() {
            at_the_end(&agreement, &universe, &mut chance)?;
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(200))]

    /// Both copies of a published graph hold what a plain graph holds, after every batch, whatever was tried out
    /// before; and who reads meanwhile goes on seeing what was.
    #[test]
    fn published_copies_agree(story in story(LONGEST), seed in seed()) {
        const ENVIRONMENT: &str = "staging";
        let universe = Universe::new();
        let mut chance = Chance::from_seed(seed);
        let environments = Environments::default();
        let mut plain = Graph::default();
        let mut rest: &[Change] = &story.0;
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(1 + chance.below(rest.len()));
            rest = later;
            for change in batch {
                if let (Some(published), Change::Apply(object)) = (environments.get(ENVIRONMENT), change) {
                    let _ = published.review(&Proposal::Write(object.clone()), universe.some_instant(&mut chance));
                }
            }
            match environments.get(ENVIRONMENT) {
                Some(published) => apply_while_read(&published, batch, &plain, &universe, &mut chance)?,
                None => environments.apply(ENVIRONMENT, batch),
            }
            plain.apply(batch);
            let published = environments.get(ENVIRONMENT).expect("something was said of it");
            for _copy in 0..2 {
                agree(&published.read(), &plain, &universe, &mut chance)?;
                // A batch of nothing makes the other copy the active one.
                published.apply(&[]);
            }
        }
    }
}

/// Applies changes while the copy that they are not applied to yet is being read.
fn apply_while_read(
    published: &PublishedGraph,
    batch: &[Change],
    before: &Graph,
    universe: &Universe,
    chance: &mut Chance,
) -> Agreed {
    thread::scope(|scope| {
        let old = published.read();
        let writer = scope.spawn(|| published.apply(batch));
        // Until the new state is published; then the writer waits for this reader.
        while ptr::from_ref::<Graph>(&published.read()) == ptr::from_ref::<Graph>(&old) {
            thread::yield_now();
        }
        let agreed = agree(&old, before, universe, chance);
        drop(old);
        writer.join().expect("the writer lives");
        agreed
    })
}

/// Some answers of two graphs are the same.
fn agree(one: &Graph, other: &Graph, universe: &Universe, chance: &mut Chance) -> Agreed {
    for _ in 0..20 {
        let (request, now) = (universe.some_check(chance), universe.some_instant(chance));
        prop_assert_eq!(one.explain(&request, now), other.explain(&request, now));
    }
    Ok(())
}
