/**
 * Helpers for tests of settling: the members of an object, and whether the promises and iterators that they return settle.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { projectRoot } from './paths.js';
import { patience } from './patience.js';

/** Members that the documentation hides, or that only subclasses see. */
function internalNames(files: readonly string[]): ReadonlySet<string> {
  const names = new Set(['constructor', 'Symbol(nodejs.util.inspect.custom)']);
  for (const file of ['base/handle.ts', ...files]) {
    const text = readFileSync(join(projectRoot, 'src', file), 'utf8');
    const member = String.raw`(?:(?:abstract|override|async|readonly|get|set|static)\s+)*(\w+)(?=[(<:=;?!]| =)`;
    const hidden = new RegExp(String.raw`@internal(?:(?!\*/)[^])*\*/\n {2}(?:protected\s+)?${member}`, 'g');
    for (const [, name] of text.matchAll(hidden)) names.add(name as string);
    for (const [, name = ''] of text.matchAll(new RegExp(String.raw`^ {2}protected\s+${member}`, 'gm'))) {
      // Another class of the file may have a public member of that name.
      if (!new RegExp(String.raw`^ {2}(?:readonly |get )?${name}\b`, 'm').test(text)) names.add(name);
    }
  }
  return names;
}

/** Node.js 20 has other names for the symbols of disposal. */
function nameOf(key: string | symbol): string {
  return String(key).replace('nodejs.', 'Symbol.').replace('Symbol.util.', 'nodejs.util.');
}

/** The readable members of an object, by its own source files. */
export function publicMembers(object: object, files: readonly string[]): string[] {
  const internal = internalNames(files);
  const names = new Set<string>();
  for (let each = object; each !== null && each !== Object.prototype; each = Object.getPrototypeOf(each)) {
    for (const key of Reflect.ownKeys(each)) {
      // The names of other libraries only say what to use instead.
      if (Object.getOwnPropertyDescriptor(each, key)?.get?.name !== 'successor') names.add(nameOf(key));
    }
  }
  return [...names].filter((name) => !internal.has(name)).sort();
}

/** Fails with the name of the first promise that neither resolves nor rejects. */
export async function allSettle(promises: ReadonlyMap<string, Promise<unknown>>): Promise<void> {
  for (const [what, promise] of promises) {
    const settled = promise.then(
      () => true,
      () => true,
    );
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, 10_000 * patience, false);
    });
    assert.ok(await Promise.race([settled, late]), `${what} does not settle`);
    clearTimeout(timer);
  }
}
