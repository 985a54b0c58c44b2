/** The pollers of this runtime. */
import type { PollerKind } from '../../src/native/binding.js';

const { bun, deno } = process.versions;

export const pollerKinds: readonly PollerKind[] =
  bun !== undefined || deno !== undefined ? ['thread'] : ['uv', 'thread'];
