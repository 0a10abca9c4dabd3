//! The answers that the benchmarks measure are the right ones: the engine's are compared with those of each workload's
//! own definition, on worlds small enough for a test.

use bailiwick::graph::{PublishedGraph, facts::Timestamp};

use crate::{
    churn::Churn,
    definition::Definition,
    oopsla::{self, Application},
    org_tree::{Popularity, STANDARD, Traffic, World},
    stress,
    workload::Workload,
};

fn check(label: &str, workload: &Workload) {
    let published = PublishedGraph::default();
    workload.tell(|changes| published.apply(changes));
    let definition = Definition::new(workload.facts.iter().map(|(name, fact)| (name, fact)));
    let (graph, now) = (published.read(), Timestamp::now());
    for question in &workload.questions {
        assert_eq!(question.ask(&graph, now), question.allowed, "{label}: {question:?}");
        let by_definition = definition.allows(&question.member, &question.permission, &question.resource);
        assert_eq!(by_definition, question.allowed, "{label}, by definition: {question:?}");
    }
}

#[test]
fn org_tree_is_answered_as_defined() {
    let world = World::new(STANDARD[0]);
    for traffic in Traffic::ALL {
        for popularity in [Popularity::Zipf, Popularity::Uniform] {
            let workload = world.workload(traffic, popularity, 2_000);
            let hits = workload.questions.iter().filter(|question| question.allowed).count();
            let expected = match traffic {
                Traffic::Even => 1_000,
                Traffic::MostlyHits => 1_600,
                Traffic::Misses => 0,
            };
            assert_eq!(hits, expected, "{traffic:?}");
            check(traffic.label(), &workload);
        }
    }
}

#[test]
fn the_applications_of_the_paper_are_answered_as_defined() {
    for application in Application::ALL {
        let mut hits = 0;
        for size in [5, 20, 50] {
            for seed in 0..5 {
                let workload = oopsla::workload(application, size, seed);
                hits += workload.questions.iter().filter(|question| question.allowed).count();
                check(&format!("{application:?} {size} {seed}"), &workload);
            }
        }
        assert!(hits > 100, "{application:?}: {hits} hits");
    }
}

#[test]
fn the_corners_are_answered_as_defined() {
    for (label, workload) in stress::corners() {
        let hits = workload.questions.iter().filter(|question| question.allowed).count();
        assert_eq!(hits * 2, workload.questions.len(), "{label}");
        // All questions of a corner are alike.
        let questions = workload.questions.into_iter().take(200).collect();
        check(label, &Workload { questions, ..workload });
    }
}

#[test]
fn in_a_circle_of_parents_nobody_may_do_anything() {
    let workload = stress::cycle();
    let published = PublishedGraph::default();
    workload.tell(|changes| published.apply(changes));
    assert!(workload.questions.iter().all(|question| !question.ask(&published.read(), Timestamp::now())));
}

#[test]
fn under_churn_the_answers_follow_the_facts() {
    let world = World::new(STANDARD[0]);
    let workload = world.workload(Traffic::Even, Popularity::Uniform, 500);
    let published = PublishedGraph::default();
    workload.tell(|changes| published.apply(changes));
    let mut churn = Churn::new(&workload.facts);
    let mut changed = 0;
    for _ in 0..10 {
        for _ in 0..100 {
            published.apply(&[churn.write()]);
        }
        let definition = Definition::new(churn.facts());
        let (graph, now) = (published.read(), Timestamp::now());
        for question in &workload.questions {
            let allowed = definition.allows(&question.member, &question.permission, &question.resource);
            changed += usize::from(allowed != question.allowed);
            assert_eq!(question.ask(&graph, now), allowed, "{question:?}");
        }
    }
    assert!(changed > 100, "the writes change answers: {changed}");
}
