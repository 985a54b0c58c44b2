/** What all objects share that `implement` made of one definition: everything that the definition alone determines. */

import { report } from '../../diagnostics/problems.js';
import type { InterfaceDefinition } from '../../interface/define-interface.js';
import type { InterfaceDescription } from '../../interface/description.js';
import type { ReadingChoice } from '../../interface/member-inputs.js';
import type { VariantChoice } from '../../signature/types.js';

/** The object that has the properties. */
interface PropertyOwner {
  /** The value, or a promise of it. */
  readProperty(name: string): unknown;
  /** Sets the value. Returns a promise if that takes time. */
  writeProperty(name: string, value: unknown): unknown;
}

const kinds = new WeakMap<InterfaceDefinition, ImplementedKind>();

export function kindOf(definition: InterfaceDefinition): ImplementedKind {
  let kind = kinds.get(definition);
  if (kind === undefined) {
    kind = new ImplementedKind(definition);
    kinds.set(definition, kind);
  }
  return kind;
}

export class ImplementedKind {
  readonly description: InterfaceDescription;
  /** The numbers of the methods, and after them those of the properties, in the order of the description. */
  readonly methods: ReadonlyMap<string, number>;
  readonly properties: ReadonlyMap<string, number>;
  /** How many of both there are. */
  readonly size: number;
  /** The properties by the names that the program uses, which are their own. */
  readonly names: ReadonlyMap<string, string>;
  /** How methods get the variants in their arguments, for those that do not get plain values alone. */
  readonly readings: ReadonlyMap<string, VariantChoice>;
  /** The same for the setters of properties. */
  readonly propertyReadings: ReadonlyMap<string, VariantChoice>;
  readonly #accessors: PropertyDescriptorMap;

  constructor({ description, members }: InterfaceDefinition) {
    const methods = [...description.methods.keys()];
    const properties = [...description.properties.keys()];
    this.description = description;
    this.methods = new Map(methods.map((name, number) => [name, number]));
    this.properties = new Map(properties.map((name, number) => [name, methods.length + number]));
    this.size = methods.length + properties.length;
    this.names = new Map(properties.map((name) => [name, name]));
    this.readings = readingsOf(
      methods,
      members.methods,
      (name) => description.methods.get(name)?.inShapes !== undefined,
    );
    this.propertyReadings = readingsOf(properties, members.properties);
    this.#accessors = Object.create(null);
    for (const name of properties) this.#accessors[name] = accessorOf(name);
  }

  assignableProperties(owner: PropertyOwner): AssignableProperties {
    return new AssignableProperties(owner, this.#accessors);
  }
}

function readingsOf(
  names: readonly string[],
  members: Readonly<Record<string, ReadingChoice>> = {},
  hasShapes: (name: string) => boolean = () => false,
): ReadonlyMap<string, VariantChoice> {
  const readings = new Map<string, VariantChoice>();
  for (const name of names) {
    const { variants = 'plain' } = members[name] ?? {};
    if (variants !== 'plain' || hasShapes(name)) readings.set(name, variants);
  }
  return readings;
}

/** The properties as the program reads and assigns them. The objects of a definition share the accessors. */
export class AssignableProperties {
  readonly #owner: PropertyOwner;

  constructor(owner: PropertyOwner, accessors: PropertyDescriptorMap) {
    this.#owner = owner;
    Object.defineProperties(this, accessors);
    Object.freeze(this);
  }

  static ownerOf(object: AssignableProperties): PropertyOwner {
    return object.#owner;
  }
}

// An object of the program has no other names than those of its properties.
Object.setPrototypeOf(AssignableProperties.prototype, null);
Reflect.deleteProperty(AssignableProperties.prototype, 'constructor');

function accessorOf(name: string): PropertyDescriptor {
  return {
    enumerable: true,
    get(this: AssignableProperties) {
      return AssignableProperties.ownerOf(this).readProperty(name);
    },
    set(this: AssignableProperties, value: unknown) {
      assign(name, AssignableProperties.ownerOf(this), value);
    },
  };
}

/** Sets a property without waiting: if the promise rejects, that is reported. */
function assign(name: string, owner: PropertyOwner, value: unknown): void {
  const done = owner.writeProperty(name, value);
  if (done instanceof Promise) done.catch((error) => report('handler', `setting the property ${name} failed`, error));
}
