/**
 * Editors with the newest TypeScript: its language server answers over standard input and output. Names of arguments are
 * shown, and the labels of generated definitions. Documentation is not asked for: TypeScript 7.0 shows none for a property
 * of a mapped type, not even of `{ [Name in keyof T]: T[Name] }`, and the members of proxies are such properties.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { versionOf } from './compilers.mjs';
import { placeOf, program } from './editors.mjs';
import { installedProject } from './installed.mjs';

const TUNE = '(station: string, volume: number, options: WrittenDictionary<unknown>)';
const hovers = {
  'lamp.call.Dim': 'Dim: (room: string, level: number) => Promise<string>',
  'radio.call.Tune': `Tune: ${TUNE} => Promise<[name: string, level: number]>`,
  'radio.on.Tuned': 'Tuned: (listener: (station: string, strength: number) => unknown) => Subscription',
  'radio.once.Tuned': 'Tuned: Once<[station: string, strength: number]>',
  'radio.get.Volume': 'Volume: () => Promise<number>',
};
const helps = {
  'radio.call.Tune(': `Tune${TUNE}: Promise<`,
  'radio.on.Tuned(': 'Tuned(listener: (station: string, strength: number) => unknown): Subscription',
};

/**
 * Queries the language server, and returns how many answers were right.
 *
 * @param folder a new one below the project
 * @param compiler the package.json of a TypeScript 7
 */
export async function checkLanguageServer(folder, compiler) {
  installedProject(folder, { 'program.ts': program }, { noErrorTruncation: true });
  const uri = pathToFileURL(join(folder, 'program.ts')).href;
  const server = new LanguageServer(join(dirname(compiler), 'bin/tsc'));
  const outcome = { passed: 0, failed: 0 };
  const check = (what, found, expected) => {
    outcome[found.includes(expected) ? 'passed' : 'failed']++;
    if (!found.includes(expected)) console.log(`${what}: expected ${expected}, found ${found}`);
  };
  const rootUri = pathToFileURL(folder).href;
  await server.request('initialize', { processId: process.pid, rootUri, capabilities: {} });
  server.notify('initialized', {});
  server.notify('textDocument/didOpen', {
    textDocument: { uri, languageId: 'typescript', version: 1, text: program },
  });
  const at = (method, index) => {
    const lines = program.slice(0, index).split('\n');
    const position = { line: lines.length - 1, character: lines.at(-1).length };
    return server.request(`textDocument/${method}`, { textDocument: { uri }, position });
  };
  for (const [asked, expected] of Object.entries(hovers)) {
    check(`hover of ${asked}`, JSON.stringify(await at('hover', placeOf(asked))), expected);
  }
  for (const [asked, expected] of Object.entries(helps)) {
    const { signatures = [] } = (await at('signatureHelp', placeOf(asked) + 1)) ?? {};
    check(`parameters while ${asked} is written`, signatures.map(({ label }) => label).join('\n'), expected);
  }
  await server.end();
  console.log(`language server, TypeScript ${versionOf(compiler)}: ${outcome.passed} passed, ${outcome.failed} failed`);
  return outcome;
}

/** A process that speaks the Language Server Protocol. */
class LanguageServer {
  #process;
  #received = Buffer.alloc(0);
  #lastId = 0;
  #waiting = new Map();

  constructor(tsc) {
    this.#process = spawn(process.execPath, [tsc, '--lsp', '--stdio'], { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#process.stdout.on('data', (chunk) => this.#read(chunk));
    this.#process.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the language server has ended'));
    });
  }

  request(method, params) {
    const id = ++this.#lastId;
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#send({ id, method, params });
    return answer;
  }

  notify(method, params) {
    this.#send({ method, params });
  }

  async end() {
    await this.request('shutdown');
    const exited = once(this.#process, 'exit');
    this.notify('exit');
    await exited;
  }

  #send(message) {
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }));
    this.#process.stdin.write(Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]));
  }

  #read(chunk) {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      const start = this.#received.indexOf('\r\n\r\n') + 4;
      if (start < 4) return;
      const end = start + Number(/Content-Length: (\d+)/i.exec(this.#received.toString('latin1', 0, start))[1]);
      if (this.#received.length < end) return;
      this.#take(JSON.parse(this.#received.toString('utf8', start, end)));
      this.#received = this.#received.subarray(end);
    }
  }

  #take({ id, method, params, result, error }) {
    if (method !== undefined) {
      // The server asks for settings, of which there are none.
      if (id !== undefined) this.#send({ id, result: params?.items?.map(() => null) ?? null });
      return;
    }
    const { resolve, reject } = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) resolve(result);
    else reject(new Error(error.message));
  }
}
