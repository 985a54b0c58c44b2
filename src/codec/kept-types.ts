/**
 * The types of variants that were read with `variants: 'keep'`. The values are plain, and their types are here, beside
 * the containers that have them: by container, and by the key or index in it. Nothing is remembered without that
 * option, and what is remembered of a container is forgotten with it.
 */
import { checkObject } from '../base/parameters.js';

/**
 * The type of a variant: the signature of its value, after a `v` for each further variant around that value. For a `u` in
 * a variant in a variant it is `vu`.
 */
export type VariantType = string;

/** What was read of a container. */
export class KeptTypes {
  /** The type of the variant that had the container as its value. */
  own: VariantType | undefined;
  /** The types of the variants in the container, by key or index. */
  types: Map<unknown, VariantType> | undefined;
  /** What was read of the containers in it that have variants, by key or index. */
  inner: Map<unknown, KeptTypes> | undefined;
  /** The number of elements of an array or a struct; `undefined` for dictionaries. */
  length: number | undefined;

  /** Whether the container has variants, at any depth. */
  get hasVariants(): boolean {
    return this.types !== undefined || this.inner !== undefined;
  }
}

const memory = new WeakMap<object, KeptTypes>();

/** Whether types of any container are remembered. Programs that do not use the option pay for this check alone. */
export let isKeeping = false;

/** Returns what is remembered of a container. */
export function keptTypesOf(container: object): KeptTypes | undefined {
  return memory.get(container);
}

/** Returns what is remembered of a container, for more to be remembered. */
export function rememberTypes(container: object): KeptTypes {
  let kept = memory.get(container);
  if (kept === undefined) {
    isKeeping = true;
    kept = new KeptTypes();
    memory.set(container, kept);
  }
  return kept;
}

/**
 * Gives a copy the types that busbar remembers of the original, which was read with `variants: 'keep'`: those of its
 * variants, and of the variants in its containers at any depth. A copy needs this if it is written instead of the
 * original. Containers that the copy shares with the original have their types without it.
 *
 * @example
 * ```ts
 * const module = bus.proxy(Module, 'org.example.dbustest', '/org/example/dbustest');
 * const values = await module.with({ variants: 'keep' }).getAll();
 * const copy = keepTypes(structuredClone(values), values);
 * ```
 *
 * @returns the copy
 * @throws {@link InvalidArgumentError} if an argument is not an object
 */
export function keepTypes<T extends object>(copy: T, original: object): T {
  checkObject(copy, 'copy');
  checkObject(original, 'original');
  const kept = memory.get(original);
  if (kept !== undefined) memory.set(copy, kept);
  return copy;
}
