/**
 * How a decorated property notices that it is assigned. When the class is complete, the setter on its prototype is
 * replaced by one that also tells the instance's property store; a plain field gets an accessor that stores its value.
 *
 * Each class that declares the property has one, whether it decorates it anew or overrides it only. The most derived one
 * tells; what `super` reaches within it is part of how it sets the value.
 */
import type { Decorated } from './decoration.js';
import { serviceObjectOf } from './service-object.js';

type Getter = (this: object) => unknown;
type Setter = (this: object, value: unknown) => unknown;

/**
 * Puts the noticing setter in place of the one that the class has.
 *
 * @param kind how the property is declared by the class with this prototype
 */
export function noticeAssignments(prototype: object, key: string, kind: Decorated['kind']): void {
  const descriptor = kind === 'field' ? storage() : Object.getOwnPropertyDescriptor(prototype, key);
  if (descriptor?.set === undefined) return;
  const { get, set } = descriptor as { get: Getter | undefined; set: Setter };
  const isStored = isStoredAs(kind);
  Object.defineProperty(prototype, key, {
    ...descriptor,
    set(this: object, value: unknown) {
      const object = serviceObjectOf(this);
      const name = object.nameOf(key, prototype);
      if (name === undefined) set.call(this, value);
      else if (isStored && get !== undefined) {
        object.properties.assign(name, value, get.call(this), (stored) => set.call(this, stored));
      } else {
        const read = get === undefined ? undefined : () => get.call(this);
        object.properties.assignBehind(name, value, read, (taken) => void set.call(this, taken));
      }
    },
  });
}

/** Whether what is assigned is what is read: then it is checked when it is assigned. */
export function isStoredAs(kind: Decorated['kind']): boolean {
  return kind === 'field' || kind === 'accessor';
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
