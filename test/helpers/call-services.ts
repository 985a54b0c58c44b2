/**
 * Connections that serve one another, for a test that decides when and how they answer: by the handlers of objects, or
 * manually, with any message that a service could send.
 */
import {
  connect,
  DBusError,
  defineInterface,
  implement,
  type Message,
  type MessageBus,
  MessageFlag,
  MessageType,
  type OwnedName,
} from '../../src/index.js';
import type { SentReply } from './call-model.js';

export const INTERFACE = 'org.example.Calls';
export const PATH = '/object';
export const FAILURE = 'org.example.Calls.Failure';

const Calls = defineInterface(INTERFACE, {
  methods: { Echo: { in: 'u', out: 's' }, Fail: { in: 'u' }, Slow: { in: 'u', out: 's' } },
});

/** A connection that calls and serves. */
export interface Side {
  /** The number by which the model has it. */
  readonly id: number;
  readonly bus: MessageBus;
  readonly names: Map<string, OwnedName>;
}

/** A call as it arrived at a service. */
export interface Arrived {
  readonly number: number;
  readonly side: Side;
  readonly message: Message;
  readonly wantsReply: boolean;
  /** Ends the handler of an object; a message handler has none. */
  finish: ((fails: boolean) => void) | undefined;
  isAnswered: boolean;
}

export class CallServices {
  readonly sides: Side[] = [];
  /** The calls that a step may answer, including those already answered. */
  readonly arrived: Arrived[] = [];
  readonly #address: string;
  readonly #onArrived: (number: number, serial: number) => void;
  readonly #onSent: (reply: SentReply, side: Side) => void;

  /**
   * @param onArrived gets the serial of each call, by the number in its body
   * @param onSent is called with each reply that the test has sent
   */
  constructor(
    address: string,
    onArrived: (number: number, serial: number) => void,
    onSent: (reply: SentReply, side: Side) => void,
  ) {
    this.#address = address;
    this.#onArrived = onArrived;
    this.#onSent = onSent;
  }

  /** One more connection. */
  async open(): Promise<Side> {
    const bus = await connect({ address: this.#address });
    const side: Side = { id: this.sides.length, bus, names: new Map() };
    bus.addMessageHandler((message) => this.#take(side, message));
    bus.export(
      PATH,
      implement(Calls, {
        Echo: (number) => `to ${number}`,
        Fail(number) {
          throw new DBusError(FAILURE, `to ${number}`);
        },
        Slow: (number) =>
          new Promise((resolve, reject) => {
            const arrived = this.arrived.find((each) => each.number === number) as Arrived;
            const failure = new DBusError(FAILURE, `to ${number}`);
            arrived.finish = (fails) => (fails ? reject(failure) : resolve(`to ${number}`));
          }),
      }),
    );
    this.sides.push(side);
    return side;
  }

  /** A message handler, before any object: records the messages, and takes the calls that it is told to. */
  #take(side: Side, message: Message): boolean {
    const { interface: called, member, flags, serial, sender, body } = message;
    if (called !== INTERFACE) return false;
    const number = body[0] as number;
    this.#onArrived(number, serial);
    if (member === 'Echo' || member === 'Fail') return false;
    const wantsReply = (flags & MessageFlag.NoReplyExpected) === 0;
    // A handler of an object has to end even if no reply is wanted.
    const isAnswered = member === 'AskTwice' || (member === 'Ask' && !wantsReply);
    this.arrived.push({ number, side, message, wantsReply, finish: undefined, isAnswered });
    if (member !== 'AskTwice') return member === 'Ask';
    for (const text of [`to ${number}`, `to ${number} again`]) send(side, sender, serial, text, false);
    return true;
  }

  /** Sends a reply manually. */
  answer(side: Side, destination: string | undefined, serial: number, text: string, fails = false): void {
    send(side, destination, serial, text, fails);
    this.#note(side, destination, serial, text, fails);
  }

  #note(side: Side, destination: string | undefined, serial: number, text: string, fails: boolean): void {
    for (const arrived of this.arrived) {
      const { message } = arrived;
      const isIt = arrived.side === side && message.serial === serial && message.sender === destination;
      if (isIt && arrived.finish === undefined) arrived.isAnswered = true;
    }
    const to = this.sides.find(({ bus }) => bus.uniqueName === destination) as Side;
    this.#onSent({ from: side.id, to: to.id, serial, outcome: `${fails ? 'failure' : 'reply'} ${text}` }, side);
  }

  /** The calls that a side has to answer. */
  unanswered(side: Side): Arrived[] {
    return this.arrived.filter((arrived) => !arrived.isAnswered && arrived.side === side);
  }

  /** @param withObjects whether handlers of objects end as well, whose results are sent a little later */
  answerAll(side: Side, withObjects = true): void {
    for (const arrived of this.unanswered(side)) {
      const { number, message, finish } = arrived;
      if (finish === undefined) this.answer(side, message.sender, message.serial, `to ${number}`);
      else if (withObjects) this.finish(arrived, false);
    }
  }

  finish(arrived: Arrived, fails: boolean): void {
    const { number, side, message, wantsReply, finish } = arrived;
    arrived.isAnswered = true;
    finish?.(fails);
    if (wantsReply) this.#note(side, message.sender, message.serial, `to ${number}`, fails);
  }
}

function send({ bus }: Side, destination: string | undefined, replySerial: number, text: string, fails: boolean): void {
  const type = fails ? MessageType.Error : MessageType.MethodReturn;
  bus.send({ type, replySerial, destination, ...(fails && { errorName: FAILURE }), signature: 's', body: [text] });
}
