// What all cases need: assertions that go on after a failure, and what every answer of the API has in common.

import { isDeepStrictEqual, inspect } from 'node:util';

const ULID = '[0-7][0-9A-HJKMNP-TV-Z]{25}';
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

export const report = { failures: [], assertions: 0, name: '' };

function fail(message) {
  report.failures.push(`${report.name}: ${message}`);
}

/** Runs a case; what it throws is a failure of it. */
export async function run(name, body, ...parameters) {
  report.name = name;
  try {
    await body(...parameters);
  } catch (error) {
    const place = /([^/]+\.mjs:\d+)/.exec(error.stack ?? '')?.[1] ?? '?';
    fail(`threw ${error.name} at ${place}: ${error.message} ${error.code ?? ''}`.replaceAll('\n', ' '));
  }
}

export function missing(name) {
  report.name = 'every method';
  fail(`${name} is never called`);
}

/** One assertion. */
export function expect(condition, message) {
  report.assertions += 1;
  if (!condition) fail(message);
}

/** One assertion on a value. */
export function equal(actual, expected, what) {
  const show = (value) => inspect(value, { depth: 5, breakLength: Infinity });
  expect(isDeepStrictEqual(actual, expected), `${what}: expected ${show(expected)}, got ${show(actual)}`);
}

/** The same elements, each as often, in any order. */
export function sameMembers(actual, expected, what) {
  equal([...actual].sort(), [...expected].sort(), what);
}

/** Ids are a prefix and a ULID. */
export function anId(value, prefix) {
  expect(new RegExp(`^${prefix}_${ULID}$`).test(value), `section 1.1: ${value} is no id of the form ${prefix}_ULID`);
}

/** Timestamps are in UTC with exactly three digits of milliseconds, in order, and recent. */
export function times(item) {
  for (const name of ['createdAt', 'updatedAt']) {
    const value = item[name];
    expect(typeof value === 'string' && TIME.test(value), `section 1.1: ${name} of ${item.id} is ${value}`);
    const age = Date.now() - Date.parse(value);
    // Folders and API servers keep whole seconds.
    expect(age > -2_000 && age < 600_000, `${name} of ${item.id} is ${value}, ${age} ms ago`);
  }
  expect(item.updatedAt >= item.createdAt, `${item.id} was updated before it was created`);
}

/** The call throws an exception of this name and status, with this code, or one of these; returns it. */
export async function refused(what, name, status, code, call) {
  let result;
  try {
    result = await call();
  } catch (error) {
    equal([error.name, error.status], [name, status], `${what}: the exception (${error.message})`);
    expect([code].flat().includes(error.code), `${what}: expected the code ${code}, got ${error.code} (${error.message})`);
    expect(typeof error.message === 'string' && error.message !== '', `${what}: a message`);
    expect(error.requestID, `${what}: rule 74: the request id`);
    return error;
  }
  expect(false, `${what}: expected ${name}, got ${inspect(result)}`);
  return undefined;
}

export const notFound = (what, call) => refused(what, 'NotFoundException', 404, 'entity_not_found', call);
export const invalid = (what, call, code = 'invalid_request_parameters') =>
  refused(what, 'UnprocessableEntityException', 422, code, call);
export const conflict = (what, code, call) => refused(what, 'ConflictException', 409, code, call);
export const badRequest = (what, code, call) => refused(what, 'GenericServerException', 400, code, call);

export const ids = (items) => items.map((item) => item.id);
export const slugs = (items) => items.map((item) => item.slug);

/** Rule 68, for any list: orders, cursors in both directions, and their ends. */
export async function pages(what, listing, expected) {
  const ascending = await listing({ limit: 100, order: 'asc' });
  const whole = ids(ascending.data);
  sameMembers(whole, expected, `${what}: what is listed`);
  const created = ascending.data.map((item) => Number(new Date(item.createdAt)));
  equal(created, [...created].sort((a, b) => a - b), `${what}: rule 68: \`asc\` sorts by creation`);
  const { before, after } = ascending.listMetadata;
  equal([before, after], [null, null], `${what}: rule 68: a page of all has no neighbours`);
  const descending = [...whole].reverse();
  equal(ids((await listing({ limit: 100 })).data), descending, `${what}: rule 68: the default order is \`desc\``);
  equal(ids((await listing({ limit: 100, order: 'desc' })).data), descending, `${what}: rule 68: \`desc\``);
  equal(ids((await listing({ limit: 100, order: 'normal' })).data), descending, `${what}: rule 68: \`normal\` descends`);
  equal(ids((await listing({})).data), descending.slice(0, 10), `${what}: rule 68: the default limit is 10`);
  equal(await (await listing({})).autoPagination().then(ids), descending, `${what}: rule 70: automatic paging`);

  if (whole.length < 3) return;
  const limit = Math.ceil(whole.length / 3);
  for (const [order, sequence] of [
    ['asc', whole],
    ['desc', descending],
  ]) {
    let page = await listing({ limit, order });
    equal(page.listMetadata.before, null, `${what}: rule 68: \`before\` of the first page`);
    let seen = ids(page.data);
    while (page.listMetadata.after !== null && seen.length <= sequence.length) {
      equal(page.listMetadata.after, seen.at(-1), `${what}: rule 68: \`after\` is the id of the last item`);
      page = await listing({ limit, order, after: page.listMetadata.after });
      equal(page.listMetadata.before, page.data[0]?.id, `${what}: rule 68: \`before\` is the id of the first item`);
      seen.push(...ids(page.data));
    }
    equal(seen, sequence, `${what}, ${order}: rule 68: forward by \`after\``);

    page = await listing({ limit, order, before: sequence.at(-1) });
    seen = [...ids(page.data), sequence.at(-1)];
    while (page.listMetadata.before !== null && seen.length <= sequence.length) {
      page = await listing({ limit, order, before: page.listMetadata.before });
      seen.unshift(...ids(page.data));
    }
    equal(seen, sequence, `${what}, ${order}: rule 68: backward by \`before\``);
  }
}
