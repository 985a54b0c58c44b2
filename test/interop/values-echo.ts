/**
 * The echo service on busbar, for calls of any signature: `Echo` answers with the received values, `Fill` writes into every
 * received descriptor. It uses messages, because an exported method has one signature.
 */
import { writeSync } from 'node:fs';
import type { IncomingMessage } from '../../src/connection/receiving/incoming-message.js';
import { connect, FileDescriptor, type Message, type MessageBus, MessageType } from '../../src/index.js';
import type { PrivateBus } from '../helpers/private-bus.js';
import { contains } from './value-table.js';
import { echo } from './values-peers.js';

/** A received call. */
export interface Received {
  readonly signature: string;
  /** The values as handlers get them. */
  readonly body: readonly unknown[];
  /** The values with the types of their variants. */
  readonly wrapped: readonly unknown[];
}

export class EchoService {
  readonly #bus: MessageBus;
  /** The call that was answered last. */
  last: Received | undefined;

  static async start(daemon: PrivateBus): Promise<EchoService> {
    return new EchoService(await connect({ address: daemon.address }));
  }

  private constructor(bus: MessageBus) {
    this.#bus = bus;
    bus.addMessageHandler((message) => this.#handle(message));
  }

  /** The unique name to call. */
  get name(): string {
    return this.#bus.uniqueName as string;
  }

  stop(): Promise<void> {
    return this.#bus.close();
  }

  #handle(message: Message): boolean {
    if (message.type !== MessageType.MethodCall || message.interface !== echo.interface) return false;
    const { signature, body } = message;
    const wrapped = (message as IncomingMessage).decode({ variants: 'wrap' });
    const descriptors = descriptorsIn(wrapped);
    const reply = { type: MessageType.MethodReturn, destination: message.sender, replySerial: message.serial };
    if (message.member === 'Fill') {
      descriptors.forEach((descriptor, index) => void writeSync(descriptor.fd, `descriptor ${index};`));
      this.#bus.send(reply);
    } else {
      this.#bus.send({ ...reply, signature, body: wrapped });
    }
    for (const descriptor of descriptors) descriptor.close();
    this.last = { signature, body, wrapped };
    return true;
  }
}

/** The descriptors among values, in the order of the values; one that occurs twice is listed twice. */
export function descriptorsIn(values: readonly unknown[]): FileDescriptor[] {
  const found: FileDescriptor[] = [];
  contains(values, (value) => {
    if (value instanceof FileDescriptor) found.push(value);
    return false;
  });
  return found;
}
