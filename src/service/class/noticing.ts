/**
 * Detects assignments to a decorated property. When the class is complete, the setter on its prototype is replaced by
 * one that also informs the instance's property store. A plain field gets an accessor that stores its value.
 *
 * Each class that declares the property has such a setter, whether it decorates the property again or only overrides
 * it. The most derived one informs the store. Setters that it calls through `super` are part of setting the value.
 */
import type { Decorated } from './decoration.js';
import { serviceObjectOf } from './service-object.js';

type Getter = (this: object) => unknown;
type Setter = (this: object, value: unknown) => unknown;

/**
 * Replaces the setter of the class by one that informs the store.
 *
 * @param kind how the property is declared by the class with this prototype
 */
export function noticeAssignments(prototype: object, key: string, kind: Decorated['kind']): void {
  const descriptor = kind === 'field' ? storage() : Object.getOwnPropertyDescriptor(prototype, key);
  if (descriptor?.set === undefined) return;
  const { get, set } = descriptor as { get: Getter | undefined; set: Setter };
  const isStored = isStoredAs(kind);
  const store = function (this: object, _name: string, value: unknown) {
    set.call(this, value);
  };
  Object.defineProperty(prototype, key, {
    ...descriptor,
    set(this: object, value: unknown) {
      const object = serviceObjectOf(this);
      const name = object.nameOf(key, prototype);
      if (name === undefined) set.call(this, value);
      else if (isStored && get !== undefined) {
        object.properties.assign(name, value, get.call(this), store, this);
      } else {
        const read = get === undefined ? undefined : () => get.call(this);
        object.properties.assignBehind(name, value, read, (taken) => void set.call(this, taken));
      }
    },
  });
}

/** Whether the assigned value is the value that is read. It is checked on assignment then. */
export function isStoredAs(kind: Decorated['kind']): boolean {
  return kind === 'field' || kind === 'accessor';
}

/** Makes an accessor that keeps the values of a field. */
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
