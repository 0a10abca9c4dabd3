"""The exceptions of section 4.3 that no other case provokes."""

from workos import WorkOSClient
from workos._errors import NotFoundError, ServerError, UnprocessableEntityError

from support import equal, expect, refused


def users_live_in_the_identity_provider(world):
    for what, call in (
        ("listing", lambda: world.client.user_management.list_users()),
        ("creating", lambda: world.client.user_management.create_user(email="alice@example.com")),
        ("reading", lambda: world.client.user_management.get_user("user_01JZZZZZZZZZZZZZZZZZZZZZZZ")),
    ):
        try:
            expect(False, f"{what} users: expected a refusal, got {call()!r}")
        except ServerError as error:
            equal(error.status_code, 501, f"{what} users")
            expect("identity provider" in error.message, f"{what} users says why: {error}")


def unknown_paths(world):
    error = refused(
        "a path that is not there",
        NotFoundError,
        "no_such_route",
        world.client.request,
        method="get",
        path=("authorization", "no-such-thing"),
    )
    expect(error is None or error.message, "section 4.3: a body of JSON even there")


def bad_bodies(world):
    organization = world.organization()
    for what, path, body in (
        ("a missing name", ("organizations",), {}),
        ("a name of the wrong type", ("organizations",), {"name": 7}),
        ("an empty name", ("organizations",), {"name": ""}),
        ("a missing group name", ("organizations", organization.id, "groups"), {}),
        ("a missing external id", ("authorization", "resources"), {"organization_id": organization.id, "name": "x"}),
        ("a missing slug", ("authorization", "permissions"), {"name": "x"}),
        ("a missing role name", ("authorization", "roles"), {"slug": "x"}),
        ("a missing user", ("user_management", "organization_memberships"), {"organization_id": organization.id}),
    ):
        refused(
            f"section 3.9: {what}",
            UnprocessableEntityError,
            "invalid_request_parameters",
            world.client.request,
            method="post",
            path=path,
            body=body,
        )


def bad_pages(world):
    organization = world.organization()
    for limit in (0, -1, 101):
        refused(
            f"rule 69: the limit {limit}",
            UnprocessableEntityError,
            "invalid_request_parameters",
            world.groups.list_organization_groups,
            organization.id,
            limit=limit,
        )
    refused(
        "rule 68: another order",
        UnprocessableEntityError,
        "invalid_request_parameters",
        world.groups.list_organization_groups,
        organization.id,
        order="sideways",
    )
    world.group(organization, "Staff")
    try:
        page = world.groups.list_organization_groups(organization.id, after="group_01JZZZZZZZZZZZZZZZZZZZZZZZ")
        equal(page.data, [], "rule 69: an unknown cursor")
    except UnprocessableEntityError as error:
        equal(error.code, "invalid_request_parameters", "rule 69: an unknown cursor")


def a_path_for_each_environment(world, environment):
    """The same API below /environments/{namespace}/, for SDKs that can have a path in their base URL."""
    client = WorkOSClient(
        api_key="sk_test", client_id="client_test", base_url=f"{world.base_url}/environments/{environment}", max_retries=0
    )
    organization = world.organization("Everywhere")
    equal(client.organizations.get_organization(organization.id), organization, "the environment by its path")
    group = client.groups.create_organization_group(organization.id, name="Staff")
    equal(world.groups.get_organization_group(organization.id, group.id), group, "is the default one")


CASES = [users_live_in_the_identity_provider, unknown_paths, bad_bodies, bad_pages]
