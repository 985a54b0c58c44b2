/**
 * Random edits of a value in two forms: plain, as it is read with `variants: 'keep'`, and with its variants, which is the
 * model. What an edit does to the types follows from the guide alone.
 */
import fc from 'fast-check';
import { Variant, variant } from '../../src/values/variant.js';
import { valueOfType } from './arbitrary-bodies.js';

/** An edit: what it does, and numbers that choose where, with what. */
export interface Edit {
  readonly kind: 'replace' | 'add' | 'remove' | 'copy' | 'move' | 'append' | 'reverse';
  readonly where: number;
  readonly which: number;
  readonly seed: number;
}

export const edits: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom('replace', 'add', 'remove', 'copy', 'move', 'append', 'reverse'),
  where: fc.nat(1000),
  which: fc.nat(1000),
  seed: fc.nat(),
});

type Container = unknown[] | Map<unknown, unknown> | Record<string, unknown>;

/** A container in both forms. */
interface Pair {
  readonly plain: Container;
  readonly typed: Container;
}

/** What was read of a container: the variants, and the containers, by key. */
interface Read {
  readonly variants: ReadonlyMap<unknown, Variant>;
  readonly inner: ReadonlyMap<unknown, Container>;
  readonly size: number;
}

const isContainer = (value: unknown): value is Container =>
  typeof value === 'object' && value !== null && !ArrayBuffer.isView(value);

function opened(value: unknown): unknown {
  return Variant.isVariant(value) ? opened(value.value) : value;
}

function entriesOf(container: Container): [unknown, unknown][] {
  return Array.isArray(container)
    ? [...container.entries()]
    : container instanceof Map
      ? [...container]
      : Object.entries(container);
}

function put(container: Container, key: unknown, value: unknown): void {
  if (container instanceof Map) container.set(key, value);
  else Object.defineProperty(container, key as string, { value, writable: true, enumerable: true, configurable: true });
}

function remove(container: Container, key: unknown): void {
  if (container instanceof Map) container.delete(key);
  else if (!Array.isArray(container)) Reflect.deleteProperty(container, key as string);
}

function copyOf(container: Container): Container {
  if (Array.isArray(container)) return [...container];
  return container instanceof Map ? new Map(container) : Object.fromEntries(Object.entries(container));
}

/** The same variants around another value. */
function around(typed: unknown, content: unknown): unknown {
  if (!Variant.isVariant(typed)) return content;
  return new Variant(typed.signature, around(typed.value, content) as never);
}

function innermost({ signature, value }: Variant): string {
  return signature === 'v' ? innermost(value as Variant) : signature;
}

/** What a variant with this plain value is written as by default. */
const defaults = [
  ['text', variant.s('text')],
  [7, variant.i(7)],
  [-0.5, variant.d(-0.5)],
  [9n, variant.x(9n)],
  [true, variant.b(true)],
  [['a'], variant.as(['a'])],
] as const;

export class EditedValue {
  /** A container around the value, so that the value itself can be replaced. */
  readonly #root: Pair;
  readonly #read = new Map<Container, Read>();
  /** Arrays with an element that was copied: its types are found by its index. */
  readonly #fixed = new Set<Container>();

  /** How many edits of each kind were made. */
  readonly #made: Map<Edit['kind'], number>;

  constructor(plain: unknown, typed: unknown, made: Map<Edit['kind'], number>) {
    this.#made = made;
    this.#root = { plain: plain as Container, typed: typed as Container };
    for (const pair of this.#pairs()) this.#record(pair);
  }

  get plain(): unknown {
    return this.#root.plain;
  }

  get typed(): unknown {
    return this.#root.typed;
  }

  /** Makes an edit, if it is possible at its place. */
  edit({ kind, where, which, seed }: Edit): void {
    const pairs = this.#pairs();
    const pair = pairs[where % pairs.length] as Pair;
    const entries = entriesOf(pair.plain);
    const [key, content] = entries[which % Math.max(entries.length, 1)] ?? [];
    switch (kind) {
      case 'replace':
        if (entries.length > 0) this.#replace(pair, key, seed);
        break;
      case 'add':
        this.#add(pair, seed);
        break;
      case 'remove':
        if (entries.length > 0) {
          remove(pair.plain, key);
          remove(pair.typed, key);
          this.#count('remove');
        }
        break;
      case 'copy':
        if (entries.length > 0) this.#copy(pair, key, content);
        break;
      case 'move':
        if (entries.length > 0) this.#move(pair, pairs[seed % pairs.length] as Pair, key, content);
        break;
      case 'append':
        this.#append(pair, seed);
        break;
      default:
        this.#reverse(pair);
    }
  }

  #count(kind: Edit['kind']): void {
    this.#made.set(kind, (this.#made.get(kind) ?? 0) + 1);
  }

  #pairs(): Pair[] {
    const found: Pair[] = [];
    const seen = new Set<Container>();
    const visit = (plain: unknown, typed: unknown): void => {
      if (!isContainer(plain) || seen.has(plain)) return;
      seen.add(plain);
      const content = opened(typed) as Container;
      found.push({ plain, typed: content });
      const inner = new Map(entriesOf(content));
      for (const [key, value] of entriesOf(plain)) visit(value, inner.get(key));
    };
    visit(this.#root.plain, this.#root.typed);
    return found;
  }

  #record({ plain, typed }: Pair): void {
    const variants = new Map<unknown, Variant>();
    const inner = new Map<unknown, Container>();
    for (const [key, value] of entriesOf(typed)) if (Variant.isVariant(value)) variants.set(key, value);
    for (const [key, value] of entriesOf(plain)) if (isContainer(value)) inner.set(key, value);
    this.#read.set(plain, { variants, inner, size: entriesOf(plain).length });
  }

  /** The variant that was read for a key, whose type the key keeps. */
  #keptVariant({ plain }: Pair, key: unknown): Variant | undefined {
    const { variants, size } = this.#read.get(plain) ?? { variants: new Map<unknown, Variant>(), size: 0 };
    if (!Array.isArray(plain) || plain.length === size) return variants.get(key);
    const [first, ...others] = variants.values();
    return others.every((other) => typeText(other) === typeText(first as Variant)) ? first : undefined;
  }

  #replace(pair: Pair, key: unknown, seed: number): void {
    const known = this.#keptVariant(pair, key);
    const present = new Map(entriesOf(pair.typed)).get(key);
    if (!Variant.isVariant(present) || known === undefined) return;
    const signature = innermost(known);
    // The variants in a new value have other types in the two forms.
    if (signature.includes('v')) return;
    const [value] = fc.sample(valueOfType(signature, 0), { seed, numRuns: 1 });
    put(pair.plain, key, value);
    put(pair.typed, key, around(known, value));
    this.#count('replace');
  }

  #add(pair: Pair, seed: number): void {
    if (!hasVariants(pair.typed)) return;
    const key = `added ${seed}`;
    if (Array.isArray(pair.plain) || entriesOf(pair.plain).some(([name]) => typeof name !== 'string')) return;
    if (this.#isByPath(pair)) return;
    const [plain, typed] = defaults[seed % defaults.length] as (typeof defaults)[number];
    put(pair.plain, key, plain);
    put(pair.typed, key, typed);
    this.#count('add');
  }

  /** Whether the keys of a dictionary must be paths or signatures, as all of them happen to be. */
  #isByPath({ plain }: Pair): boolean {
    return entriesOf(plain).every(([name]) => /^(\/.*|[a-z(){}]*)$/.test(name as string));
  }

  /** Replaces a container by a copy of it, in the place where it was read. */
  #copy(pair: Pair, key: unknown, content: unknown): void {
    const read = this.#read.get(pair.plain);
    if (!isContainer(content) || read?.inner.get(key) !== content) return;
    if (Array.isArray(pair.plain) && pair.plain.length !== read.size) return;
    const present = new Map(entriesOf(pair.typed)).get(key);
    const plain = copyOf(content);
    put(pair.plain, key, plain);
    put(pair.typed, key, around(present, copyOf(opened(present) as Container)));
    this.#read.set(plain, this.#read.get(content) as Read);
    this.#fixed.add(pair.plain);
    if (Array.isArray(plain)) this.#fixed.add(plain);
    this.#count('copy');
  }

  /** Puts a container that was read in a variant under a new key of another dictionary. */
  #move(from: Pair, to: Pair, key: unknown, content: unknown): void {
    const present = new Map(entriesOf(from.typed)).get(key);
    const isCopy = this.#read.get(from.plain)?.inner.get(key) !== content;
    if (!isContainer(content) || !Variant.isVariant(present) || isCopy || Array.isArray(to.plain)) return;
    if (!hasVariants(to.typed) || holds(content, to.plain)) return;
    if (entriesOf(to.plain).some(([name]) => typeof name !== 'string') || this.#isByPath(to)) return;
    put(to.plain, 'moved', content);
    put(to.typed, 'moved', present);
    this.#count('move');
  }

  /** Adds an element to an array of variants of one type. */
  #append({ plain, typed }: Pair, seed: number): void {
    const read = this.#read.get(plain);
    if (!Array.isArray(plain) || !Array.isArray(typed) || read === undefined || read.variants.size !== read.size)
      return;
    const [first, ...others] = read.variants.values();
    if (first === undefined || this.#fixed.has(plain)) return;
    if (!others.every((other) => typeText(other) === typeText(first)) || isField(typed)) return;
    const signature = innermost(first);
    if (signature.includes('v')) return;
    const [value] = fc.sample(valueOfType(signature, 0), { seed, numRuns: 1 });
    plain.push(value);
    typed.push(around(first, value));
    this.#count('append');
  }

  /** Reverses an array of containers that are not in variants: each takes its types along. */
  #reverse({ plain, typed }: Pair): void {
    if (!Array.isArray(plain) || !Array.isArray(typed) || this.#fixed.has(plain)) return;
    if (typed.some((element) => !isContainer(element) || Variant.isVariant(element))) return;
    if (isField(typed)) return;
    plain.reverse();
    typed.reverse();
    this.#count('reverse');
  }
}

function typeText({ signature, value }: Variant): string {
  return signature === 'v' ? `v${typeText(value as Variant)}` : signature;
}

function hasVariants(typed: Container): boolean {
  return entriesOf(typed).some(([, value]) => Variant.isVariant(value));
}

function holds(container: unknown, other: Container): boolean {
  if (!isContainer(container)) return false;
  return container === other || entriesOf(container).some(([, value]) => holds(value, other));
}

/** Structs, whose fields are in a certain order, and which cannot have more of them. */
const structs = new WeakSet<object>();

export function markStructs(value: unknown, type: string, endOf: (type: string, at: number) => number): void {
  if (Variant.isVariant(value)) markStructs(value.value, value.signature, endOf);
  else if (!isContainer(value)) return;
  else if (type[0] === '(') {
    structs.add(value);
    let at = 1;
    for (const [, field] of entriesOf(value)) {
      const end = endOf(type, at);
      markStructs(field, type.slice(at, end), endOf);
      at = end;
    }
  } else {
    const element = type[1] === '{' ? type.slice(3, -1) : type.slice(1);
    for (const [, each] of entriesOf(value)) markStructs(each, element, endOf);
  }
}

function isField(typed: object): boolean {
  return structs.has(typed);
}
