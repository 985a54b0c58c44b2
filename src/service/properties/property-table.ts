/** The shared part of the property stores of all objects with one interface: the order of the properties. */
import type { InterfaceDescription, PropertyDescription } from '../../interface/description.js';

export interface PropertyTable {
  readonly description: InterfaceDescription;
  /** In the order of the description. */
  readonly properties: readonly PropertyDescription[];
  /** Those that can be read, if none of them has variants or descriptors: their values are sent as they are. */
  readonly plain: readonly PropertyDescription[] | undefined;
  /** The places of the properties in that order, by name. */
  readonly places: ReadonlyMap<string, number>;
}

const tables = new WeakMap<InterfaceDescription, PropertyTable>();

export function propertyTable(description: InterfaceDescription): PropertyTable {
  const known = tables.get(description);
  if (known !== undefined) return known;
  const properties = [...description.properties.values()];
  const places = new Map(properties.map(({ name }, place) => [name, place]));
  const readable = properties.filter(({ access }) => access !== 'write');
  const plain = readable.some(({ signature }) => /[hv]/.test(signature)) ? undefined : readable;
  const table = { description, properties, plain, places };
  tables.set(description, table);
  return table;
}
