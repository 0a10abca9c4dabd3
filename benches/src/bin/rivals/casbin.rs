//! Casbin: RBAC with domains, and roles of resources and of permissions beside those of subjects. A policy for each
//! assignment; the domain is the organization and comes first, so that the rest is not looked at for those of others.

use std::{collections::HashMap, sync::Arc};

use bailiwick_benches::workload::{Question, Workload};
use casbin::{CoreApi as _, DefaultModel, DefaultRoleManager, Enforcer, MemoryAdapter, MgmtApi as _};

use parking_lot::RwLock;

use crate::{
    engine::Engine,
    world::{Subject, World},
};

const MODEL: &str = "
[request_definition]
r = dom, sub, obj, act
[policy_definition]
p = dom, sub, obj, role
[role_definition]
g = _, _
g2 = _, _
g3 = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.dom == p.dom && g(r.sub, p.sub) && g2(r.obj, p.obj) && g3(r.act, p.role)
";

/// Higher than any tree of the workloads.
const LEVELS: usize = 64;

pub struct Casbin {
    enforcer: Enforcer,
    organizations: HashMap<String, String>,
    requests: Vec<(String, String, String, String)>,
}

impl Casbin {
    pub fn new(workload: &Workload) -> Self {
        let world = World::new(workload);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let organization = |resource| world.path(resource).last().expect("a path has an end").to_owned();
        let enforcer = runtime.block_on(async {
            let model = DefaultModel::from_str(MODEL).await.expect("a model");
            let mut enforcer = Enforcer::new(model, MemoryAdapter::default()).await.expect("an enforcer");
            let levels = Arc::new(RwLock::new(DefaultRoleManager::new(LEVELS)));
            enforcer.set_role_manager(levels).expect("a role manager");
            let pair = |below: &str, above: &str| vec![below.to_owned(), above.to_owned()];
            let groups = world.groups.iter().flat_map(|(group, members, subgroups)| {
                members.iter().chain(subgroups).map(|below| pair(below, group))
            });
            let resources = world.resources.iter().filter_map(|&(name, parent)| Some(pair(name, parent?)));
            let permissions = world
                .roles
                .iter()
                .flat_map(|(role, permissions)| permissions.iter().map(|permission| pair(permission, role)));
            for (definition, rules) in
                [("g", groups.collect::<Vec<_>>()), ("g2", resources.collect()), ("g3", permissions.collect())]
            {
                enforcer.add_named_grouping_policies(definition, rules).await.expect("links");
            }
            let policies = world.grants.iter().map(|grant| {
                let (Subject::Member(subject) | Subject::Group(subject)) = grant.subject;
                vec![organization(grant.resource), subject.into(), grant.resource.into(), grant.role.into()]
            });
            let mut policies: Vec<Vec<String>> = policies.collect();
            // Casbin takes nothing of a set in which anything comes twice.
            policies.sort_unstable();
            policies.dedup();
            enforcer.add_policies(policies).await.expect("policies");
            enforcer
        });
        let organizations = world.resources.iter().map(|&(name, _)| (name.to_owned(), organization(name)));
        Self { enforcer, organizations: organizations.collect(), requests: Vec::new() }
    }
}

impl Engine for Casbin {
    fn prepare(&mut self, questions: &[Question]) {
        let request = |question: &Question| {
            let Question { member, permission, resource, .. } = question;
            let organization = self.organizations[resource.as_str()].clone();
            (organization, member.to_string(), resource.to_string(), permission.to_string())
        };
        self.requests = questions.iter().map(request).collect();
    }

    fn ask(&mut self, number: usize) -> bool {
        let (organization, member, resource, permission) = &self.requests[number];
        let request = (organization.as_str(), member.as_str(), resource.as_str(), permission.as_str());
        self.enforcer.enforce(request).expect("a request of the model")
    }
}
