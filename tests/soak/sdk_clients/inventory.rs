//! The objects that there are in the end, each by what it is and not by how it is called.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

/// How often there is each object.
pub type Inventory = BTreeMap<String, usize>;

/// The objects of these manifests whose kinds the clients write, each with what it is in words that clients know.
pub fn inventory<'a>(manifests: impl Iterator<Item = &'a Value> + Clone) -> Inventory {
    let name = |manifest: &Value| manifest["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let known: HashMap<(String, String), String> = manifests
        .clone()
        .filter_map(|manifest| {
            let (kind, spec) = (manifest["kind"].as_str()?, &manifest["spec"]);
            let text = |field: &str| spec[field].as_str().map(str::to_owned);
            let words = match kind {
                "Resource" if spec["type"] == "organization" => text("displayName")?,
                "Resource" => format!("{} {}", text("type")?, text("externalId")?),
                "Role" => text("slug").unwrap_or_else(|| name(manifest)),
                "Group" => text("displayName")?,
                "OrganizationMembership" => spec["user"]["id"].as_str()?.to_owned(),
                _ => return None,
            };
            Some(((kind.to_owned(), name(manifest)), words))
        })
        .collect();
    let mut inventory = Inventory::new();
    for manifest in manifests {
        let spec = &manifest["spec"];
        let reference = |kind: &str, field: &str| {
            let name = spec[field]["name"].as_str().unwrap_or("nothing").to_owned();
            known.get(&(kind.to_owned(), name.clone())).cloned().unwrap_or_else(|| format!("unknown {kind} {name}"))
        };
        let list = |kind: &str, field: &str| {
            let names = spec[field].as_array().map_or(&[][..], Vec::as_slice).iter();
            let words = names.map(|listed| {
                let name = listed.as_str().unwrap_or_default().to_owned();
                known.get(&(kind.to_owned(), name.clone())).cloned().unwrap_or_else(|| format!("unknown {kind} {name}"))
            });
            let mut words: Vec<_> = words.collect();
            words.sort();
            words
        };
        let kind = manifest["kind"].as_str().unwrap_or_default();
        let own = known.get(&(kind.to_owned(), name(manifest))).cloned();
        let words = match kind {
            "Resource" if spec["type"] == "organization" => own.unwrap_or_default(),
            "Resource" => format!("{} in {}", own.unwrap_or_default(), reference("Resource", "parentRef")),
            "Role" => {
                let mut permissions = spec["permissions"].as_array().cloned().unwrap_or_default();
                permissions.sort_by_key(ToString::to_string);
                format!("{} with {}", own.unwrap_or_default(), Value::Array(permissions))
            }
            "ResourceType" => {
                let permissions = spec["permissions"].as_array().map_or(&[][..], Vec::as_slice);
                for permission in permissions {
                    let slug = permission["slug"].as_str().unwrap_or_default();
                    *inventory.entry(format!("Permission {slug}")).or_default() += 1;
                }
                continue;
            }
            "Group" => {
                format!("{} with {:?}", own.unwrap_or_default(), list("OrganizationMembership", "members"))
            }
            "OrganizationMembership" => own.unwrap_or_default(),
            "MembershipRoleAssignment" => format!(
                "{} on {} for {}",
                reference("Role", "roleRef"),
                reference("Resource", "resourceRef"),
                reference("OrganizationMembership", "membershipRef")
            ),
            "GroupRoleAssignment" => format!(
                "{} on {} for {}",
                reference("Role", "roleRef"),
                reference("Resource", "resourceRef"),
                reference("Group", "groupRef")
            ),
            _ => continue,
        };
        *inventory.entry(format!("{kind} {words}")).or_default() += 1;
    }
    inventory
}
