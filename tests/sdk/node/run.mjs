// Runs the official Node SDK against a server.
//
//     node run.mjs [CASE...]
//
// BAILIWICK_URL: the server, such as http://127.0.0.1:8080. BAILIWICK_SDKS: the folder that hack/sdks prints.
//
// One line for each failed assertion, and an exit code other than 0 where there is any.

import * as assignments from './cases/assignments.mjs';
import * as encoding from './cases/encoding.mjs';
import * as organizations from './cases/organizations.mjs';
import * as resources from './cases/resources.mjs';
import * as story from './cases/story.mjs';
import * as vocabulary from './cases/vocabulary.mjs';
import { missing, report, run } from './support.mjs';
import { version } from './sdk.mjs';
import { World } from './world.mjs';

const files = { story, organizations, vocabulary, resources, assignments, encoding };

// What all cases together must have called: every method of these, and of the others what concerns authorization.
const complete = ['authorization', 'groups'];
const others = {
  organizations: [
    'listOrganizations',
    'createOrganization',
    'getOrganization',
    'getOrganizationByExternalId',
    'updateOrganization',
    'deleteOrganization',
  ],
  userManagement: [
    'listOrganizationMemberships',
    'createOrganizationMembership',
    'getOrganizationMembership',
    'updateOrganizationMembership',
    'deleteOrganizationMembership',
    'deactivateOrganizationMembership',
    'reactivateOrganizationMembership',
    'listGroupsForOrganizationMembership',
  ],
};

/** Notes which methods are called; returns those that never were. */
function record(client) {
  const left = new Set();
  const wanted = { ...Object.fromEntries(complete.map((name) => [name, methods(client[name])])), ...others };
  for (const [accessor, names] of Object.entries(wanted)) {
    for (const name of names) {
      const method = client[accessor][name];
      left.add(`${accessor}.${name}`);
      client[accessor][name] = function (...parameters) {
        left.delete(`${accessor}.${name}`);
        return method.apply(this, parameters);
      };
    }
  }
  return left;
}

function methods(service) {
  return Object.getOwnPropertyNames(Object.getPrototypeOf(service)).filter((name) => name !== 'constructor');
}

const wanted = process.argv.slice(2);
const world = new World(process.env.BAILIWICK_URL);
const uncalled = record(world.client);
const begin = Date.now();
for (const [file, { cases }] of Object.entries(files)) {
  for (const [name, body] of Object.entries(cases)) {
    const full = `${file}.${name}`;
    if (wanted.length === 0 || wanted.some((text) => full.includes(text))) await run(full, body, world);
  }
}
if (wanted.length === 0) [...uncalled].sort().forEach(missing);
for (const failure of report.failures) console.log(`FAILED ${failure}`);
const seconds = ((Date.now() - begin) / 1000).toFixed(1);
console.log(`@workos-inc/node ${version}: ${report.assertions} assertions, ${report.failures.length} failures, ${seconds} s`);
process.exitCode = report.failures.length > 0 ? 1 : 0;
