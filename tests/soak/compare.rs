//! What must be equal in the end: what replicas say, what the statuses say, and what nobody was to touch.

use std::{collections::BTreeMap, time::Duration};

use bailiwick::{
    api::CASCADE_FINALIZER,
    graph::facts::{Kind, ObjectRef},
};
use kube::{ResourceExt as _, api::DynamicObject};
use serde_json::{Value, json};

use super::cluster::{Cluster, ENVIRONMENT};
use crate::support::{bailiwick::Bailiwick, wait};

/// All objects, by kind and name.
pub type Listed = BTreeMap<ObjectRef, DynamicObject>;

/// What an object is beyond what the operator reports of it.
pub fn essence(object: &DynamicObject) -> Value {
    let mut value = serde_json::to_value(object).expect("JSON");
    value.as_object_mut().expect("an object").remove("status");
    let metadata = value["metadata"].as_object_mut().expect("metadata");
    metadata.remove("resourceVersion");
    // Tells, among others, when the status was written.
    metadata.remove("managedFields");
    value
}

/// What of a status is wrong, given what a replica says of the object.
fn fault(kind: Kind, object: &DynamicObject, said: &Value) -> Option<String> {
    let status = &object.data["status"];
    if status["observedGeneration"] != json!(object.metadata.generation) {
        return Some(format!("generation {:?} is not observed", object.metadata.generation));
    }
    if cascades(kind) != object.finalizers().iter().any(|finalizer| finalizer == CASCADE_FINALIZER) {
        return Some(format!("its finalizers are {:?}", object.finalizers()));
    }
    let conditions = status["conditions"].as_array().map_or(&[][..], Vec::as_slice);
    let condition = |of: &str| conditions.iter().find(|condition| condition["type"] == of);
    let Some(ready) = condition("Ready") else { return Some("it has no condition Ready".to_owned()) };
    let reasons = said["reasons"].as_array().expect("reasons").iter();
    let warnings = said["warnings"].as_array().expect("warnings").iter();
    // A group is as it should be if one of its members is suspended.
    let mut reasons = reasons.chain(warnings.filter(|warning| kind != Kind::Group || warning["code"] != "Suspended"));
    let (holds, reason) =
        reasons.next().map_or(("True", "Indexed"), |first| ("False", first["code"].as_str().expect("a code")));
    if (&ready["status"], &ready["reason"]) != (&json!(holds), &json!(reason)) {
        return Some(format!("Ready should be {holds} ({reason})"));
    }
    let accepted = condition("Accepted").map(|accepted| accepted["status"] == "True");
    let stalled = condition("Stalled").is_some_and(|stalled| stalled["status"] == "True");
    if accepted != Some(!stalled) {
        return Some("Stalled and Accepted contradict each other".to_owned());
    }
    None
}

const fn cascades(kind: Kind) -> bool {
    matches!(kind, Kind::Resource | Kind::Role | Kind::Group | Kind::OrganizationMembership)
}

/// The first thing that differs between the objects of the API server, with their statuses, and what a replica says.
pub fn disagreement(listed: &Listed, replica: &Bailiwick) -> Option<String> {
    let said: BTreeMap<ObjectRef, Value> =
        replica.objects(ENVIRONMENT).into_iter().map(|item| (reference(&item), item)).collect();
    if let Some(object) = listed.keys().find(|object| !said.contains_key(object)) {
        return Some(format!("the replica does not know {object}"));
    }
    if let Some(object) = said.keys().find(|object| !listed.contains_key(object)) {
        return Some(format!("{object} does not exist any more"));
    }
    listed.iter().find_map(|(object, live)| {
        if live.metadata.deletion_timestamp.is_some() {
            return Some(format!("{object} is still being deleted: {:?}", live.metadata.finalizers));
        }
        let fault = fault(object.kind, live, &said[object])?;
        Some(format!("{object}: {fault}; status: {}; the replica: {}", live.data["status"], said[object]))
    })
}

fn reference(item: &Value) -> ObjectRef {
    let text = |field: &str| item[field].as_str().expect("a text");
    ObjectRef { kind: Kind::named(text("kind")).expect("a kind"), name: text("name").into() }
}

impl Cluster {
    /// All objects of the environment.
    pub fn list(&self) -> Listed {
        self.runtime.block_on(self.objects.list())
    }

    /// Waits until there are so many objects, nothing is under deletion, every status is right and every finalizer in
    /// its place; returns them.
    pub fn wait_until_settled(&self, expected: usize, limit: Duration) -> Listed {
        let known = || self.replicas.iter().map(known_objects).collect::<Vec<_>>();
        // A list of everything is dear: the numbers come first.
        wait::within(limit, "the replicas know the objects", || {
            let known = known();
            if known.iter().all(|&known| known == expected) {
                Ok(())
            } else {
                Err(format!("they know {known:?} of {expected}"))
            }
        });
        wait::within(limit, "every status is right", || {
            let listed = self.list();
            disagreement(&listed, &self.replicas[0]).map_or(Ok(listed), Err)
        })
    }
}

/// How many objects a replica knows.
pub fn known_objects(replica: &Bailiwick) -> usize {
    let text = replica.probe("/metrics").body;
    let values = text.lines().filter(|line| line.starts_with("bailiwick_graph_objects{"));
    values.map(|line| line.rsplit(' ').next().expect("a value").parse::<usize>().expect("a number")).sum()
}
