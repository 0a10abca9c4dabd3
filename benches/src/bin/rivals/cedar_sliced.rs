//! Cedar with a policy for each assignment, of which an index outside of Cedar picks those whose subject is the member
//! or one of its groups and whose resource is the one asked about or above it. Cedar is meant to be given such a
//! slice; but the index is half an authorization engine, and is not part of Cedar.

use std::collections::HashMap;

use bailiwick_benches::workload::{Question, Workload};
use cedar_policy::{Decision, Policy, PolicyId, PolicySet};

use crate::{
    cedar::{Cedar, actions, resources, subject, subjects},
    engine::Engine,
    world::{Subject, World, groups_of_members},
};

pub struct Sliced {
    cedar: Cedar,
    parents: HashMap<String, String>,
    groups: HashMap<String, Vec<String>>,
    /// By resource and subject.
    policies: HashMap<String, HashMap<String, Vec<Policy>>>,
    questions: Vec<Question>,
}

impl Sliced {
    pub fn new(workload: &Workload) -> Self {
        let world = World::new(workload);
        let mut policies = HashMap::<String, HashMap<String, Vec<Policy>>>::new();
        for (number, grant) in world.grants.iter().enumerate() {
            let text = format!(
                "permit(principal in {}, action in Action::\"{}\", resource in Resource::\"{}\");",
                subject(grant.subject),
                grant.role,
                grant.resource
            );
            let policy = Policy::parse(Some(PolicyId::new(format!("assignment-{number}"))), text).expect("a policy");
            // Members and groups have no names in common.
            let (Subject::Member(name) | Subject::Group(name)) = grant.subject;
            let of_resource = policies.entry(grant.resource.to_owned()).or_default();
            of_resource.entry(name.to_owned()).or_default().push(policy);
        }
        let entities = [actions(&world), subjects(&world, HashMap::new()), resources(&world)].concat();
        let parents = world.resources.iter().filter_map(|&(name, parent)| Some((name.to_owned(), parent?.to_owned())));
        Self {
            cedar: Cedar::new(PolicySet::new(), entities),
            parents: parents.collect(),
            groups: groups_of_members(workload),
            policies,
            questions: Vec::new(),
        }
    }

    fn slice(&self, question: &Question) -> PolicySet {
        let groups = self.groups.get(question.member.as_str()).map_or(&[][..], Vec::as_slice);
        let mut slice = Vec::new();
        let mut next = Some(question.resource.as_str());
        while let Some(resource) = next {
            if let Some(policies) = self.policies.get(resource) {
                let subjects = groups.iter().map(String::as_str).chain([question.member.as_str()]);
                slice.extend(subjects.filter_map(|subject| policies.get(subject)).flatten().cloned());
            }
            next = self.parents.get(resource).map(String::as_str);
        }
        PolicySet::from_policies(slice).expect("each policy is picked once")
    }
}

impl Engine for Sliced {
    fn prepare(&mut self, questions: &[Question]) {
        self.questions = questions.to_vec();
        self.cedar.prepare(questions);
    }

    fn ask(&mut self, number: usize) -> bool {
        let policies = self.slice(&self.questions[number]);
        let Cedar { authorizer, entities, requests, .. } = &self.cedar;
        authorizer.is_authorized(&requests[number], &policies, entities).decision() == Decision::Allow
    }
}
