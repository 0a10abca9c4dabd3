"""Runs the official Python SDK against a server.

    run.py [CASE...]

BAILIWICK_URL: the server, such as http://127.0.0.1:8080. BAILIWICK_ENVIRONMENT: its default environment.
BAILIWICK_MULTIPLE_ROLES_URL: an environment with multipleRoles (its path included); without it, that case is left out.

One line for each failed assertion, and an exit code other than 0 where there is any.
"""

import functools
import os
import sys
import time

import workos
from workos import WorkOSClient

from cases import (
    asynchronous,
    checks,
    discovery,
    encoding,
    errors,
    group_role_assignments,
    groups,
    idempotency,
    memberships,
    multiple_roles,
    organizations,
    permissions,
    resources,
    role_assignments,
    roles,
    story,
)
from support import REPORT
from world import World

MODULES = [
    story,
    organizations,
    memberships,
    permissions,
    roles,
    resources,
    checks,
    discovery,
    role_assignments,
    groups,
    group_role_assignments,
    encoding,
    idempotency,
    errors,
    asynchronous,
]

# What every case together must have called: all of these accessors, and of the last one what concerns authorization.
ACCESSORS = ("authorization", "groups", "organization_membership")
ORGANIZATIONS = {
    "list_organizations",
    "create_organization",
    "get_organization",
    "get_organization_by_external_id",
    "update_organization",
    "delete_organization",
}


def record(client, called):
    """Notes which methods are called."""
    for accessor in (*ACCESSORS, "organizations"):
        service = getattr(client, accessor)
        for name in methods(service):

            def noted(*arguments, _method=getattr(service, name), _name=f"{accessor}.{name}", **options):
                called.add(_name)
                return _method(*arguments, **options)

            setattr(service, name, functools.wraps(getattr(service, name))(noted))


def methods(service):
    return [name for name in dir(type(service)) if not name.startswith("_") and callable(getattr(service, name))]


def main():
    wanted = sys.argv[1:]
    url = os.environ["BAILIWICK_URL"]
    client = WorkOSClient(api_key="sk_test", client_id="client_test", base_url=url, max_retries=0)
    called = set()
    record(client, called)
    world = World(client, url)
    cases = [(f"{module.__name__.split('.')[-1]}.{case.__name__}", case, (world,)) for module in MODULES for case in module.CASES]
    if environment := os.environ.get("BAILIWICK_ENVIRONMENT"):
        path = errors.a_path_for_each_environment
        cases.append((f"errors.{path.__name__}", path, (world, environment)))
    if multiple := os.environ.get("BAILIWICK_MULTIPLE_ROLES_URL"):
        other = WorkOSClient(api_key="sk_test", client_id="client_test", base_url=multiple, max_retries=0)
        for case in multiple_roles.CASES:
            cases.append((f"multiple_roles.{case.__name__}", case, (World(other, multiple),)))

    begin = time.monotonic()
    for name, case, arguments in cases:
        if not wanted or any(text in name for text in wanted):
            REPORT.run(name, case, *arguments)
    if not wanted:
        REPORT.case = "every method"
        expected = {f"{accessor}.{name}" for accessor in ACCESSORS for name in methods(getattr(client, accessor))}
        for name in sorted(expected | {f"organizations.{name}" for name in ORGANIZATIONS}):
            if name not in called:
                REPORT.fail(f"{name} is never called")

    for failure in REPORT.failures:
        print(f"FAILED {failure}")
    print(
        f"workos {workos.__version__ if hasattr(workos, '__version__') else ''} for Python: {REPORT.assertions} assertions, "
        f"{len(REPORT.failures)} failures, {time.monotonic() - begin:.1f} s"
    )
    sys.exit(1 if REPORT.failures else 0)


main()
