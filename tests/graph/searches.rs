//! Searches find exactly what checks allow.

use std::collections::BTreeSet;

use bailiwick::graph::{
    Graph,
    facts::{Name, Timestamp},
    query::{Action, CheckRequest, Denial, FoundResource, Page, PageRequest, Subject, SubjectKind, Target},
};
use proptest::{prop_assert, prop_assert_eq, proptest, test_runner::TestCaseError};

use super::{
    agreement::Agreed,
    brute_force::{Meaning, World},
    properties::{config, rebuilt, seed},
    strategies::{MEMBERSHIPS, ORGANIZATIONS, PERMISSIONS, TYPES, USERS, story},
    universe::{Chance, Universe},
};
use crate::support::facts::{
    at, grant, graph, group, group_grant, known_as, membership, organization, resource, role, suspended,
};

const ALL: PageRequest<'static> = PageRequest { limit: 1_000, after: None };

/// A whole list in small pages; nothing where there is none.
fn pieced<T>(limit: usize, list: impl Fn(PageRequest<'_>) -> Result<Page<T>, Denial>) -> Result<Vec<T>, TestCaseError> {
    let mut items = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let Ok(page) = list(PageRequest { limit, after: after.as_deref() }) else { return Ok(items) };
        prop_assert!(page.items.len() <= limit, "a page is longer than its limit");
        prop_assert!(page.next > after || page.next.is_none(), "pages do not go on");
        items.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(items);
        }
    }
}

struct Searches<'a> {
    world: &'a World,
    graph: &'a Graph,
    now: Timestamp,
    limit: usize,
}

impl Searches<'_> {
    fn allows(&self, subject: Subject<'_>, action: Action<'_>, resource: Target<'_>) -> bool {
        !self.world.check(&CheckRequest { subject, action, resource }, self.now).is_empty()
    }

    fn agree_on_subjects(&self, kind: SubjectKind, action: Action<'_>, resource: Target<'_>) -> Agreed {
        let found = pieced(self.limit, |page| self.graph.search_subjects(kind, action, resource, page, self.now))?;
        let names = self.world.membership_names().into_iter();
        let all: BTreeSet<Name> = names.chain(MEMBERSHIPS.map(Name::from)).chain(USERS.map(Name::from)).collect();
        let expected: Vec<Name> =
            all.into_iter().filter(|name| self.allows(kind.subject(name), action, resource)).collect();
        prop_assert_eq!(found, expected, "{:?} who may {:?} on {:?}", kind, action, resource);
        Ok(())
    }

    fn agree_on_resources(&self, subject: Subject<'_>, action: Action<'_>, organization: Option<&str>) -> Agreed {
        for resource_type in TYPES {
            let list = |page: PageRequest<'_>| {
                self.graph.search_resources(subject, action, resource_type, organization, page, self.now)
            };
            let question = (subject, action, resource_type, organization);
            let mut found = BTreeSet::new();
            for FoundResource { resource_type, id, organization } in pieced(self.limit, list)? {
                let target =
                    Target::Id { resource_type: &resource_type, id: &id, organization: organization.as_deref() };
                prop_assert!(self.allows(subject, action, target), "{:?} is not allowed: {:?}", target, question);
                match self.world.meaning(subject, &target) {
                    Meaning::Found { resource, .. } => prop_assert!(found.insert(resource), "twice: {:?}", target),
                    other => return Err(TestCaseError::fail(format!("{target:?} is {other:?}"))),
                }
                if organization.is_some() {
                    let alone = Target::Id { resource_type: &resource_type, id: &id, organization: None };
                    let meant = |target| match self.world.meaning(subject, &target) {
                        Meaning::Found { resource, .. } => Some(resource),
                        _ => None,
                    };
                    prop_assert!(meant(alone) != meant(target), "no need for the organization of {:?}", target);
                }
            }
            let mut expected = self.world.resources(subject, action, Some(resource_type), None, self.now);
            if organization.is_some() {
                expected.retain(|name| {
                    let resource = self.world.resource(name).expect("what is listed is there");
                    let (resource_type, id) = (&*resource.resource_type, &*resource.external_id);
                    let target = Target::Id { resource_type, id, organization };
                    matches!(self.world.meaning(subject, &target), Meaning::Found { resource, .. } if resource == *name)
                });
            }
            prop_assert_eq!(found, expected, "{:?}", question);
        }
        Ok(())
    }

    fn agree_on_actions(&self, subject: Subject<'_>, resource: Target<'_>) -> Agreed {
        let found = pieced(self.limit, |page| self.graph.search_actions(subject, resource, page, self.now))?;
        let found: BTreeSet<Name> = found.into_iter().collect();
        for action in &found {
            prop_assert!(self.allows(subject, Action::Name(action), resource), "{} is not allowed", action);
        }
        // Of every way to say an allowed action, there is the one that needs no type.
        for permission in PERMISSIONS {
            if self.allows(subject, Action::Permission(permission), resource) {
                let name = permission.split_once(':').map_or(permission, |(_, name)| name);
                let said = found.contains(name) || found.contains(permission);
                prop_assert!(said, "{} is not found for {:?} on {:?}: {:?}", permission, subject, resource, found);
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn searches_find_what_brute_force_allows(story in story(24), seed in seed()) {
        let universe = Universe::new();
        let mut chance = Chance::from_seed(seed);
        let mut world = World::default();
        story.0.iter().for_each(|change| world.apply(change));
        let graph = rebuilt(&world, &mut chance);
        for _ in 0..12 {
            let (now, limit) = (universe.some_instant(&mut chance), 1 + chance.below(3));
            let searches = Searches { world: &world, graph: &graph, now, limit };
            let CheckRequest { subject, action, resource } = universe.some_check(&mut chance);
            for kind in [SubjectKind::Membership, SubjectKind::User] {
                searches.agree_on_subjects(kind, action, resource)?;
            }
            let organization = chance.toss().then(|| chance.one_of(&ORGANIZATIONS));
            searches.agree_on_resources(subject, action, organization)?;
            searches.agree_on_actions(subject, resource)?;
        }
    }
}

/// Two organizations with a project `web` each; Carol is in both.
fn twins() -> Graph {
    graph([
        organization("acme"),
        organization("globex"),
        resource("ws", "workspace", "acme"),
        resource("web", "project", "ws"),
        known_as("web", resource("other-web", "project", "globex")),
        resource("docs", "project", "globex"),
        role("lead", "workspace", &["project:edit", "workspace:edit", "audit"]),
        role("editor", "project", &["project:edit"]),
        membership("alice-acme", "acme", "alice"),
        membership("alice-acme-2", "acme", "alice"),
        membership("bob-globex", "globex", "bob"),
        membership("carol-acme", "acme", "carol"),
        membership("carol-globex", "globex", "carol"),
        suspended(membership("dave-acme", "acme", "dave")),
        group("eng", "acme", &["alice-acme", "alice-acme-2", "carol-acme", "dave-acme", "robot"]),
        group_grant("eng", "lead", "ws"),
        grant("bob-globex", "editor", "other-web"),
        grant("carol-globex", "editor", "other-web"),
        grant("carol-globex", "editor", "docs"),
    ])
}

const WEB: Target<'static> = Target::Id { resource_type: "project", id: "web", organization: None };

#[test]
fn subjects_are_found_in_every_organization_that_the_id_may_mean() {
    let graph = twins();
    let found =
        |kind, resource| graph.search_subjects(kind, Action::Name("edit"), resource, ALL, at(0)).map(|page| page.items);
    assert_eq!(
        found(SubjectKind::User, WEB).expect("subjects"),
        ["alice", "bob"],
        "each user once, without a declaration no user, and to Carol it is ambiguous"
    );
    let memberships = ["alice-acme", "alice-acme-2", "bob-globex", "carol-acme", "carol-globex"];
    assert_eq!(found(SubjectKind::Membership, WEB).expect("subjects"), memberships);
    let in_acme = Target::Id { resource_type: "project", id: "web", organization: Some("acme") };
    assert_eq!(found(SubjectKind::User, in_acme).expect("subjects"), ["alice", "carol", "robot"]);
    let unknown = Target::Id { resource_type: "project", id: "nothing", organization: None };
    assert_eq!(found(SubjectKind::User, unknown), Err(Denial::UnknownResource));
}

#[test]
fn a_resource_that_an_id_alone_does_not_lead_to_is_found_with_its_organization() {
    let graph = twins();
    let found = |organization| {
        let page =
            graph.search_resources(Subject::User("carol"), Action::Name("edit"), "project", organization, ALL, at(0));
        let items = page.expect("resources").items.into_iter();
        items.map(|item| (item.id.to_string(), item.organization.map(|it| it.to_string()))).collect::<Vec<_>>()
    };
    let (docs, web) = (("docs".to_owned(), None), |it: &str| ("web".to_owned(), Some(it.to_owned())));
    assert_eq!(found(None), [docs.clone(), web("globex"), web("acme")]);
    assert_eq!(found(Some("globex")), [docs, web("globex")]);
    assert_eq!(found(Some("nowhere")), []);
}

#[test]
fn actions_are_named_as_on_the_resources_of_the_type() {
    let graph = twins();
    let found = |id, resource_type| {
        let target = Target::Id { resource_type, id, organization: Some("acme") };
        graph.search_actions(Subject::User("carol"), target, ALL, at(0)).expect("actions").items
    };
    assert_eq!(found("web", "project"), ["audit", "edit", "workspace:edit"]);
    assert_eq!(found("ws", "workspace"), ["audit", "edit", "project:edit"]);
}
