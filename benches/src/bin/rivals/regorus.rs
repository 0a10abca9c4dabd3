//! Regorus, an engine for Rego: a policy compiled for its virtual machine, and data in nested objects in which the
//! path of each resource and the groups of each member are already made out.

use ::regorus::{
    Engine as Compiler, Rc, Value, languages::rego::compiler::Compiler as MachineCompiler, rvm::vm::RegoVM,
};
use bailiwick_benches::workload::{Question, Workload};
use serde_json::{Map, json};

use crate::{
    engine::Engine,
    world::{Subject, World, groups_of_members},
};

const POLICY: &str = "
package authz

default allow := false

allow if {
    some resource in data.paths[input.resource]
    grants := data.grants[resource]
    some subject in data.subjects[input.member]
    some role in grants[subject]
    data.roles[role][input.permission]
}
";
const RULE: &str = "data.authz.allow";

pub struct Regorus {
    machine: RegoVM,
    inputs: Vec<Value>,
}

impl Regorus {
    pub fn new(workload: &Workload) -> Self {
        let mut compiler = Compiler::new();
        compiler.add_policy("authz.rego".into(), POLICY.into()).expect("a policy");
        let rule: Rc<str> = RULE.into();
        let policy = compiler.compile_with_entrypoint(&rule).expect("it compiles");
        let program = MachineCompiler::compile_from_policy(&policy, &[RULE]).expect("it compiles for the machine");
        let mut machine = RegoVM::new();
        machine.set_max_instructions(usize::MAX);
        machine.load_program(program);
        machine.set_data(data(workload)).expect("data beside the policy");
        Self { machine, inputs: Vec::new() }
    }
}

fn data(workload: &Workload) -> Value {
    let world = World::new(workload);
    let groups = groups_of_members(workload);
    let paths: Map<_, _> = world
        .resources
        .iter()
        .map(|&(resource, _)| (resource.to_owned(), world.path(resource).collect::<Vec<_>>().into()))
        .collect();
    let subjects: Map<_, _> = world
        .members
        .iter()
        .map(|&member| {
            let groups = groups.get(member).map_or(&[][..], Vec::as_slice);
            let subjects: Vec<&str> = groups.iter().map(String::as_str).chain([member]).collect();
            (member.to_owned(), subjects.into())
        })
        .collect();
    let mut grants = Map::new();
    for grant in &world.grants {
        let (Subject::Member(subject) | Subject::Group(subject)) = grant.subject;
        let of_resource = grants.entry(grant.resource).or_insert_with(|| json!({}));
        let of_subject = &mut of_resource[subject];
        match of_subject.as_array_mut() {
            Some(roles) => roles.push(grant.role.into()),
            None => *of_subject = json!([grant.role]),
        }
    }
    let roles: Map<_, _> = world
        .roles
        .iter()
        .map(|(role, permissions)| {
            let permissions: Map<_, _> =
                permissions.iter().map(|&permission| (permission.to_owned(), true.into())).collect();
            ((*role).to_owned(), permissions.into())
        })
        .collect();
    Value::from(json!({ "paths": paths, "subjects": subjects, "grants": grants, "roles": roles }))
}

impl Engine for Regorus {
    fn prepare(&mut self, questions: &[Question]) {
        let input = |question: &Question| {
            let Question { member, permission, resource, .. } = question;
            json!({
                "member": member.as_str(),
                "permission": permission.as_str(),
                "resource": resource.as_str(),
            })
        };
        self.inputs = questions.iter().map(|question| Value::from(input(question))).collect();
    }

    fn ask(&mut self, number: usize) -> bool {
        self.machine.set_input(self.inputs[number].clone());
        self.machine.execute().expect("the policy holds") == Value::from(true)
    }
}
