/** All commands, in the order of the help. */
import type { Command } from './command.js';
import { diff } from './commands/diff.js';
import { generate } from './commands/generate.js';
import { list } from './commands/list.js';

export const commands: readonly Command[] = [list, generate, diff];
