/**
 * The runtime of the tests: Node.js with tsx, or any runtime with the files that `scripts/runtimes.mjs` and others compiled
 * for it. Tests start their programs with the same one.
 */
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from './paths.js';

const { bun, deno } = process.versions;

/** `Bun 1.4.5`, for reasons. */
const runtimeTitle =
  deno !== undefined ? `Deno ${deno}` : bun !== undefined ? `Bun ${bun}` : `Node.js ${process.version}`;

/** The URL that programs import: of the source, or of its compiled form. */
export const libraryEntry = pathToFileURL(`${projectRoot}src/index${extname(import.meta.url)}`).href;

/** The beginning of the module of a worker, wherever it is, so that it may import {@link libraryEntry}. */
export const workerPreamble =
  extname(import.meta.url) === '.ts'
    ? `import { register } from ${JSON.stringify(import.meta.resolve('tsx/esm/api'))}; register();`
    : '';

/**
 * Descriptors that a worker that loads an addon leaves open, whatever the addon does: Deno forgets an epoll instance and an
 * eventfd.
 */
export const fdsLeakedByWorker = deno === undefined ? 0 : 2;

/** The arguments with which this runtime runs the text of a module. `gc()` is available. */
export function moduleArguments(text: string): readonly string[] {
  if (deno !== undefined) return ['eval', '--v8-flags=--expose-gc', text];
  if (bun !== undefined) return ['--expose-gc', '--eval', text];
  const sources = extname(import.meta.url) === '.ts' ? ['--import', 'tsx'] : [];
  return [...sources, '--expose-gc', '--input-type=module', '--eval', text];
}

/** Why a test cannot run here, by runtime; `undefined` if it can. For what the runtime lacks, not for faults of busbar. */
export function missingInRuntime(reasons: { readonly bun?: string; readonly deno?: string }): string | undefined {
  const reason = deno !== undefined ? reasons.deno : bun !== undefined ? reasons.bun : undefined;
  return reason === undefined ? undefined : `${runtimeTitle}: ${reason}`;
}
