/** All commands, in the order of the help. */
import type { Command } from './command.js';
import { call } from './commands/call.js';
import { completion } from './commands/completion.js';
import { diff } from './commands/diff.js';
import { doctor } from './commands/doctor.js';
import { emit } from './commands/emit.js';
import { generate } from './commands/generate.js';
import { get } from './commands/get.js';
import { introspect } from './commands/introspect.js';
import { list } from './commands/list.js';
import { monitor } from './commands/monitor.js';
import { set } from './commands/set.js';
import { tree } from './commands/tree.js';

// biome-ignore format: a line for each command
export const commands: readonly Command[] = [
  list,
  tree,
  introspect,
  call,
  get,
  set,
  emit,
  monitor,
  generate,
  diff,
  doctor,
  completion,
];
