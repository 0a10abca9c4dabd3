//! The audit log, by which other tests tell who wrote what.

use crate::support::{control_plane::ControlPlane, manifests::ACME};

#[test]
fn the_audit_log_tells_who_wrote_what() {
    let plane = ControlPlane::shared();
    let namespace = "audited";
    plane.create_namespace(namespace);
    plane.apply(namespace, ACME);
    plane.kubectl(&["delete", "azrole", "editor", "--namespace", namespace]).ok();
    let log = plane.audit_log();
    let entries: Vec<_> = log.iter().filter(|entry| entry.object.namespace == namespace).collect();
    let [resource, role, deletion] = entries[..] else { panic!("{entries:#?}") };
    for (entry, verb, plural, name) in [
        (resource, "create", "resources", "acme"),
        (role, "create", "roles", "editor"),
        (deletion, "delete", "roles", "editor"),
    ] {
        assert_eq!((&*entry.verb, &*entry.object.resource, &*entry.object.name), (verb, plural, name), "{entry:?}");
        assert!(entry.is_ours() && entry.succeeded() && entry.object.subresource.is_empty(), "{entry:?}");
        assert!(entry.user == "admin" && entry.user_agent.starts_with("kubectl/"), "{entry:?}");
        assert!(entry.received <= entry.answered, "{entry:?}");
    }
    assert!(resource.answered <= role.received && role.answered <= deletion.received, "{entries:#?}");
}
