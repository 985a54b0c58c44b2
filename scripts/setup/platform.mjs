/** Whether busbar can run here at all: Linux, and a Node.js that package.json allows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, SetupError } from './report.mjs';

export function checkPlatform() {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const least = engines.node.replace('>=', '');
  if (isOlder(process.versions.node, least)) {
    throw new SetupError(
      `busbar needs Node.js ${least} or newer, and this is ${process.versions.node}: https://nodejs.org/`,
    );
  }
  if (process.platform !== 'linux') {
    throw new SetupError(
      `busbar speaks to D-Bus through sd-bus, which exists on Linux only, and this is ${process.platform}. ` +
        'A container will do: docker run --rm -it -v "$PWD":/busbar -w /busbar node:22 npm start',
    );
  }
}

function isOlder(version, least) {
  const numbers = (text) => text.split('.').map(Number);
  const [have, want] = [numbers(version), numbers(least)];
  const differing = want.findIndex((number, i) => number !== (have[i] || 0));
  return differing >= 0 && (have[differing] || 0) < want[differing];
}
