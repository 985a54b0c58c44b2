/** The announcements by object managers of interfaces that appear and disappear. */

import { InvalidArgumentError } from '../../base/errors.js';
import { closeHandedOver } from '../../codec/close-descriptors.js';
import { withoutFrames } from '../../codec/value-refusal.js';
import { report, reportMisfit } from '../../diagnostics/problems.js';
import { standardInterfaces } from '../../interface/standard.js';
import { sendShared } from '../properties/change.js';
import { DescriptorRoom } from '../properties/descriptor-room.js';
import type { Pending } from './barrier.js';
import type { Exportable } from './exportable.js';
import type { TreeNode } from './object-tree.js';
import { type Outgoing, signalHead } from './place.js';

/** The announcement of new interfaces, with the values that their properties have when it is sent. */
export class Arrival implements Pending {
  readonly #path: string;
  readonly #exportables: readonly Exportable[];
  readonly #managers: readonly TreeNode[];
  readonly #outgoing: Outgoing;

  /** @param managers the object managers above the path */
  constructor(path: string, exportables: readonly Exportable[], managers: readonly TreeNode[], outgoing: Outgoing) {
    this.#path = path;
    this.#exportables = exportables;
    this.#managers = managers;
    this.#outgoing = outgoing;
  }

  send(): true {
    const path = this.#path;
    announce(path, 'InterfacesAdded', this.#managers, this.#outgoing, () => {
      prepareLate(path, this.#exportables);
      const room = new DescriptorRoom(this.#outgoing.descriptors);
      const entries = this.#exportables.map(({ description, properties }) => [
        description.name,
        properties.knownEntries(room),
      ]);
      room.tellRefused(`the announcement of ${path}`);
      return Object.fromEntries(entries);
    });
    return true;
  }
}

/** The announcement of interfaces that have ended. */
export class Departure implements Pending {
  readonly #path: string;
  readonly #names: readonly string[];
  readonly #managers: readonly TreeNode[];
  readonly #outgoing: Outgoing;

  constructor(path: string, names: readonly string[], managers: readonly TreeNode[], outgoing: Outgoing) {
    this.#path = path;
    this.#names = names;
    this.#managers = managers;
    this.#outgoing = outgoing;
  }

  send(): true {
    announce(this.#path, 'InterfacesRemoved', this.#managers, this.#outgoing, () => this.#names);
    return true;
  }
}

/**
 * Prepares an object that was exported in its constructor and may have more members since. Errors are reported, because
 * there is no caller to throw them to.
 */
export function prepareLate(path: string, exportables: readonly Exportable[]): void {
  for (const exportable of exportables) {
    if (!exportable.isUnsettled) continue;
    const { name } = exportable.description;
    exportable.prepare((error) => {
      const reported = error instanceof InvalidArgumentError ? withoutFrames(error) : error;
      reportMisfit(`${name} at ${path} was exported with a fault`, reported);
    });
  }
}

function announce(
  path: string,
  member: string,
  managers: readonly TreeNode[],
  outgoing: Outgoing,
  makeValue: () => unknown,
): void {
  let announced: unknown;
  const sendAll = () => {
    for (const manager of managers) {
      outgoing.tell(signalHead(manager.path, standardInterfaces.objectManager, member), [path, announced], true);
    }
  };
  const closeAnnounced = () => closeHandedOver('h', announced);
  try {
    announced = makeValue();
    if (managers.length === 1) {
      sendAll();
      return;
    }
    sendShared(announced, sendAll);
    closeAnnounced();
  } catch (error) {
    report('send', `InterfacesAdded or InterfacesRemoved of ${path} could not be sent`, error);
    closeAnnounced();
  }
}
