/** The properties of one interface of one object: the state of a cached object. It tells the watchers of its changes. */

import type { DBusError } from '../base/errors.js';
import { misfitReply } from '../client/misfits.js';
import type { ReplyBody } from '../connection/sending/pending-calls.js';
import type { Numbered } from '../diagnostics/problems.js';
import { standardInterfaces } from '../interface/standard.js';
import type { LiveState } from './live-proxy.js';
import { type InterfaceWatcher, ManagedInterface } from './managed-interface.js';
import { PropertyValues, type Sent } from './property-values.js';
import { readAgain } from './read-again.js';
import { type PropertiesChange, readChange } from './read-change.js';
import type { Declaration, LiveSource, Mirror, Question } from './source.js';
import { removeDescriptors } from './without-descriptors.js';

const PROPERTIES = standardInterfaces.properties.name;

export class PropertyStore implements Mirror<PropertiesChange>, LiveState {
  readonly title: string;
  readonly question: Question;
  readonly isCovered = true;
  readonly #bus: Numbered;
  readonly #path: string;
  readonly #name: string;
  readonly #watchers = new Set<InterfaceWatcher>();
  #current: ManagedInterface | undefined;
  #isFilling = false;
  #isClosed = false;
  source!: LiveSource<PropertiesChange>;

  constructor(bus: Numbered, destination: string | undefined, path: string, name: string) {
    this.#bus = bus;
    this.#path = path;
    this.#name = name;
    this.title = `the properties ${name} of ${destination ?? 'the peer'} ${path}`;
    this.question = { path, interface: PROPERTIES, member: 'GetAll', signature: 's', body: [name] };
  }

  get current(): ManagedInterface | undefined {
    return this.#isFilling ? undefined : this.#current;
  }

  get owner(): string | undefined {
    return this.source.owner;
  }

  watch(watcher: InterfaceWatcher): () => void {
    if (this.#isClosed) {
      watcher.ended(undefined);
      return () => {};
    }
    this.#watchers.add(watcher);
    this.current?.look();
    return () => void this.#watchers.delete(watcher);
  }

  isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  read(managed: ManagedInterface): void {
    readAgain(this.source, managed, (names) => this.#tellChanged(managed, names), this.#bus.connectionId);
  }

  declarations(): readonly Declaration<PropertiesChange>[] {
    const rule = { path: this.#path, interface: PROPERTIES, member: 'PropertiesChanged', arg0: this.#name };
    return [{ rule, read: readChange }];
  }

  fill(reply: ReplyBody): void {
    if (reply.signature !== 'a{sv}') throw misfitReply('the reply', 'a{sv}', reply.signature, this.question);
    const [sent] = reply.decode({ variants: 'wrap' }) as [Sent];
    removeDescriptors(reply, sent);
    this.#isFilling = true;
    this.#current = new ManagedInterface(this, this.#path, this.#name, new PropertyValues(sent));
  }

  apply({ sent, invalidated, held }: PropertiesChange): void {
    const managed = this.#current;
    if (managed === undefined) return;
    this.#tellChanged(managed, managed.values.change(sent, invalidated, held));
    if (!this.#isFilling) managed.lookIfWatched();
  }

  settle(): void {
    this.#isFilling = false;
    const managed = this.#current;
    if (managed === undefined) return;
    this.#tell((watcher) => managed.isPresent && watcher.added(managed));
    managed.lookIfWatched();
  }

  clear(isTold: boolean): void {
    const managed = this.#current;
    const wasFilling = this.#isFilling;
    this.#isFilling = false;
    this.#current = undefined;
    managed?.remove();
    if (managed !== undefined && isTold && !wasFilling) this.#tell((watcher) => watcher.removed(managed));
  }

  close(reason: DBusError | undefined): void {
    this.#isClosed = true;
    this.#tell((watcher) => watcher.ended(reason));
    this.#watchers.clear();
  }

  #tellChanged(managed: ManagedInterface, names: readonly string[]): void {
    if (this.#isFilling || names.length === 0) return;
    this.#tell((watcher) => managed.isPresent && watcher.changed(managed, names));
  }

  #tell(call: (watcher: InterfaceWatcher) => unknown): void {
    for (const watcher of [...this.#watchers]) if (this.#watchers.has(watcher)) call(watcher);
  }
}
