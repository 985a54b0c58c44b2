/**
 * Every `@example` of the reference compiles, and runs on a real bus without an error. `example-surroundings.ts` has the
 * context that examples assume.
 * time limit: 120 s
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fencedBlocks } from '../helpers/documented-programs.js';
import { projectRoot } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { run } from '../helpers/program.js';

const source = join(projectRoot, 'src');

// Within the project, so that `busbar` is found.
mkdirSync(join(projectRoot, 'build'), { recursive: true });
const folder = mkdtempSync(join(projectRoot, 'build', 'examples-'));
const socket = join(folder, 'socket');
const test = suite('the examples of the reference');

test.after(() => rmSync(folder, { recursive: true, force: true }));

interface Example {
  /** The file of the program, named after the place of the example. */
  readonly file: string;
  readonly text: string;
}

const examples = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .flatMap(examplesIn);

function examplesIn(name: string): Example[] {
  const comments = readFileSync(join(source, name), 'utf8').match(/\/\*\*[\s\S]*?\*\//g) ?? [];
  const texts = comments.flatMap((comment) => {
    const example = comment.replace(/^ *\* ?/gm, '').split('@example')[1] ?? '';
    return fencedBlocks(example).map(({ text }) => text);
  });
  return texts.map((text, index) => ({ file: `${name.replaceAll(/[/.]/g, '-')}-${index}.ts`, text }));
}

/** The imports of the examples, in one place: each example uses some of them. */
const imports = `
import diagnosticsChannel from 'node:diagnostics_channel';
import { openSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import {
  type AnyProxy, arrayOf, type CallContext, type ConnectionEvent, connect, defineInterface, dict, type Emits, FileDescriptor, implement, inheritedSockets,
  interfaceDifferences, introspectionXml, keepTypes, listen, method, pair, parseIntrospection, parseSignature, pathEscape, pathUnescape, pipe,
  type ProxyOf, property, registerError, serve, ServiceInterface, sessionBus, signal, standard, structOf, systemBus, type,
  variant, writePcap,
} from 'busbar';
import { currentCall } from 'busbar/current-call';
`;

/** An example as a program: members are put into a class, statements into a block, where they may shadow outer names. */
function programOf(text: string): string {
  const code = text.replace('/run/example/socket', socket);
  const surroundings = ['bus', 'files', 'path', 'Module', 'TestModule'];
  if (/^@/.test(code)) {
    return `${imports}
      export class Example extends ServiceInterface {
        constructor() { super('org.example.dbustest.Module'); }
        ${code}
      }
      new Example();`;
  }
  if (/^(export|declare)/.test(code)) return `${imports}\n${code}`;
  return `${imports}
    import { ${surroundings.join(', ')} } from '../../test/interop/example-surroundings.js';
    {
      ${code}
    }`;
}

/** The file that one example reads. */
const introspection = `<node><interface name="org.example.dbustest.Module"><method name="TestMethod">
  <arg type="s" direction="in"/><arg type="a{sas}" direction="in"/><arg type="s" direction="out"/>
</method></interface></node>`;

/** Examples that run for ever are started first and not awaited. */
function mainOf(all: readonly Example[]): string {
  const isServer = ({ text }: Example) => text.includes('for await');
  return `
    import { existsSync } from 'node:fs';
    import { setTimeout as delay } from 'node:timers/promises';
    ${all
      .filter(isServer)
      .map(({ file }) => `import('./${file}');`)
      .join('\n')}
    while (!existsSync('${socket}')) await delay(10);
    ${all
      .filter((example) => !isServer(example))
      .map(({ file }) => `await import('./${file}');\nconsole.log('${file}');`)
      .join('\n')}
    process.exit(0);`;
}

for (const { file, text } of examples) writeFileSync(join(folder, file), programOf(text));
writeFileSync(join(folder, 'main.ts'), mainOf(examples));

test('every example compiles', async () => {
  assert.ok(examples.length >= 20, `${examples.length} examples were found`);
  const compilerOptions = { noUnusedLocals: false, allowImportingTsExtensions: true, verbatimModuleSyntax: false };
  const project = join(folder, 'tsconfig.json');
  writeFileSync(project, JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'] }));
  const { code, stdout } = await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project]);
  assert.is(code, 0, stdout);
});

test('every example runs', async () => {
  await using daemon = await PrivateBus.start();
  writeFileSync(join(folder, 'org.example.dbustest.xml'), introspection);
  const { code, stdout, stderr } = await run(process.execPath, ['--import', 'tsx', join(folder, 'main.ts')], {
    env: { ...daemon.env, DBUS_SYSTEM_BUS_ADDRESS: daemon.address },
    cwd: folder,
  });
  assert.is(stderr, '');
  assert.is(code, 0, stdout);
});

test.run();
