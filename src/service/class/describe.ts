/** Returns the description of an interface, from a class, an instance, a definition, or data. */
import { InvalidArgumentError } from '../../base/errors.js';
import type { InterfaceDefinition } from '../../interface/define-interface.js';
import type { InterfaceDescription } from '../../interface/description.js';
import { exportableOf } from '../objects/exportable.js';
import { classDescription } from './class-description.js';
import { optionsOfClass } from './interface-name.js';
import { membersOf } from './members.js';
import { ServiceInterface, type ServiceInterfaceClass } from './service-interface.js';
import { serviceBrand } from './service-object.js';

/** What describes an interface. */
export type Describable = ServiceInterface | ServiceInterfaceClass | InterfaceDefinition | InterfaceDescription;

/**
 * Returns the description of an interface: of a decorated class, of an instance of one, or of a definition. A
 * description is returned as it is.
 *
 * A class is described without making an instance. Its name is the static `interfaceName`, or the name that its
 * constructor passes to `super`; the constructor runs no further.
 *
 * @throws {@link InvalidArgumentError} if the class cannot name its interface without arguments, or the value does not
 * describe an interface
 */
export function describe(target: Describable): InterfaceDescription {
  if (isServiceClass(target)) return classDescription(target.prototype, optionsOfClass(target));
  if (target instanceof ServiceInterface) return exportableOf(target).description;
  if (typeof target === 'object' && target !== null) {
    if ('description' in target) return target.description;
    if (target.methods instanceof Map && target.signals instanceof Map && target.properties instanceof Map)
      return target;
  }
  if (isOfOtherCopy(target)) {
    throw new InvalidArgumentError(
      'this class and the bus belong to two copies of busbar in this process. Import both from ' +
        'one copy (`npm ls busbar` lists the installed copies, and a bundle contains one of its own), or use defineInterface()',
    );
  }
  throw new InvalidArgumentError(
    'expected a ServiceInterface class, the result of defineInterface(), or the description of an interface',
  );
}

/**
 * The D-Bus names by the names that a proxy's members have, if a decorator's `name` makes them differ; for instance
 * `method greet` → `Greet`. Keys are `'method …'`, `'signal …'` and `'property …'`.
 */
export function memberAliases(target: Describable): ReadonlyMap<string, string> {
  const prototype = isServiceClass(target)
    ? target.prototype
    : target instanceof ServiceInterface
      ? Object.getPrototypeOf(target)
      : undefined;
  const aliases = new Map<string, string>();
  for (const { kind, key, name, disabled } of prototype === undefined ? [] : membersOf(prototype).values()) {
    if (key !== name && !disabled) aliases.set(`${kind} ${key}`, name);
  }
  return aliases;
}

/** Whether it is a class, or an instance of one, that extends `ServiceInterface` of any copy of this package. */
function isOfOtherCopy(target: unknown): boolean {
  const prototype: unknown = typeof target === 'function' ? target.prototype : target;
  return typeof prototype === 'object' && prototype !== null && serviceBrand in prototype;
}

function isServiceClass(target: Describable): target is ServiceInterfaceClass {
  return typeof target === 'function' && (target as ServiceInterfaceClass).prototype instanceof ServiceInterface;
}
