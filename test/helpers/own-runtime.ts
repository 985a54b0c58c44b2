/**
 * The runtime of the tests: any runtime with the files that the test commands compiled, or Node.js with tsx, for a file that
 * is run by hand. Tests start their programs in the same way.
 */
import { pathToFileURL } from 'node:url';
import { codePath, isCompiled } from './paths.js';

const { bun, deno } = process.versions;

/** `Bun 1.4.5`, for reasons. */
const runtimeTitle =
  deno !== undefined ? `Deno ${deno}` : bun !== undefined ? `Bun ${bun}` : `Node.js ${process.version}`;

/** The URL that programs import: of the source, or of its compiled form. */
export const libraryEntry = pathToFileURL(codePath('src/index.ts')).href;

/** The beginning of the module of a worker, wherever it is, so that it may import {@link libraryEntry}. */
export const workerPreamble = isCompiled
  ? ''
  : `import { register } from ${JSON.stringify(import.meta.resolve('tsx/esm/api'))}; register();`;

/**
 * Descriptors that a worker that loads an addon leaves open, whatever the addon does: Deno forgets an epoll instance and an
 * eventfd.
 */
export const fdsLeakedByWorker = deno === undefined ? 0 : 2;

/** How Node.js runs the code: traces name the sources in both ways. */
const nodeArguments = [...(isCompiled ? ['--enable-source-maps'] : ['--import', 'tsx']), '--expose-gc'];

/** The arguments with which this runtime runs the text of a module. `gc()` is available. */
export function moduleArguments(text: string): readonly string[] {
  if (deno !== undefined) return ['eval', '--v8-flags=--expose-gc', text];
  if (bun !== undefined) return ['--expose-gc', '--eval', text];
  return [...nodeArguments, '--input-type=module', '--eval', text];
}

/**
 * The arguments with which this runtime runs a program. `gc()` is available.
 *
 * @param file the source, relative to the project
 */
export function programArguments(file: string, ...args: readonly string[]): readonly string[] {
  if (deno !== undefined) return ['run', '--allow-all', '--v8-flags=--expose-gc', codePath(file), ...args];
  return [...(bun !== undefined ? ['--expose-gc'] : nodeArguments), codePath(file), ...args];
}

/** Why a test cannot run here, by runtime; `undefined` if it can. For what the runtime lacks, not for faults of busbar. */
export function missingInRuntime(reasons: { readonly bun?: string; readonly deno?: string }): string | undefined {
  const reason = deno !== undefined ? reasons.deno : bun !== undefined ? reasons.bun : undefined;
  return reason === undefined ? undefined : `${runtimeTitle}: ${reason}`;
}
