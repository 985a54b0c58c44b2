/**
 * What `console.log` shows of what can be exported: the interface, the paths, and the values of its properties. No getter of the
 * program runs for that, unless the `getters` of `util.inspect` ask for it.
 */
import { printable } from '../../base/printable.js';
import type { Exportable } from './exportable.js';

/** One for each object, so that inspection notices where an object holds itself. */
const views = new WeakMap<object, object>();

/** @param members the values, and the getters and setters, as they are now */
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

/** An object that is shown as if it were of a class of that name. */
function newView(className: string): object {
  const shownClass = { [className]: class {} }[className] as new () => object;
  return new shownClass();
}
