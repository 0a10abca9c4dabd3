//! Giving a role to a membership.

use super::held_roles::{HeldRole, Source, held_by};
use crate::{
    graph::facts::{self, Kind, Name, ObjectRef, Timestamp},
    server::workos::{
        Error,
        context::{self, Context},
        shapes,
        terms::{Found, Wanted, end, is_over},
    },
    store::{
        Draft, Item, Naming, Planned, View, names,
        spec::{MembershipRef, MembershipRoleAssignmentSpec, NameRef, OrganizationMembershipSpec},
    },
};

/// What keeps the role of a membership.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Keeper {
    /// A `MembershipRoleAssignment`.
    Assignment,
    /// The `roleRefs` of the membership: for a role on the organization that does not end.
    Membership,
}

/// A membership that is to have a role on a resource.
struct Assigning {
    membership: Item<facts::OrganizationMembership>,
    found: Found,
    keeper: Keeper,
    /// Whether other roles on the resource go: on an organization, where a membership may have but one.
    replaces: bool,
}

impl Assigning {
    fn of(view: &View<'_>, membership: &str, wanted: &Wanted<'_>) -> Result<Self, Error> {
        let membership = context::membership(view, membership)?;
        let found = wanted.find_fitting(view, &membership.fact.organization)?;
        let on_organization = found.resource.is_organization();
        let mut assigning = Self {
            replaces: on_organization && !view.graph().allows_multiple_roles(),
            keeper: Keeper::Assignment,
            membership,
            found,
        };
        let ends = matches!(wanted.expiry, Some(Some(_)));
        let is_listed = assigning.membership.fact.roles.contains(&assigning.found.role.name);
        if on_organization && !ends && (is_listed || assigning.own(view).next().is_none()) {
            assigning.keeper = Keeper::Membership;
        }
        Ok(assigning)
    }

    /// The assignments on the resource, ended ones too.
    fn own_on_resource(&self, view: &View<'_>) -> impl Iterator<Item = Item<facts::MembershipRoleAssignment>> {
        let names = view.graph().own_assignments_of_membership(&self.membership.name).into_iter();
        let assignments = names.filter_map(|name| view.get::<facts::MembershipRoleAssignment>(&name));
        assignments.filter(|assignment| {
            let resource = assignment.fact.resource.as_ref().unwrap_or(&self.membership.fact.organization);
            // WorkOS knows no conditions: what depends on one is neither shown nor changed here.
            *resource == self.found.resource.item.name && assignment.fact.condition.is_none()
        })
    }

    /// Those of them that give the role.
    fn own(&self, view: &View<'_>) -> impl Iterator<Item = Item<facts::MembershipRoleAssignment>> {
        self.own_on_resource(view).filter(|assignment| assignment.fact.role == self.found.role.name)
    }

    /// The one of these that has not ended; the oldest of several.
    fn live(&self, view: &View<'_>) -> Option<Item<facts::MembershipRoleAssignment>> {
        self.own(view).filter(|assignment| !is_over(assignment.fact.expires_at)).min_by_key(Item::place)
    }
}

/// Sees to it that a membership has a role on a resource, once (rules 30, 31, 36), and shows the assignment.
pub async fn assign(context: &Context, membership: &str, wanted: &Wanted<'_>) -> Result<shapes::RoleAssignment, Error> {
    let assigning = {
        let snapshot = context.snapshot();
        Assigning::of(&snapshot.view(), membership, wanted)?
    };
    // The new role comes before the old ones go. What fails half-way is completed by saying it again.
    match assigning.keeper {
        Keeper::Assignment => {
            write_assignments(context, membership, wanted, assigning.keeper).await?;
            set_end(context, membership, wanted).await?;
            list_role(context, &assigning, wanted).await?;
        }
        Keeper::Membership => {
            list_role(context, &assigning, wanted).await?;
            write_assignments(context, membership, wanted, assigning.keeper).await?;
        }
    }
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let membership = context::membership(&view, membership)?;
    let is_meant = |held: &HeldRole| match &held.source {
        Source::Assignment(_) => assigning.keeper == Keeper::Assignment,
        Source::Membership => assigning.keeper == Keeper::Membership,
        _ => false,
    };
    let held = held_by(&view, &membership).into_iter();
    let held = held.filter(|held| assigning.found.is(&held.role.name, &held.resource.item.name) && is_meant(held));
    let row = held.map(|held| held.row(&membership)).min_by(|one, other| one.place.cmp(&other.place));
    // Somebody may have taken it away by now.
    row.map(|row| row.item).ok_or_else(|| Error::not_found("Role assignment", assigning.found.role.fact.slug.as_str()))
}

/// Creates the assignment, if that is to keep the role and is not there yet, and deletes those that it replaces.
async fn write_assignments(
    context: &Context,
    membership: &str,
    wanted: &Wanted<'_>,
    keeper: Keeper,
) -> Result<(), Error> {
    let plan = |view: &View<'_>| {
        let assigning = Assigning::of(view, membership, wanted)?;
        let mut obsolete: Vec<_> = assigning.own_on_resource(view).collect();
        let mut writes = Vec::new();
        let kept = assigning.live(view).filter(|_| keeper == Keeper::Assignment);
        if assigning.replaces {
            obsolete.retain(|assignment| kept.as_ref().is_none_or(|kept| kept.name != assignment.name));
        } else {
            // One that has ended and said the same is of no use any more.
            let role = &assigning.found.role.name;
            obsolete.retain(|assignment| assignment.fact.role == *role && is_over(assignment.fact.expires_at));
        }
        if keeper == Keeper::Assignment && kept.is_none() {
            writes.push(new_assignment(&assigning, wanted.expiry.flatten()));
        }
        let kind = Kind::MembershipRoleAssignment;
        writes.extend(obsolete.into_iter().map(|item| Planned::Delete(ObjectRef { kind, name: item.name })));
        Ok::<_, Error>(writes)
    };
    context.store().write_together(context.environment(), plan).await?;
    Ok(())
}

fn new_assignment(assigning: &Assigning, expires_at: Option<Timestamp>) -> Planned {
    let Assigning { membership, found, .. } = assigning;
    let (membership, role, resource) = (&membership.name, &found.role.name, &found.resource.item.name);
    let reference = |name: &Name| NameRef { name: name.to_string() };
    let spec = MembershipRoleAssignmentSpec {
        membership_ref: MembershipRef { name: membership.to_string() },
        role_ref: reference(role),
        resource_ref: Some(reference(resource)),
        expires_at: end(expires_at),
        condition: None,
    };
    let naming = Naming::After {
        called: names::joined(&[membership, role, resource]).into(),
        identity: format!("{membership}/{role}/{resource}"),
    };
    Planned::Create(Draft::new(naming, spec))
}

/// Lets the assignment end when that is told; where nothing is told, it stays as it is.
async fn set_end(context: &Context, membership: &str, wanted: &Wanted<'_>) -> Result<(), Error> {
    let Some(expires_at) = wanted.expiry else { return Ok(()) };
    let live = {
        let snapshot = context.snapshot();
        let view = snapshot.view();
        Assigning::of(&view, membership, wanted)?.live(&view)
    };
    let Some(live) = live.filter(|live| live.fact.expires_at != expires_at) else { return Ok(()) };
    let object = ObjectRef { kind: Kind::MembershipRoleAssignment, name: live.name };
    let set_end = |_: &View<'_>, assignment: &mut MembershipRoleAssignmentSpec| {
        assignment.expires_at = end(expires_at);
        Ok(())
    };
    context.edit(&object, set_end).await
}

/// Lists a role on the organization with the membership, or no longer where an assignment keeps it.
async fn list_role(context: &Context, assigning: &Assigning, wanted: &Wanted<'_>) -> Result<(), Error> {
    let Assigning { membership, found, keeper, replaces } = assigning;
    if !found.resource.is_organization() {
        return Ok(());
    }
    let list = |_: &View<'_>, membership: &mut OrganizationMembershipSpec| {
        let role = &found.role.name;
        let is_role = |listed: &NameRef| listed.name == *role;
        match keeper {
            Keeper::Membership => {
                if *replaces {
                    membership.role_refs.retain(is_role);
                }
                if !membership.role_refs.iter().any(is_role) {
                    membership.role_refs.push(NameRef { name: role.to_string() });
                }
            }
            Keeper::Assignment if *replaces => membership.role_refs.clear(),
            // Listed, it would not end.
            Keeper::Assignment if matches!(wanted.expiry, Some(Some(_))) => {
                membership.role_refs.retain(|listed| !is_role(listed));
            }
            Keeper::Assignment => {}
        }
        Ok(())
    };
    let object = ObjectRef { kind: Kind::OrganizationMembership, name: membership.name.clone() };
    context.edit(&object, list).await
}
