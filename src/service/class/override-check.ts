/**
 * Checks an override without a decorator. It replaces a decorated member and is described as that member, so it must be
 * of the same kind and keep the access of a property.
 */
import type { Access } from '../../interface/description.js';
import { inheritedDescriptor } from './class-description.js';
import { GENERATOR, isGenerator, refused } from './decoration.js';

/** The reason why a getter, a setter or a value does not override a method or a signal. */
export function overriddenByNoMethod(decorator: 'method' | 'signal', key: string): string {
  return `its override is not a method: write "${key}(…) { … }", or remove it from D-Bus with @${decorator}({ disabled: true })`;
}

/** @throws {@link InvalidArgumentError} */
export function checkMethodOverride(prototype: object, key: string): void {
  const override: unknown = Object.getOwnPropertyDescriptor(prototype, key)?.value;
  if (typeof override !== 'function') throw refused('method', key, overriddenByNoMethod('method', key));
  if (isGenerator(override)) throw refused('method', key, GENERATOR);
}

/**
 * @param access the access in the decorator's options
 * @throws {@link InvalidArgumentError}
 */
export function checkPropertyOverride(prototype: object, key: string, access: Access | undefined): void {
  const override = Object.getOwnPropertyDescriptor(prototype, key) ?? {};
  if (typeof override.value === 'function')
    throw refused('property', key, `it is overridden by a method: write "get ${key}() { … }"`);
  const inherited = inheritedDescriptor(Object.getPrototypeOf(prototype), key) ?? {};
  const lost =
    access !== 'read' && inherited.set !== undefined && override.set === undefined
      ? ['getter', 'setter']
      : access !== 'write' && inherited.get !== undefined && override.get === undefined
        ? ['setter', 'getter']
        : undefined;
  if (lost === undefined) return;
  const [kept, missing] = lost;
  const cure = `override both, or decorate the ${kept} with @property`;
  throw refused(
    'property',
    key,
    `a ${kept} without a ${missing} overrides it, so it no longer has a ${missing}: ${cure}`,
  );
}
