/**
 * The interface name of a class that nobody has made an instance of yet: a client hands the class to `bus.proxy`.
 *
 * The name stands in a static `interfaceName`, or in the constructor's `super('…')`. The latter is learnt by a probe:
 * the class is constructed, and the constructor of `ServiceInterface` throws as soon as it is reached, with the name.
 * So neither a field initialiser nor the rest of a user's constructor ever runs; only what stands before `super` does.
 */
import { InvalidArgumentError } from '../../base/errors.js';
import type { ServiceInterfaceOptions } from './class-description.js';

/** A class that names an interface. */
export interface NamedClass {
  /** The interface's name, where the class gives it so. */
  readonly interfaceName?: string | undefined;
  /** Its name as a class. */
  readonly name: string;
  /** How many parameters its constructor has. */
  readonly length: number;
}

/** Thrown to leave the constructors of a probed class; nobody else sees one. */
class ProbeAnswer {
  readonly options: ServiceInterfaceOptions;
  constructor(options: ServiceInterfaceOptions) {
    this.options = options;
  }
}

/** The class that is being probed. Construction is synchronous, so there is one at a time. */
let probed: unknown;

/** Called by the constructor of `ServiceInterface` first of all; throws if this construction is a probe. */
export function answerProbe(constructed: unknown, options: ServiceInterfaceOptions): void {
  if (constructed === probed) throw new ProbeAnswer(options);
}

const optionsByClass = new WeakMap<object, ServiceInterfaceOptions>();

/**
 * What the constructor of a class passes to that of `ServiceInterface`.
 *
 * @throws {@link InvalidArgumentError} if the class does not get as far without its arguments
 */
export function optionsOfClass(serviceClass: NamedClass): ServiceInterfaceOptions {
  const known = optionsByClass.get(serviceClass);
  if (known !== undefined) return known;
  const options = Object.hasOwn(serviceClass, 'interfaceName') ? staticOptions(serviceClass) : undefined;
  return remember(serviceClass, options ?? probeOrInherit(serviceClass));
}

/** A static name that is inherited counts where the constructor passes none, as it does for instances. */
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

/** Stands for an argument that is not known, so that no name can be made of it. */
const unknownArgument = Object.freeze({
  [Symbol.toPrimitive]() {
    throw new TypeError('the interface name depends on an argument of the constructor');
  },
});

/** A class without a constructor of its own hands its arguments on to the one that it inherits. */
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
  let cause: unknown;
  try {
    // What the constructor passes to `super` may depend on its parameters in ways that nothing shows.
    if (serviceClass.length > 0) throw new TypeError('the constructor has parameters');
    Reflect.construct(serviceClass as unknown as new () => object, unknownArguments(serviceClass));
  } catch (thrown) {
    if (thrown instanceof ProbeAnswer && typeof thrown.options.name === 'string') return thrown.options;
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
