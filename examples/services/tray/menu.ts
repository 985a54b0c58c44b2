/** A menu that the desktop shows for a program: a tree of entries, which clients know by their numbers. */
import { InvalidArgumentError, implement, Variant } from 'busbar';
import { Menu } from '../interfaces/tray.js';

/** An entry, with the properties of dbusmenu: `label`, `enabled`, `toggle-state` and others, if not the default. */
export class Entry {
  static #last = 0;
  /** The number, which is not used again: a click may be on its way for an entry that is gone. */
  readonly id = ++Entry.#last;
  properties: Readonly<Record<string, string | number | boolean>>;
  readonly entries: readonly Entry[];
  readonly clicked: () => void;

  constructor(properties: Entry['properties'], clicked = () => {}, entries: readonly Entry[] = []) {
    this.properties = entries.length === 0 ? properties : { ...properties, 'children-display': 'submenu' };
    this.clicked = clicked;
    this.entries = entries;
  }
}
type Layout = [id: number, properties: Entry['properties'], entries: Variant[]];

/** Makes a menu that can be exported; `change` changes an entry, and `replace` all of them. */
export function createMenu(entries: readonly Entry[]) {
  let revision = 1;
  const find = (id: number, among = entries): Entry | undefined =>
    among.find((entry) => entry.id === id) ?? among.map((entry) => find(id, entry.entries)).find((found) => found);

  function get(id: number): Pick<Entry, 'properties' | 'entries' | 'clicked'> {
    // The menu itself is entry 0.
    const entry = id === 0 ? { properties: {}, entries, clicked() {} } : find(id);
    if (entry === undefined) throw new InvalidArgumentError(`the menu has no entry ${id}`);
    return entry;
  }

  function pick(id: number, names: readonly string[]) {
    const { properties } = get(id);
    return Object.fromEntries(
      Object.entries(properties).filter(([name]) => names.length === 0 || names.includes(name)),
    );
  }

  /** Clients ask for as many levels as they show; -1 is all of them. */
  function layout(id: number, depth: number, names: readonly string[]): Layout {
    const below = depth === 0 ? [] : get(id).entries;
    const children = below.map((entry) => new Variant('(ia{sv}av)', layout(entry.id, depth - 1, names)));
    return [id, pick(id, names), children];
  }

  function handle(id: number, event: string): void {
    const { clicked } = get(id);
    if (event === 'clicked') clicked();
  }
  const has = (id: number) => id === 0 || find(id) !== undefined;

  const object = implement(Menu, {
    GetLayout: (parent, depth, names) => [revision, layout(parent, depth, names)],
    GetGroupProperties: (ids, names) => ids.filter(has).map((id) => [id, pick(id, names)] as const),
    GetProperty(id, name) {
      const value = get(id).properties[name];
      if (value === undefined) throw new InvalidArgumentError(`entry ${id} has no property ${name}`);
      return value;
    },
    Event: (id, event) => handle(id, event),
    EventGroup(events) {
      for (const [id, event] of events) if (has(id)) handle(id, event);
      return events.map(([id]) => id).filter((id) => !has(id));
    },
    // The menu is up to date at all times.
    AboutToShow(id) {
      get(id);
      return false;
    },
    AboutToShowGroup: (ids) => [[], ids.filter((id) => !has(id))],
    ...{ Version: 3, TextDirection: 'ltr', Status: 'normal', IconThemePath: [] },
  });

  return {
    object,
    change(entry: Entry, properties: Entry['properties']) {
      entry.properties = { ...entry.properties, ...properties };
      object.emit.ItemsPropertiesUpdated([[entry.id, properties]], []);
    },
    replace(others: readonly Entry[]) {
      entries = others;
      object.emit.LayoutUpdated(++revision, 0);
    },
  };
}
