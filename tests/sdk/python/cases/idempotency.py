"""Rule 72: Idempotency-Key; rules 68, 69: lists while others write."""

import uuid
from concurrent.futures import ThreadPoolExecutor

from support import equal, expect, ids


def a_repeated_creation_is_one(world):
    organization = world.organization()
    key = {"idempotency_key": str(uuid.uuid4())}
    first = world.groups.create_organization_group(organization.id, name="Staff", request_options=key)
    again = world.groups.create_organization_group(organization.id, name="Staff", request_options=key)
    equal(again, first, "rule 72: the same key, the same answer")
    other = world.groups.create_organization_group(
        organization.id, name="Staff", request_options={"idempotency_key": str(uuid.uuid4())}
    )
    expect(other.id != first.id, "rule 72: another key, another group")
    listed = world.groups.list_organization_groups(organization.id)
    equal(sorted(ids(listed.data)), sorted([first.id, other.id]), "rule 72: a repetition makes nothing")

    # Where a repetition would be a conflict.
    key = {"idempotency_key": str(uuid.uuid4())}
    options = {"organization_id": organization.id, "resource_type_slug": "workspace", "external_id": "hq", "name": "HQ"}
    first = world.authorization.create_resource(**options, request_options=key)
    equal(world.authorization.create_resource(**options, request_options=key), first, "rule 72: no conflict with itself")


def repetitions_at_the_same_time_are_one(world):
    organization = world.organization()
    key = {"idempotency_key": str(uuid.uuid4())}

    def create(_):
        return world.groups.create_organization_group(organization.id, name="Staff", request_options=key).id

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(create, range(8)))
    listed = ids(world.groups.list_organization_groups(organization.id).data)
    equal(listed, list(made), "rule 72: repetitions that overlap make one group")


def pages_are_stable_while_others_write(world):
    organization = world.organization()
    groups = [world.group(organization, f"Team {number}") for number in range(9)]

    def listing(**page):
        return world.groups.list_organization_groups(organization.id, limit=3, **page)

    page = listing()
    world.group(organization, "Late")
    world.groups.delete_organization_group(organization.id, groups[6].id)
    rest = ids(listing(after=page.after).auto_paging_iter())
    equal(page.after, groups[6].id, "rule 68: the cursor is the last item")
    equal(rest, ids(groups[:6])[::-1], "rule 68: neither the new nor the deleted one disturbs the pages")
    before = listing(before=groups[6].id)
    equal(ids(before.data)[-2:], [groups[8].id, groups[7].id], "rule 68: nor backward")


CASES = [a_repeated_creation_is_one, repetitions_at_the_same_time_are_one, pages_are_stable_while_others_write]
