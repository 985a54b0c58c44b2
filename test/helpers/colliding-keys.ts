/**
 * Keys of dictionaries by number that share one chain of the hash table of a `Map` in V8, made as an attacker would make
 * them: by inverting the hash. Written independently of the library.
 */
import { bytesOf } from './wire.js';

/** Types that are wide enough to collide. */
export const COLLIDING_TYPES = ['i', 'u', 'x', 't', 'd'] as const;
export type CollidingType = (typeof COLLIDING_TYPES)[number];

/** The inverse of `value ^= value >> by` for a value of this many bits. */
function unshifted(value: bigint, by: bigint, bits: bigint): bigint {
  let before = value;
  for (let done = by; done < bits; done += by) before = value ^ (before >> by);
  return before;
}

/** The inverse of a multiplication by an odd number: the factor modulo 2^bits. */
function inverse(factor: bigint, bits: bigint): bigint {
  let found = 1n;
  for (let round = 0; round < 7; round++) found = BigInt.asUintN(Number(bits), found * (2n - factor * found));
  return found;
}

/** Inverts a hash: the two of V8 consist of such steps only, before they are cut to 30 bits. */
function keyOf(hash: bigint, bits: bigint, steps: readonly (readonly ['shift' | 'times', bigint])[]): bigint {
  let key = hash;
  for (const [step, by] of steps) {
    key = step === 'shift' ? unshifted(key, by, bits) : BigInt.asUintN(Number(bits), key * inverse(by, bits));
  }
  // The first step is `~key + (key << n)`, which is `key * (2^n - 1) - 1`.
  const factor = inverse((1n << (bits === 32n ? 15n : 18n)) - 1n, bits);
  return BigInt.asUintN(Number(bits), (key + 1n) * factor);
}

/** Keys whose `ComputeUnseededHash` is 5 in its low 16 bits. */
function* narrowKeys(): Generator<number> {
  for (let upper = 0n; upper < 0x10000n; upper++) {
    const steps = [
      ['shift', 16n],
      ['times', 2057n],
      ['shift', 4n],
      ['times', 5n],
      ['shift', 12n],
    ] as const;
    yield Number(keyOf((upper << 16n) | 5n, 32n, steps));
  }
}

/** Keys whose `ComputeLongHash` is 5. */
function* wideKeys(): Generator<bigint> {
  for (let upper = 1n; ; upper++) {
    const steps = [
      ['shift', 22n],
      ['times', 65n],
      ['shift', 11n],
      ['times', 21n],
      ['shift', 31n],
    ] as const;
    yield keyOf((upper << 30n) | 5n, 64n, steps);
  }
}

const double = new DataView(new ArrayBuffer(8));
const generators: Record<CollidingType, () => Generator<number | bigint>> = {
  *i() {
    for (const key of narrowKeys()) yield key | 0;
  },
  *u() {
    // Beyond 2^31 they are hashed as doubles.
    for (const key of narrowKeys()) if (key < 2 ** 31) yield key;
  },
  *x() {
    for (const key of wideKeys()) if (key < 2n ** 63n) yield -key;
  },
  *t() {
    yield* wideKeys();
  },
  *d() {
    for (const key of wideKeys()) {
      double.setBigUint64(0, key);
      const value = double.getFloat64(0);
      if (!Number.isNaN(value) && (value | 0) !== value) yield value;
    }
  },
};

/** Different keys of one chain: of `i` there are 65 536, of `u` half as many, of the others any number. */
export function collidingKeys(type: CollidingType, count: number): (number | bigint)[] {
  const keys: (number | bigint)[] = [];
  for (const key of generators[type]()) {
    if (keys.length === count) break;
    keys.push(key);
  }
  return keys;
}

/** The body of one `a{Ky}` with these keys, each with 1. */
export function dictionaryOf(type: string, keys: readonly (number | bigint)[]): Buffer {
  return bytesOf((bytes) =>
    bytes.array(8, (entries) => {
      for (const key of keys) writeEntry(entries, type, key);
    }),
  );
}

function writeEntry(bytes: Parameters<Parameters<typeof bytesOf>[0]>[0], type: string, key: number | bigint): void {
  bytes.align(8);
  if (typeof key === 'bigint') bytes.u64(BigInt.asUintN(64, key));
  else if (type === 'd') bytes.f64(key);
  else if (type === 'n' || type === 'q') bytes.u16(key & 0xffff);
  else bytes.u32(key >>> 0);
  bytes.u8(1);
}
