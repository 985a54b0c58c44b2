/** A portal whose answers a test chooses, for the request pattern. */
import { FileChooser, NAME, PATH, Request } from '../../packages/interfaces/src/portals.js';
import { connect, implement, type MessageBus, NotSupportedError } from '../../src/index.js';

/** What the portal does with a call; the option `accept_label` names it, so that calls at the same time may differ. */
export interface Behaviour {
  /** The code of the response; absent if there is none until the request is closed. */
  readonly response?: number;
  /** When the response is sent: before the reply of the call, with it, or some ticks later. */
  readonly when: 'before' | 'with' | 'later';
  /** The path of the request: that of the token, or, as before version 0.9, one of the portal's own choice. */
  readonly path: 'expected' | 'own';
  /** Whether a response of another request is sent first. */
  readonly noise?: boolean;
}

export class PortalModel {
  readonly bus: MessageBus;
  /** The paths of requests, by the title of the call. */
  readonly requests = new Map<string, string>();
  /** The titles of requests that were closed by the client. */
  readonly closed: string[] = [];
  /** The options of the calls, by their title. */
  readonly options = new Map<string, Record<string, unknown>>();
  readonly behaviours = new Map<string, Behaviour>();

  static async start(address: string): Promise<PortalModel> {
    const model = new PortalModel(await connect({ address }));
    await model.bus.requestName(NAME);
    return model;
  }

  private constructor(bus: MessageBus) {
    this.bus = bus;
    const portal = implement(FileChooser, {
      OpenFile: (_parent, title, options, call) => this.#open(title, options, call.sender as string),
      SaveFile: () => {
        throw new NotSupportedError('saving is not possible');
      },
      SaveFiles: () => new Promise<string>(() => {}),
      version: 3,
    });
    bus.export(PATH, portal);
  }

  #open(title: string, options: Record<string, unknown>, sender: string): string {
    const { response, when, path: whose, noise } = this.behaviours.get(title) as Behaviour;
    this.options.set(title, options);
    const element = sender.slice(1).replaceAll('.', '_');
    const path = `${PATH}/request/${element}/${whose === 'own' ? `own${this.requests.size}` : options.handle_token}`;
    this.requests.set(title, path);
    const request = implement(Request, {
      Close: () => {
        this.closed.push(title);
        exported.end();
      },
    });
    const exported = this.bus.export(path, request);
    const answer = () => {
      if (noise === true) {
        const other = implement(Request, { Close: () => {} });
        using _other = this.bus.export(`${path}_other`, other);
        other.to(sender).emit.Response(0, { uris: ['file:///wrong'] });
      }
      if (response === undefined) return;
      request.to(sender).emit.Response(response, response === 0 ? { uris: [`file:///${title}`] } : { why: title });
      exported.end();
    };
    if (when === 'before') answer();
    else if (when === 'with') queueMicrotask(answer);
    else setTimeout(answer, 5);
    return path;
  }
}
