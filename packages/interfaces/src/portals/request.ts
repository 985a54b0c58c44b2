/**
 * The request pattern of the portals: a method returns the path of a request at once, and the answer is a signal of that
 * object, only for the caller.
 *
 * @see https://flatpak.github.io/xdg-desktop-portal/docs/doc-org.freedesktop.portal.Request.html
 */
import { randomBytes } from 'node:crypto';
import {
  type InterfaceDefinition,
  InvalidArgumentError,
  type MessageBus,
  type ProxyOf,
  ServiceLeftError,
} from 'busbar';
import { NAME, PATH, Request } from './interfaces.js';
import type { PortalResultsOf } from './results.js';

const REQUESTS = '/org/freedesktop/portal/desktop/request';

/** The names of those methods of a portal that return the path of a request. */
export type PortalMethod<D extends InterfaceDefinition> = {
  [M in keyof D['members']['methods']]: D['members']['methods'][M] extends { readonly out: readonly ['handle:o'] }
    ? M
    : never;
}[keyof D['members']['methods']] &
  string;

/** The arguments of a method of a portal. */
export type PortalArguments<D extends InterfaceDefinition, M extends string> = M extends keyof ProxyOf<D>['call']
  ? Extract<ProxyOf<D>['call'][M], (...args: never) => unknown> extends (...args: infer A) => unknown
    ? A
    : never
  : never;

/** How long to wait for the response of a portal. */
export interface PortalRequestOptions {
  /** Milliseconds until the request is closed. By default there is no limit, because a portal asks a person. */
  readonly timeout?: number | undefined;
  /** Aborting closes the request, which removes the dialog of the portal, and rejects with the reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The portal has answered that there is no result. */
export class PortalRequestError extends Error {
  override readonly name = 'PortalRequestError';
  /** `1`: the user has cancelled. `2`: the interaction ended in another way. */
  readonly response: number;
  /** What the portal has sent with it. */
  readonly results: Readonly<Record<string, unknown>>;

  constructor(response: number, results: Readonly<Record<string, unknown>>, method: string) {
    super(response === 1 ? `the user has cancelled ${method}` : `${method} has ended without a result (${response})`);
    this.response = response;
    this.results = results;
  }

  /** Whether the user has cancelled. */
  get isCancelled(): boolean {
    return this.response === 1;
  }
}

/** A token for the path of a request or session, which no other request of this connection has. */
export function portalToken(): string {
  return `busbar_${randomBytes(12).toString('hex')}`;
}

/**
 * Calls a method of a portal, and resolves with the results of its response. The option `handle_token` is added to the
 * last argument, and the response is subscribed to before the call is sent, so that it cannot be missed. Portals before
 * version 0.9, which choose the path of the request themselves, work as well.
 *
 * The call itself has the usual time limit of 25 seconds: portals return the path of the request at once.
 *
 * @example
 * ```ts
 * const { uris } = await portalRequest(bus, FileChooser, 'OpenFile', ['', 'Open', { multiple: true }]);
 * ```
 *
 * @param bus the session bus
 * @param portal the interface of the portal
 * @param method the method, which returns the path of a request
 * @param args the arguments. The last one is the table of options
 * @throws (rejects) {@link PortalRequestError} if the user has cancelled, or the interaction ended in another way
 * @throws (rejects) `TimeoutError`, or the reason of the abort signal; the request is closed then
 * @throws (rejects) `ServiceLeftError` if the portal leaves the bus, `ConnectionClosedError` if the connection ends,
 * and the errors of the call
 */
export async function portalRequest<D extends InterfaceDefinition, M extends PortalMethod<D>>(
  bus: MessageBus,
  portal: D,
  method: M,
  args: PortalArguments<D, M>,
  { timeout, signal }: PortalRequestOptions = {},
): Promise<PortalResultsOf<D['name'], M>> {
  signal?.throwIfAborted();
  const member = `${portal.name}.${method}`;
  const given = args as readonly unknown[];
  const options = { handle_token: portalToken(), ...optionsIn(given, member) };
  const expected = `${REQUESTS}/${senderElement(bus)}/${options.handle_token}`;
  const pending = new PendingRequest(bus, expected, member, signal, timeout);
  try {
    const { call } = bus.proxy(portal.description, NAME, PATH);
    pending.called(call[method]<string>(...given.slice(0, -1), options));
    const [response, results] = await pending.response;
    if (response !== 0) throw new PortalRequestError(response, results, member);
    return results as PortalResultsOf<D['name'], M>;
  } finally {
    pending.end();
  }
}

type Response = readonly [response: number, results: Record<string, unknown>];

/** A request whose response is awaited. */
class PendingRequest {
  /** Settles once. */
  readonly response: Promise<Response>;
  readonly #bus: MessageBus;
  readonly #expected: string;
  readonly #timeout: number | undefined;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #handles: Disposable[] = [];
  /** Responses at other paths than the expected one, until the path is known. */
  readonly #others = new Map<string, Response>();
  #resolve!: (response: Response | Promise<Response>) => void;
  #reject!: (reason: unknown) => void;
  #handle: Promise<string> | undefined;
  #isAnswered = false;

  constructor(bus: MessageBus, expected: string, member: string, signal: AbortSignal | undefined, timeout?: number) {
    this.#bus = bus;
    this.#expected = expected;
    this.#timeout = timeout;
    this.#signal = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
    this.response = new Promise<Response>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.response.catch(() => {});
    this.#await(expected);
    const others = { sender: NAME, pathNamespace: REQUESTS };
    this.#handles.push(
      bus.signals(Request, others, {
        Response: (response, results, { path }) => {
          if (path !== expected) this.#others.set(path, [response, results]);
        },
      }),
    );
    this.#watchOwner(member);
  }

  /** Waits for the response of a request, until the connection, the time or the portal ends. */
  #await(path: string): void {
    const request = this.#bus.proxy(Request, NAME, path);
    const limits = { signal: this.#signal, ...(this.#timeout === undefined ? {} : { timeout: this.#timeout }) };
    request.once.Response(limits).then(
      (response) => this.#answered(response),
      (reason) => this.#reject(reason),
    );
  }

  #answered(response: Response): void {
    this.#isAnswered = true;
    this.#resolve(response);
  }

  /** A portal that was restarted knows nothing of earlier requests. */
  #watchOwner(member: string): void {
    let owner: string | undefined;
    const left = () =>
      this.#stop.abort(new ServiceLeftError(`the portal has left the bus before it answered ${member}`));
    this.#handles.push(
      this.#bus.watchName(NAME, {
        appeared(name) {
          if (owner !== undefined && owner !== name) left();
          owner = name;
        },
        vanished() {
          if (owner !== undefined) left();
        },
        // Without knowledge of the owner, the other limits remain.
        refused() {},
      }),
    );
  }

  /** Takes the reply of the call, which has the path of the request. */
  called(handle: Promise<string>): void {
    this.#handle = handle;
    handle.then(
      (path) => {
        if (path === this.#expected) return;
        const response = this.#others.get(path);
        if (response === undefined) this.#await(path);
        else this.#answered(response);
      },
      (reason) => this.#reject(reason),
    );
  }

  /** Ends the wait. A request that was not answered is closed, as soon as its path is known. */
  end(): void {
    for (const handle of this.#handles.splice(0)) handle[Symbol.dispose]();
    this.#stop.abort();
    if (this.#isAnswered || this.#handle === undefined) return;
    const close = async (path: string) => {
      if (this.#bus.state === 'closed') return;
      await this.#bus.proxy(Request, NAME, path).with({ noReply: true }).call.Close();
    };
    this.#handle.then(close).catch(() => {});
  }
}

function optionsIn(args: readonly unknown[], member: string): Record<string, unknown> {
  const options = args.at(-1);
  if (typeof options === 'object' && options !== null && !Array.isArray(options))
    return options as Record<string, never>;
  throw new InvalidArgumentError(`${member}: the last argument is the table of options, such as {}`);
}

/** The element of the path that stands for the caller. */
function senderElement({ uniqueName }: MessageBus): string {
  if (uniqueName === undefined) throw new InvalidArgumentError('portals are on a message bus, not at a peer');
  return uniqueName.slice(1).replaceAll('.', '_');
}
