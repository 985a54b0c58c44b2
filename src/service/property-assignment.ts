/**
 * How a decorated property notices that it is assigned. When the class is complete, the setter on its prototype is
 * replaced by one that also tells the instance's service object; a plain field gets an accessor that stores its value.
 */
import type { Decorated } from './decoration.js';
import { isThenable } from './outlets.js';
import { serviceObjectOf } from './service-object.js';
import { checkValue } from './value-check.js';

type Getter = (this: object) => unknown;
type Setter = (this: object, value: unknown) => void;

/** Puts the noticing setter in place of the one that the class has. */
export function noticeAssignments(prototype: object, key: string, kind: Decorated['kind'], signature: string): void {
  const descriptor = kind === 'field' ? storage() : Object.getOwnPropertyDescriptor(prototype, key);
  if (descriptor?.set === undefined) return;
  const { get, set } = descriptor as { get: Getter | undefined; set: Setter };
  const stored = kind === 'field' || kind === 'accessor';
  // A getter may open what it returns, and hand it over: it is not run only to compare. Objects count as changed anyway.
  const compares = !signature.includes('h');
  Object.defineProperty(prototype, key, {
    ...descriptor,
    set(this: object, value: unknown) {
      const object = serviceObjectOf(this);
      const typed = object.typed(key, value);
      if (stored) checkValue(key, signature, typed);
      const before = compares ? read(this, get) : unknownValue;
      set.call(this, value);
      if (stored) object.keepDescriptors(key, value);
      object.remember(key, typed);
      if (!compares || !isSame(before, read(this, get))) object.propertyChanged(key);
    },
  });
}

/** An accessor that keeps the values of a field. */
function storage(): PropertyDescriptor {
  const values = new WeakMap<object, unknown>();
  return {
    configurable: true,
    enumerable: false,
    get(this: object) {
      return values.get(this);
    },
    set(this: object, value: unknown) {
      values.set(this, value);
    },
  };
}

/**
 * Where fields are defined on the instance (ES2022) they hide the accessor on the prototype: the value moves there.
 * Where they are assigned, the accessor has got it already.
 */
export function adoptField(instance: object, key: string): void {
  const own = Object.getOwnPropertyDescriptor(instance, key);
  if (own === undefined || !('value' in own)) return;
  Reflect.deleteProperty(instance, key);
  if (own.value !== undefined) Reflect.set(instance, key, own.value);
}

/** The value of a getter that failed, does not exist or takes time: the same as no other. */
const unknownValue = Symbol('unknown value');

function read(instance: object, get: Getter | undefined): unknown {
  try {
    const value = get === undefined ? unknownValue : get.call(instance);
    if (!isThenable(value)) return value;
    // Whoever wants the value asks for it once more.
    value.then(undefined, () => {});
    return unknownValue;
  } catch {
    return unknownValue;
  }
}

/** Whether an assignment changed nothing. Objects are never the same, for what they hold may have changed. */
export function isSame(before: unknown, after: unknown): boolean {
  if (after === unknownValue || (typeof after === 'object' && after !== null)) return false;
  return Object.is(before, after);
}
