// Each failure is evident from `NODE_DEBUG=busbar` alone: the event, its connection or call, and the reason.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { moduleArguments } from '../helpers/own-runtime.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { run } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';
import { failures } from './traced-failures.js';

const test = suite('traces');
const missing = PrivateBus.missing();

/** The lines of the trace, by the failure that was caused. */
async function traces(): Promise<ReadonlyMap<string, readonly string[]>> {
  const script = `
    import { failures } from ${JSON.stringify(import.meta.resolve('./traced-failures.js'))};
    for (const [name, { happen }] of Object.entries(failures)) {
      console.error('== ' + name);
      await happen();
    }
  `;
  // One of the failures is that no descriptors are left: a low limit is reached sooner.
  const args = ['-c', 'ulimit -n 400; exec "$@"', 'sh', process.execPath, ...moduleArguments(script)];
  const { code, stderr } = await run('/bin/sh', args, { env: { NODE_DEBUG: 'busbar' }, timeLimit: 100_000 });
  assert.is(code, 0, stderr);
  const sections = stderr.split(/^== /m).slice(1);
  return new Map(
    sections.map((section) => {
      const [name = '', ...lines] = section.split('\n');
      return [name, lines.map((line) => line.replace(/^BUSBAR \d+: /, ''))];
    }),
  );
}

const told = missing === undefined ? await traces() : new Map<string, readonly string[]>();

for (const [name, { says }] of Object.entries(failures)) {
  testUnless(missing, test, name, () => {
    const lines = told.get(name) ?? [];
    for (const pattern of says) {
      assert.ok(
        lines.some((line) => pattern.test(line)),
        `${pattern} is not in:\n${lines.join('\n')}`,
      );
    }
  });
}

test.run();
