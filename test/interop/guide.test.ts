/**
 * The programs of the guide and the reference are compiled, run unchanged, and print the output on the page. The programs
 * of a page run on one private bus, in the order of the page: each starts when the previous one has ended, or has printed
 * its first line. Programs that still run when all output is complete are services, and are stopped.
 * time limit: 600 s
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect } from '../../src/index.js';
import {
  type DocumentedFile,
  documentedFiles,
  fencedBlocks,
  outputPattern,
  unnamedPrograms,
  writeFiles,
} from '../helpers/documented-programs.js';
import { programArguments } from '../helpers/own-runtime.js';
import { projectRoot } from '../helpers/paths.js';
import { PrivateBus, type PrivateBusOptions } from '../helpers/private-bus.js';
import { FOREVER, Program, run } from '../helpers/program.js';

/** Milliseconds that a program has to print its output. */
const PATIENCE = 20_000;

/** The number of characters of a line of code that a page of the site shows without scrolling, on a desktop. */
const COLUMNS = 100;

const docs = join(projectRoot, 'docs');
const guidePages = pagesIn('guide');
/** Pages of the guide by their names, pages of the reference with the folder. */
const pages = [...guidePages, ...pagesIn('reference').map((name) => `reference/${name}`)];

function pagesIn(folder: string): string[] {
  return readdirSync(join(docs, folder)).filter((name) => name.endsWith('.md'));
}

function markdownOf(page: string): string {
  return readFileSync(join(docs, page.includes('/') ? page : `guide/${page}`), 'utf8');
}

// Within the project, so that `busbar` is the package itself; a separate folder, because the other transport is tested too.
mkdirSync(join(projectRoot, 'build'), { recursive: true });
const build = mkdtempSync(join(projectRoot, 'build', 'guide-'));
const test = suite('guide');

test.after(() => rmSync(build, { recursive: true, force: true }));

/** The folder with the files of a page. */
function folderOf(page: string): string {
  return join(build, page.replace(/\.md$/, ''));
}

for (const page of pages) writeFiles(folderOf(page), documentedFiles(markdownOf(page)));

test('every page is in the list of the guide', () => {
  const listed = [...markdownOf('README.md').matchAll(/^\d+\. \[[^\]]*\]\(([\w-]+\.md)\)/gm)].map(
    ([, name]) => name as string,
  );
  assert.equal([...listed, 'README.md'].sort(), [...guidePages].sort());
});

test('every example in TypeScript or JavaScript is a file, so that all are tested', () => {
  for (const page of pages)
    assert.equal(unnamedPrograms(markdownOf(page)), [], `${page}: the lines of blocks without a name`);
});

test('no line of code is longer than the site is wide', () => {
  for (const page of pages) {
    const long = fencedBlocks(markdownOf(page))
      .filter(({ language }) => language !== 'text')
      .flatMap(({ text }) => text.split('\n').filter((line) => line.length > COLUMNS));
    assert.equal(long, [], page);
  }
});

test('everything compiles', async () => {
  const projects = pages.flatMap((page) => projectsOf(folderOf(page), documentedFiles(markdownOf(page))));
  assert.ok(projects.length > 0);
  for (const project of projects) {
    const { code, stdout } = await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project]);
    assert.is(code, 0, stdout);
  }
});

/** The requirements of the README for a project that uses busbar, and strict. */
const compilerOptions = {
  target: 'es2022',
  module: 'nodenext',
  types: [],
  strict: true,
  noEmit: true,
};

/** The configurations of a page's folders: the page's own if it shows one. */
function projectsOf(folder: string, files: readonly DocumentedFile[]): string[] {
  const folders = new Set(
    files.filter(({ name }) => name.endsWith('.ts')).map(({ name }) => dirname(join(folder, name))),
  );
  return [...folders].map((path) => {
    const shown = join(path, 'tsconfig.json');
    const own: { compilerOptions?: object } = existsSync(shown)
      ? JSON.parse(withoutComment(readFileSync(shown, 'utf8')))
      : {};
    const project = join(path, 'tsconfig.checked.json');
    writeFileSync(
      project,
      JSON.stringify({ compilerOptions: { ...compilerOptions, ...own.compilerOptions }, include: ['*.ts'] }),
    );
    return project;
  });
}

/** The first line has the name of the file. */
function withoutComment(text: string): string {
  return text.slice(text.indexOf('\n'));
}

for (const page of pages) {
  const files = documentedFiles(markdownOf(page));
  const programs = files.filter(({ output }) => output !== undefined);
  if (programs.length === 0) continue;
  test(`the programs of ${page} print what it shows`, async () => {
    await using daemon = await PrivateBus.start(busFor(page, files));
    await using _desktop = desktopPages.includes(page) ? await startDesktop(daemon.env) : undefined;
    const started: Started[] = [];
    try {
      for (const file of programs) started.push(await start(page, file, daemon.env));
      for (const each of started) await printed(page, each);
    } finally {
      for (const { program } of started) await program.stop().catch(() => {});
    }
  });
}

/** If a page shows a policy or an activation file, the bus has it. */
function busFor(page: string, files: readonly DocumentedFile[]): PrivateBusOptions {
  const policy = files.find(({ name }) => name.endsWith('.conf'));
  const hasServiceFile = files.some(({ name }) => name.endsWith('.service'));
  return {
    // On the page root may own the name; here it is the user of the tests.
    ...(policy && { type: 'system', policy: policy.text.replace('user="root"', `user="${userInfo().username}"`) }),
    ...(hasServiceFile && { serviceFolder: serviceFolderOf(page, files) }),
  };
}

/** The activation files of a page, with the path of the program in the test instead of that of an installation. */
function serviceFolderOf(page: string, files: readonly DocumentedFile[]): string {
  const folder = join(folderOf(page), 'services');
  mkdirSync(folder);
  for (const { name, text } of files.filter((file) => file.name.endsWith('.service'))) {
    const here = text.replace('/usr/bin/node', process.execPath).replace('/opt/example', folderOf(page));
    writeFileSync(join(folder, name), here);
  }
  return folder;
}

/** Pages whose programs are clients of services of a desktop. */
const desktopPages = ['recipes.md', 'ready-interfaces.md'];

/** The services that they call. */
async function startDesktop(env: PrivateBus['env']): Promise<Program> {
  const desktop = Program.start(process.execPath, programArguments('test/interop/desktop.ts'), {
    env,
    timeLimit: FOREVER,
  });
  await desktop.line('ready');
  return desktop;
}

interface Started {
  readonly file: DocumentedFile;
  readonly program: Program;
}

/** Starts a program; resolves when it has ended, or has printed its first line. */
async function start(page: string, file: DocumentedFile, env: PrivateBus['env']): Promise<Started> {
  const path = join(folderOf(page), file.name);
  // From its own folder, so that its own tsconfig.json is used.
  const cwd = dirname(path);
  const program = Program.start(process.execPath, ['--import', 'tsx', path], { env, cwd, timeLimit: 60_000 });
  await Promise.race([program.line(/^/).catch(() => {}), program.finished]);
  return { file, program };
}

for (const how of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL', 'process.exit', 'stop and its end', 'its end'] as const) {
  test(`the bus that testing.md starts ends with ${how} of its process`, async () => {
    const helper = JSON.stringify(pathToFileURL(join(folderOf('testing.md'), 'private-bus.ts')).href);
    const script = `
      import { startBus } from ${helper};
      const { address, stop } = await startBus();
      console.log(address);
      ${how.startsWith('SIG') ? 'setInterval(() => {}, 1000);' : ''}
      ${how === 'process.exit' ? 'process.exit();' : how.startsWith('stop') ? 'stop();' : ''}
    `;
    const program = Program.start(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script]);
    const address = await program.line(/^unix:/);
    if (how.startsWith('SIG')) {
      await (await connect({ address })).close();
      program.kill(how as NodeJS.Signals);
    }
    await program.finished;
    for (let waited = 0; waited < PATIENCE; waited += 50) {
      const bus = await connect({ address }).catch(() => undefined);
      if (bus === undefined) return;
      await bus.close();
      await delay(50);
    }
    assert.unreachable('the bus is still there');
  });
}

async function printed(page: string, { file, program }: Started): Promise<void> {
  const expected = file.output ?? '';
  const pattern = outputPattern(expected);
  for (let waited = 0; program.running && !pattern.test(program.stdout) && waited < PATIENCE; waited += 50)
    await delay(50);
  const place = `${page}:${file.line} ${file.name}`;
  if (!pattern.test(program.stdout))
    assert.is(program.stdout, expected, `${place} prints\n${program.stdout}${program.stderr}`);
  if (program.running) return;
  const { code, stderr } = await program.finished;
  assert.is(code, 0, `${place} ends with ${code}: ${stderr}`);
}

test.run();
