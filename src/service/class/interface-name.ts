/**
 * Finds the interface name of a class without an instance, for a client that passes the class to `bus.proxy`.
 *
 * The name is in a static `interfaceName`, or in the constructor's `super('…')`. The latter is found by a probe: the
 * class is constructed, and the constructor of `ServiceInterface` throws at once, with the name. So only the code
 * before `super` runs; neither a field initialiser nor the rest of the constructor does.
 */
import { InvalidArgumentError } from '../../base/errors.js';
import type { ServiceInterfaceOptions } from './class-description.js';

/** A class that names an interface. */
export interface NamedClass {
  /** The interface's name, if the class sets it. */
  readonly interfaceName?: string | undefined;
  /** The name of the class. */
  readonly name: string;
  /** The number of parameters of its constructor. */
  readonly length: number;
}

/** Thrown to leave the constructors of a probed class. Only the probe catches it. */
class ProbeAnswer {
  readonly options: ServiceInterfaceOptions;
  constructor(options: ServiceInterfaceOptions) {
    this.options = options;
  }
}

/** The class that is being probed. Construction is synchronous, so there is only one at a time. */
let probed: unknown;

/** Called first by the constructor of `ServiceInterface`. Throws if this construction is a probe. */
export function answerProbe(constructed: unknown, options: ServiceInterfaceOptions): void {
  if (constructed === probed) throw new ProbeAnswer(options);
}

const optionsByClass = new WeakMap<object, ServiceInterfaceOptions>();

/**
 * The arguments that the constructor of a class passes to that of `ServiceInterface`.
 *
 * @throws {@link InvalidArgumentError} if the constructor fails before that without its arguments
 */
export function optionsOfClass(serviceClass: NamedClass): ServiceInterfaceOptions {
  const known = optionsByClass.get(serviceClass);
  if (known !== undefined) return known;
  const options = Object.hasOwn(serviceClass, 'interfaceName') ? staticOptions(serviceClass) : undefined;
  return remember(serviceClass, options ?? probeOrInherit(serviceClass));
}

/** An inherited static name counts if the constructor passes none, as it does for instances. */
function probeOrInherit(serviceClass: NamedClass): ServiceInterfaceOptions {
  const inherited = staticOptions(serviceClass);
  try {
    return probe(serviceClass);
  } catch (error) {
    if (inherited === undefined) throw error;
    return inherited;
  }
}

function remember(serviceClass: NamedClass, options: ServiceInterfaceOptions): ServiceInterfaceOptions {
  optionsByClass.set(serviceClass, options);
  return options;
}

/** The name that a class has in a static `interfaceName`. */
export function staticOptions({ interfaceName: name }: NamedClass): ServiceInterfaceOptions | undefined {
  return name === undefined ? undefined : { name };
}

/** Stands for an unknown argument. Making a name of it throws. */
const unknownArgument = Object.freeze({
  [Symbol.toPrimitive]() {
    throw new TypeError('the interface name depends on an argument of the constructor');
  },
});

/** A class without a constructor of its own passes its arguments to the inherited one. */
function unknownArguments(serviceClass: NamedClass): readonly unknown[] {
  let count = 0;
  const isDerived = (each: unknown): each is NamedClass =>
    typeof each === 'function' && Object.getPrototypeOf(each) !== Function.prototype;
  for (let each: unknown = serviceClass; isDerived(each); each = Object.getPrototypeOf(each)) {
    count = Math.max(count, each.length);
  }
  return Array.from({ length: count }, () => unknownArgument);
}

function probe(serviceClass: NamedClass): ServiceInterfaceOptions {
  const outer = probed;
  probed = serviceClass;
  const unknown = unknownArguments(serviceClass);
  let cause: unknown;
  try {
    // The argument of `super` may depend on the parameters in ways that the probe cannot see.
    if (serviceClass.length > 0) throw new TypeError('the constructor has parameters');
    Reflect.construct(serviceClass as unknown as new () => object, unknown);
  } catch (thrown) {
    if (thrown instanceof ProbeAnswer && typeof thrown.options.name === 'string') {
      // Permissions may be made of the unknown arguments. Only the service needs them.
      return unknown.length === 0 ? thrown.options : { ...thrown.options, allow: undefined };
    }
    cause = thrown;
  } finally {
    probed = outer;
  }
  throw new InvalidArgumentError(
    `the interface name of class ${serviceClass.name} is not known without its constructor's arguments: ` +
      `add "static readonly interfaceName = '…'" to the class`,
    { cause },
  );
}
