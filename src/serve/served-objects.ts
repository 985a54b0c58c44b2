/** The objects of a service, as `serve` gets them: made by the program, and exported all at once. */
import type { Handle } from '../base/handle.js';
import { checkObject } from '../base/parameters.js';
import type { MessageBus } from '../message-bus.js';
import type { ExportedObject } from '../service/objects/exports.js';
import type { ServedObjects, Service } from './serve-options.js';

/** The objects that a function of the program makes. */
export async function madeObjects(
  make: (service: Service) => ServedObjects | Promise<ServedObjects>,
  service: Service,
): Promise<ServedObjects> {
  const objects = await make(service);
  checkObject(objects, 'objects()');
  return objects;
}

/** Exports objects, and adds the handles of the exports to a list, also if one of them fails. */
export function exportAll(bus: MessageBus, objects: ServedObjects, exports: Handle[]): void {
  for (const [path, given] of Object.entries(objects)) {
    exports.push(bus.export(path, ...(isSeveral(given) ? given : ([given] as const))));
  }
}

function isSeveral(given: ServedObjects[string]): given is readonly [ExportedObject, ...ExportedObject[]] {
  return Array.isArray(given);
}
