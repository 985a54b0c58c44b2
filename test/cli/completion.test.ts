// time limit: 180 s
// The completion scripts in the shells that they are for.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, type MessageBus } from '../../src/index.js';
import { programArguments } from '../helpers/own-runtime.js';
import { missingPrograms } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { outputOf } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';
import { busbar, printed } from './command-line.js';
import { exportSample, sampleInterface, samplePath, serviceName } from './sample-service.js';

const test = suite('busbar completion');
const missing = (...programs: string[]) => PrivateBus.missing() ?? missingPrograms(...programs);

let daemon: PrivateBus;
let bus: MessageBus;
let folder: string;

/** A folder with the program `busbar` and the scripts. */
test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'busbar-completion-'));
  if (PrivateBus.missing() !== undefined) return;
  daemon = await PrivateBus.start();
  bus = await connect({ address: daemon.address });
  await exportSample(bus);
  const command = [process.execPath, ...programArguments('src/cli/main.ts')].map((word) => `'${word}'`).join(' ');
  // The loader is found from the folder of the project.
  writeFileSync(join(folder, 'busbar'), `#!/bin/sh\ncd '${process.cwd()}' && exec ${command} "$@"\n`);
  chmodSync(join(folder, 'busbar'), 0o755);
  for (const shell of ['bash', 'zsh', 'fish']) {
    writeFileSync(join(folder, `script.${shell}`), await printed(undefined, 'completion', shell));
  }
});

test.after(async () => {
  await bus?.close();
  await daemon?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What a shell offers for a line. */
type Offer = (line: string) => Promise<readonly string[]>;

const linesOf = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

const env = () => ({ ...daemon.env, PATH: `${folder}:${process.env.PATH}`, HOME: folder, TERM: 'dumb' });

/** The variables that readline sets, and the words as it splits them. */
const offerOfBash: Offer = async (line) => {
  const program = [
    `source '${folder}/script.bash'`,
    'compopt() { :; }',
    `COMP_LINE='${line}' COMP_POINT=\${#COMP_LINE} COMP_WORDS=(busbar)`,
    '_busbar',
    'printf "%s\\n" "${' + 'COMPREPLY[@]}"',
  ];
  return linesOf(await outputOf('bash', ['--norc', '-c', program.join('\n')], { env: env() }));
};

const offerOfFish: Offer = async (line) => {
  const program = `source '${folder}/script.fish'; complete -C '${line}'`;
  const text = await outputOf('fish', ['--no-config', '-c', program], { env: { ...env(), XDG_DATA_HOME: folder } });
  return linesOf(text).map((offered) => offered.split('\t')[0] as string);
};

/** A zsh in a pseudo-terminal, whose completion function prints what it would add. */
const offerOfZsh: Offer = async (line) => {
  const program = `
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell "PS1=; unsetopt zle_bracketed_paste 2>/dev/null; autoload -U compinit; compinit -u -d '${folder}/zcompdump'"
    zpty -w shell "source '${folder}/script.zsh'"
    zpty -w shell "_describe() { print -l; print -rl -- START \\\${(P)3} END; }"
    zpty -w shell "bindkey '^I' complete-word; print READY''NOW"
    zpty -r -m shell text '*READYNOW*' || exit 1
    zpty -w -n shell $'${line}\\t'
    zpty -r -m shell text '*START*END*' || exit 1
    print -r -- "$text"
    zpty -d shell`;
  const text = await outputOf('zsh', ['-f', '-c', program], { env: env() });
  const offered = linesOf(text.replaceAll('\r', ''));
  const values = offered.slice(offered.lastIndexOf('START') + 1, offered.lastIndexOf('END'));
  return values.map((value) => value.replaceAll('\\:', '\0').split(':')[0]?.replaceAll('\0', ':') ?? '');
};

for (const [shell, offer] of [
  ['bash', offerOfBash],
  ['zsh', offerOfZsh],
  ['fish', offerOfFish],
] as const) {
  testUnless(missing(shell), test, `${shell} completes commands, options, names, paths and members`, async () => {
    const sorted = async (line: string) => [...(await offer(line))].sort();
    assert.equal(await sorted('busbar intro'), ['introspect']);
    assert.equal(await sorted('busbar call --no-r'), ['--no-reply']);
    assert.equal(await sorted('busbar call org.example.Sam'), [serviceName]);
    const paths = [samplePath, `${samplePath}/a`, `${samplePath}/b`];
    assert.equal(await sorted(`busbar call ${serviceName} /`), paths);
    assert.equal(await sorted(`busbar call ${serviceName} ${samplePath} Te`), ['Text']);
    assert.equal(await sorted(`busbar call ${serviceName} ${samplePath} ${sampleInterface} Ne`), ['Never']);
    assert.equal(await sorted(`busbar get ${serviceName} ${samplePath} Fix`), ['Fixed']);
    assert.equal(await sorted(`busbar set ${serviceName} ${samplePath} dash`), ['dash-name']);
  });
}

testUnless(
  missing('bash'),
  test,
  'bash completes unique names, whose colon it takes for the end of a word',
  async () => {
    const unique = bus.uniqueName as string;
    assert.equal(
      await offerOfBash(`busbar tree ${unique.slice(0, -1)}`).then((all) => all.includes(unique.slice(1))),
      true,
    );
  },
);

testUnless(
  missing(),
  test,
  'a bus that is not there, and a wrong word, complete to nothing without an error',
  async () => {
    for (const words of [
      ['--', '--address', 'unix:path=/nonexistent', 'call', ''],
      ['--', 'call', 'org.example.Nothing', '/'],
      ['--', 'nonsense', 'a', ''],
      ['--line', "busbar call 'unfinished"],
    ]) {
      const { code, stdout, stderr } = await busbar(daemon, ['__complete', ...words]);
      assert.equal([code, stdout, stderr], [0, '', '']);
    }
  },
);

test.run();
