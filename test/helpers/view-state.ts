/** What a live view shows, and what its service has, in the same form: values by path, interface and property. */
import { defineInterface, type MessageBus, type ObjectsView } from '../../src/index.js';

type State = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Objects with interfaces and values, as the service has them now. */
export async function freshObjects(bus: MessageBus, { destination, path }: ObjectsView): Promise<State> {
  const call = { path, interface: 'org.freedesktop.DBus.ObjectManager', member: 'GetManagedObjects' };
  const [objects] = await bus.call({ destination, ...call });
  return objects as State;
}

/** Objects with interfaces and values, as the view has them. */
export function shownObjects(view: ObjectsView): State {
  const objects = [...view].map(({ path, interfaces, as }) => [
    path,
    Object.fromEntries(interfaces.map((name) => [name, as(undescribed(name))?.values])),
  ]);
  return Object.fromEntries(objects);
}

const known = new Map<string, ReturnType<typeof make>>();
const make = (name: string) => defineInterface(name as 'org.example.Any', {});

/** A definition without properties: all that the service sends are shown. The same for each name, as views expect. */
export function undescribed(name: string) {
  const definition = known.get(name) ?? make(name);
  known.set(name, definition);
  return definition;
}
