//! Objects that are written into a folder of manifests.

use bailiwick::{
    graph::facts::{self, Kind, ObjectRef},
    store::{Draft, Error, Naming, spec},
};

use crate::support::{router::DEFAULT_ENVIRONMENT, workos::World};

const ACME: &str = "# Our organization.
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Resource
metadata: {name: acme}
spec: {type: organization}
";

fn group(display_name: &str) -> spec::GroupSpec {
    spec::GroupSpec {
        organization_ref: spec::NameRef { name: "acme".to_owned() },
        members: Vec::new(),
        subgroups: Vec::new(),
        display_name: Some(display_name.to_owned()),
        description: None,
    }
}

fn named(name: &str) -> Naming {
    Naming::Exactly(name.into())
}

fn object(kind: Kind, name: &str) -> ObjectRef {
    ObjectRef { kind, name: name.into() }
}

#[tokio::test]
async fn what_is_created_has_a_file_of_its_own_and_is_changed_and_deleted_there() {
    let world = World::new(ACME);
    let create =
        world.store.create::<Error>(DEFAULT_ENVIRONMENT, |_| Ok(Draft::new(named("devs"), group("Devs")))).await;
    assert_eq!(create.unwrap(), "devs");
    assert_eq!(world.files(), ["group-devs.yaml", "manifests.yaml"]);
    let shown = |name: &str| {
        let snapshot = world.store.snapshot(DEFAULT_ENVIRONMENT);
        snapshot.view().get::<facts::Group>(name)
    };
    assert_eq!(shown("devs").unwrap().presentation.display_name.as_deref(), Some("Devs"));

    let again =
        world.store.create::<Error>(DEFAULT_ENVIRONMENT, |_| Ok(Draft::new(named("devs"), group("Devs")))).await;
    assert!(matches!(again, Err(Error::AlreadyExists { .. })), "{again:?}");

    let devs = object(Kind::Group, "devs");
    let edit = world.store.edit::<Error>(DEFAULT_ENVIRONMENT, &devs, |_, stored| {
        let spec: &mut spec::GroupSpec = (&mut stored.spec).try_into().unwrap();
        spec.display_name = Some("Developers".to_owned());
        Ok(())
    });
    edit.await.unwrap();
    assert_eq!(shown("devs").unwrap().presentation.display_name.as_deref(), Some("Developers"));

    world.store.delete(DEFAULT_ENVIRONMENT, &devs).await.unwrap();
    assert!(shown("devs").is_none());
    assert_eq!(world.files(), ["manifests.yaml"]);
    assert_eq!(world.read("manifests.yaml"), ACME);
}
