// The SDK, from the folder that hack/sdks prints: import declarations only look beside the file that has them.

import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.BAILIWICK_SDKS, 'node', 'package.json'));

export const sdk = require('@workos-inc/node');
export const version = require('@workos-inc/node/package.json').version;
