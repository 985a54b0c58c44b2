/** The one collection of the secret service, and its items. They are in memory, and end with the process. */
import { isDeepStrictEqual } from 'node:util';
import { DBusError, type Export, implement } from 'busbar';
import { Collection, Item } from '../interfaces/secrets.js';
import { bus, type Secret, type SentSecret, seal, unseal } from './sessions.js';

export const collectionPath = '/org/freedesktop/secrets/collection/login';

type Attributes = Readonly<Record<string, string>>;
interface Entry {
  readonly item: ReturnType<typeof newItem>;
  readonly exported: Export;
  attributes: Attributes;
  secret: Secret;
}
const entries = new Map<string, Entry>();
let last = 0;
const now = () => BigInt(Math.floor(Date.now() / 1000));

export const isLocked = () => collection.properties.Locked === true;
function checkUnlocked(): void {
  if (isLocked()) throw new DBusError('org.freedesktop.Secret.Error.IsLocked', 'the collection is locked');
}
export function lock(locked: boolean): void {
  collection.properties.Locked = locked;
  for (const { item } of entries.values()) item.properties.Locked = locked;
  console.log(locked ? 'locked' : 'unlocked');
}

function entryAt(path: string): Entry {
  const entry = entries.get(path);
  if (entry === undefined) throw new DBusError('org.freedesktop.Secret.Error.NoSuchObject', `there is no item ${path}`);
  checkUnlocked();
  return entry;
}

/** The secret of an item, as a session gets it. */
export const read = (path: string, session: string): SentSecret => seal(session, entryAt(path).secret);

/** The paths of the items that have all of these attributes. */
export function search(wanted: Attributes): string[] {
  const fits = (own: Attributes) => Object.entries(wanted).every(([name, value]) => own[name] === value);
  return [...entries].filter(([, { attributes }]) => fits(attributes)).map(([path]) => path);
}

function change(path: string, values: Partial<Pick<Entry, 'secret' | 'attributes'>>): void {
  Object.assign(entryAt(path), values).item.properties.Modified = now();
  collection.emit.ItemChanged(path);
}

function remove(path: string): string {
  entryAt(path).exported.end();
  entries.delete(path);
  collection.emit.ItemDeleted(path);
  collection.emitPropertiesChanged(['Items']);
  console.log('deleted', path);
  return '/';
}

const newItem = (path: string, label: string) =>
  implement(Item, {
    Delete: () => remove(path),
    GetSecret: (session) => read(path, session),
    SetSecret: (secret) => change(path, { secret: unseal(secret) }),
    Attributes: { get: () => entries.get(path)?.attributes ?? {}, set: (attributes) => change(path, { attributes }) },
    ...{ Label: label, Locked: isLocked(), Created: now(), Modified: now() },
  });

export const collection = implement(Collection, {
  SearchItems: (attributes) => search(attributes),
  CreateItem(properties, sent, replace): [item: string, prompt: string] {
    checkUnlocked();
    const secret = unseal(sent);
    const label = properties['org.freedesktop.Secret.Item.Label'] ?? '';
    const attributes = properties['org.freedesktop.Secret.Item.Attributes'] ?? {};
    const same = search(attributes).find((path) => isDeepStrictEqual(entryAt(path).attributes, attributes));
    if (replace && same !== undefined) remove(same);
    const path = `${collectionPath}/${++last}`;
    const item = newItem(path, label);
    entries.set(path, { item, exported: bus.export(path, item), attributes, secret });
    collection.emit.ItemCreated(path);
    collection.emitPropertiesChanged(['Items']);
    console.log('stored', path, { label });
    return [path, '/'];
  },
  Items: { get: () => [...entries.keys()] },
  ...{ Label: 'Login', Locked: false, Created: now(), Modified: now() },
});
