/** What the property stores of all objects with one interface share: the order of the properties. */
import type { InterfaceDescription, PropertyDescription } from '../../interface/description.js';

export interface PropertyTable {
  readonly description: InterfaceDescription;
  /** In the order of the description. */
  readonly properties: readonly PropertyDescription[];
  /** The places of the properties in that order, by name. */
  readonly places: ReadonlyMap<string, number>;
}

const tables = new WeakMap<InterfaceDescription, PropertyTable>();

export function propertyTable(description: InterfaceDescription): PropertyTable {
  const known = tables.get(description);
  if (known !== undefined) return known;
  const properties = [...description.properties.values()];
  const places = new Map(properties.map(({ name }, place) => [name, place]));
  const table = { description, properties, places };
  tables.set(description, table);
  return table;
}
