/**
 * What `console.log` shows of exportable objects: the interface, the paths, and the values of properties. The program's
 * getters only run for the option `getters` of `util.inspect`.
 */
import { printable } from '../../base/printable.js';
import type { Exportable } from './exportable.js';

/** One view for each object, so that inspection recognises circular references. */
const views = new WeakMap<object, object>();

/** @param members the present values, getters and setters */
export function viewOf(
  object: object,
  className: string,
  { description, properties }: Exportable,
  members: PropertyDescriptorMap,
): object {
  const view = views.get(object) ?? newView(printable(className));
  views.set(object, view);
  const { paths } = properties.places;
  const tag = printable(paths.length === 0 ? description.name : `${description.name} at ${paths.join(', ')}`);
  Object.defineProperty(Object.getPrototypeOf(view), Symbol.toStringTag, { value: tag, configurable: true });
  for (const key of Reflect.ownKeys(view)) Reflect.deleteProperty(view, key);
  for (const [key, member] of Object.entries(members)) {
    Object.defineProperty(view, key, { ...member, enumerable: true, configurable: true });
  }
  return view;
}

/** Makes an object that is shown with that class name. */
function newView(className: string): object {
  const shownClass = { [className]: class {} }[className] as new () => object;
  return new shownClass();
}
