// The help of every command is on the page of the guide, word for word: `npm run docs:screens` writes it there.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { commands } from '../../src/cli/commands.js';
import { commonOptions } from '../../src/cli/common-options.js';
import { projectRoot } from '../helpers/paths.js';
import { printed } from './command-line.js';

const test = suite('busbar: help');
const page = readFileSync(join(projectRoot, 'docs/guide/command-line.md'), 'utf8');

test('the page of the guide has the help of every command, and the options of all', async () => {
  for (const { name, examples } of commands) {
    const help = await printed(undefined, name, '--help');
    const own = help.replace(/\nGlobal Options:\n(.+\n)+/, '').trimEnd();
    assert.ok(page.includes(`<!-- help ${name} -->\n\`\`\`text\n${own}\n\`\`\``), `${name}: npm run docs:screens`);
    assert.ok(examples.length > 0, name);
  }
  for (const { flags, docs } of commonOptions) {
    assert.ok(
      page.split('\n').some((line) => line.startsWith(flags) && line.endsWith(` ${docs}`)),
      flags,
    );
  }
});

test('busbar without a command shows all commands', async () => {
  const help = await printed(undefined);
  for (const { name, summary } of commands) assert.match(help, new RegExp(`\\n  ${name} +\\S`), summary);
});

test.run();
