"""What all cases need: assertions that go on after a failure, and what every answer of the API has in common."""

import os
import re
import traceback
from datetime import datetime, timedelta, timezone

from workos._errors import APIError

ULID = "[0-7][0-9A-HJKMNP-TV-Z]{25}"


class Report:
    """The failures so far, each with the case that it belongs to."""

    def __init__(self):
        self.failures = []
        self.assertions = 0
        self.case = None

    def run(self, name, function, *arguments):
        """Runs a case; what it raises is a failure of it."""
        self.case = name
        try:
            function(*arguments)
        except Exception as error:  # A case must not take the others with it.
            place = traceback.extract_tb(error.__traceback__)
            own = [frame for frame in place if os.path.dirname(__file__) in frame.filename]
            where = f"{os.path.basename(own[-1].filename)}:{own[-1].lineno}" if own else "?"
            self.fail(f"raised {type(error).__name__} at {where}: {error}")

    def fail(self, message):
        self.failures.append(f"{self.case}: {message}")


REPORT = Report()


def expect(condition, message):
    """One assertion."""
    REPORT.assertions += 1
    if not condition:
        REPORT.fail(message)


def equal(actual, expected, what):
    """One assertion on a value."""
    expect(actual == expected, f"{what}: expected {expected!r}, got {actual!r}")


def same_members(actual, expected, what):
    """The same elements, each as often, in any order."""
    equal(sorted(actual), sorted(expected), what)


def an_id(value, prefix):
    """Ids are a prefix and a ULID."""
    expect(
        isinstance(value, str) and re.fullmatch(f"{prefix}_{ULID}", value),
        f"section 1.1: {value!r} is no id of the form {prefix}_ULID",
    )


def times(item):
    """Both timestamps are in UTC, in milliseconds, in order, and recent."""
    for name in ("created_at", "updated_at"):
        value = getattr(item, name)
        expect(
            isinstance(value, datetime) and value.utcoffset() == timedelta(0),
            f"section 1.1: {name} of {item.id} is {value!r}, not a time in UTC",
        )
        age = datetime.now(timezone.utc) - value
        # Folders and API servers keep whole seconds.
        expect(
            timedelta(seconds=-2) < age < timedelta(minutes=10),
            f"{name} of {item.id} is {value}, {age} ago",
        )
    expect(
        item.updated_at >= item.created_at,
        f"{item.id} was updated at {item.updated_at}, before it was created at {item.created_at}",
    )


def refused(what, kind, code, call, *arguments, **options):
    """The call raises this exception (or one of these), with this code (or one of these); returns it."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    codes = code if isinstance(code, tuple) else (code,)
    try:
        result = call(*arguments, **options)
    except APIError as error:
        expect(type(error) in kinds, f"{what}: expected {[k.__name__ for k in kinds]}, got {type(error).__name__}: {error}")
        expect(error.code in codes, f"{what}: expected the code {codes}, got {error.code!r}: {error}")
        expect(
            isinstance(error.response_json, dict) and isinstance(error.response_json.get("message"), str) and error.message,
            f"{what}: the body of the error has no message: {error.raw_body}",
        )
        expect("error" not in (error.response_json or {}), f"{what}: section 4.3: the body has a key `error`: {error.raw_body}")
        expect(error.request_id, f"{what}: rule 74: the error has no request id")
        if error.status_code == 422 and code == "invalid_request_parameters":
            expect(
                error.errors and all({"field", "code"} <= set(entry) for entry in error.errors),
                f"{what}: section 3.9: a 422 names its fields: {error.raw_body}",
            )
        return error
    expect(False, f"{what}: expected {[k.__name__ for k in kinds]}, got {result!r}")
    return None


def ids(items):
    return [item.id for item in items]


def slugs(items):
    return [item.slug for item in items]


def pages(what, listing, expected=None):
    """Rule 68, for any list: orders, cursors in both directions, their ends, and automatic paging.

    `listing` is a method of the SDK that has been given all but the paging. `expected` are the ids that it lists; where there is
    none, others may be making more of them, and the list is only held against itself.
    """
    ascending = listing(limit=100, order="asc")
    whole = ids(ascending.data)
    equal(len(set(whole)), len(whole), f"{what}: rule 68: each item is listed once")
    equal(
        [item.created_at for item in ascending.data],
        sorted(item.created_at for item in ascending.data),
        f"{what}: rule 68: `asc` sorts by creation",
    )
    if expected is not None:
        same_members(whole, expected, f"{what}: what is listed")
    equal((ascending.before, ascending.after), (None, None), f"{what}: rule 68: a page of all has no neighbours")

    descending = whole[::-1]
    equal(ids(listing(limit=100).data), descending, f"{what}: rule 68: the default order is `desc`")
    equal(ids(listing(limit=100, order="desc").data), descending, f"{what}: rule 68: `desc` is `asc` reversed")
    equal(ids(listing(limit=100, order="normal").data), descending, f"{what}: rule 68: `normal` descends")
    equal(ids(listing().data), descending[:10], f"{what}: rule 68: the default limit is 10")

    if len(whole) < 3:
        return
    size = (len(whole) + 2) // 3
    for order, sequence in (("asc", whole), ("desc", descending)):
        forward(f"{what}, {order}", lambda **page: listing(limit=size, order=order, **page), sequence)
        backward(f"{what}, {order}", lambda **page: listing(limit=size, order=order, **page), sequence)
        automatic = ids(listing(limit=size, order=order).auto_paging_iter())
        equal(automatic, sequence, f"{what}, {order}: rule 68: automatic paging")


def forward(what, listing, sequence):
    page, seen = listing(), []
    equal(page.before, None, f"{what}: rule 68: `before` of the first page")
    while page.data and len(seen) <= len(sequence):
        if seen:
            equal(page.before, page.data[0].id, f"{what}: rule 68: `before` is the id of the first item")
        seen += ids(page.data)
        if page.after is None:
            break
        equal(page.after, page.data[-1].id, f"{what}: rule 68: `after` is the id of the last item")
        page = listing(after=page.after)
    equal(seen, sequence, f"{what}: rule 68: forward by `after`")


def backward(what, listing, sequence):
    page, seen = listing(before=sequence[-1]), [sequence[-1]]
    while page.data and len(seen) <= len(sequence):
        seen = ids(page.data) + seen
        if page.before is None:
            break
        equal(page.before, page.data[0].id, f"{what}: rule 68: `before` is the id of the first item")
        page = listing(before=page.before)
    equal(seen, sequence, f"{what}: rule 68: backward by `before`")
