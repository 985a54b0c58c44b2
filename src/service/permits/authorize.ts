/**
 * Asks polkit whether a caller may perform an action. The subject is the unique name of the caller, which no other
 * connection can take over. The answer must come from the connection that owned polkit's name before the question was
 * sent: a bus may deliver replies that no call asked for.
 *
 * @see polkit Reference Manual, "org.freedesktop.PolicyKit1.Authority Interface"
 */
import { AccessDeniedError, InteractiveAuthorizationRequiredError } from '../../base/error-classes.js';
import { InvalidArgumentError, NameHasNoOwnerError, NotSupportedError, ProtocolError } from '../../base/errors.js';
import { KnownOptions } from '../../base/known-options.js';
import { checkSignal, checkTimeout } from '../../base/parameters.js';
import { randomBytes } from '../../base/random-bytes.js';
import { BusDriver } from '../../bus/names/driver.js';
import type { Connection } from '../../connection/connection.js';
import { MessageFlag, MessageType } from '../../connection/message.js';
import { onAbort } from '../../connection/sending/abort-reactions.js';
import type { ReplyBody } from '../../connection/sending/pending-calls.js';
import { startTimer } from '../../connection/time-limit.js';
import { errorText, report } from '../../diagnostics/problems.js';
import { variant } from '../../values/variant.js';

/** The options of {@link CallContext.authorize}. */
export interface AuthorizeOptions {
  /**
   * Values for polkit's rules, by name. `polkit.message` is the text of the dialog, in which `$(name)` stands for a value.
   */
  readonly details?: Readonly<Record<string, string>> | undefined;
  /**
   * Milliseconds after which the caller is refused. By default 25 000 if the user is not asked, and no limit if the user
   * may be asked.
   */
  readonly timeout?: number | undefined;
  /** Aborting cancels the question, and the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The call whose caller is asked about. */
interface Asking {
  /** The caller's unique name. */
  readonly sender: string | undefined;
  readonly flags: number;
  /** Aborts when the caller leaves. */
  readonly signal: AbortSignal;
  /** The description of the call, for reports. */
  readonly what: string;
  readonly connectionId: number;
}

/**
 * The details of a check by polkit.
 *
 * @throws {@link InvalidArgumentError}
 */
export function detailsOf(given: unknown): Readonly<Record<string, string>> {
  if (given === undefined) return {};
  const isTable = typeof given === 'object' && given !== null && !Array.isArray(given);
  if (!isTable || Object.values(given).some((value) => typeof value !== 'string')) {
    throw new InvalidArgumentError('details: expected an object with strings by name');
  }
  return given as Readonly<Record<string, string>>;
}

const authorizeOptions = new KnownOptions<AuthorizeOptions>('authorize()', {
  details: detailsOf,
  timeout: checkTimeout,
  signal: checkSignal,
});

const NAME = 'org.freedesktop.PolicyKit1';
const PATH = '/org/freedesktop/PolicyKit1/Authority';
const INTERFACE = 'org.freedesktop.PolicyKit1.Authority';
/** The flag of CheckAuthorization with which polkit asks the user. */
const ALLOW_USER_INTERACTION = 1;
const QUIET_LIMIT = 25_000;

/** The answer of polkit: whether the caller is authorized, and whether it would be if the user was asked. */
type Answer = readonly [isAuthorized: boolean, isChallenge: boolean];

/**
 * Resolves if the caller is authorized; see {@link CallContext.authorize}.
 *
 * @param connection the connection of the call. Over another one, the caller's name may be that of another connection
 * @param isQuiet whether the user must not be asked, even if the caller allows it
 */
export async function authorize(
  connection: Connection,
  call: Asking,
  action: string,
  options: AuthorizeOptions = {},
  isQuiet = false,
): Promise<void> {
  if (typeof action !== 'string' || action === '')
    throw new InvalidArgumentError('action: expected the id of an action');
  authorizeOptions.check(options);
  const { details = {}, signal } = options;
  signal?.throwIfAborted();
  const mayAsk = !isQuiet && (call.flags & MessageFlag.AllowInteractiveAuthorization) !== 0;
  const timeout = options.timeout ?? (mayAsk ? Number.POSITIVE_INFINITY : QUIET_LIMIT);
  // Following the caller costs a match rule. Only a question to the user takes long enough.
  const signals = [mayAsk ? call.signal : undefined, signal].filter((each) => each !== undefined);
  const question = new Question(connection, call, action, details, mayAsk);
  const [isAuthorized, isChallenge] = await question.ask(signals, timeout);
  if (isAuthorized) return;
  const needed = `the polkit action ${action} is required`;
  if (isChallenge && !mayAsk) {
    throw new InteractiveAuthorizationRequiredError(
      `${needed}, for which the user has to be asked: call with the flag ALLOW_INTERACTIVE_AUTHORIZATION`,
    );
  }
  throw new AccessDeniedError(mayAsk ? `${needed}, and the user did not grant it` : needed);
}

class Question {
  readonly #connection: Connection;
  readonly #call: Asking;
  readonly #action: string;
  readonly #body: readonly unknown[];
  /** Unpredictable, because all users of the connection share the ids. */
  readonly #id = `busbar-${randomBytes(8).toString('hex')}`;
  /** The unique name of polkit, after it was asked. */
  #polkit: string | undefined;
  /** Whether the answer is no longer wanted. */
  #isEnded = false;

  constructor(
    connection: Connection,
    call: Asking,
    action: string,
    details: Readonly<Record<string, string>>,
    mayAsk: boolean,
  ) {
    this.#connection = connection;
    this.#call = call;
    this.#action = action;
    const subject = ['system-bus-name', { name: variant.s(call.sender ?? '') }];
    this.#body = [subject, action, details, mayAsk ? ALLOW_USER_INTERACTION : 0, this.#id];
  }

  /**
   * Asks, until a signal aborts or the time is over.
   *
   * @throws (rejects) {@link AccessDeniedError} if polkit does not answer in time, or cannot be asked, which is reported
   */
  async ask(signals: readonly AbortSignal[], timeout: number): Promise<Answer> {
    const stops: (() => void)[] = [];
    const ended = new Promise<never>((_, reject) => {
      const end = (reason: unknown) => {
        this.#isEnded = true;
        reject(reason);
      };
      const late = `the polkit action ${this.#action} is required, and was not granted within ${timeout} ms`;
      stops.push(startTimer(() => end(new AccessDeniedError(late)), timeout));
      for (const signal of signals) {
        if (signal.aborted) end(signal.reason);
        else stops.push(onAbort(signal, () => end(signal.reason)));
      }
    });
    try {
      return await Promise.race([ended, this.#answer()]);
    } catch (error) {
      if (!this.#isEnded) throw this.#unavailable(error);
      this.#cancel();
      throw error;
    } finally {
      for (const stop of stops) stop();
    }
  }

  async #answer(): Promise<Answer> {
    // A connection to a peer has no senders, and there is no polkit.
    if (this.#call.sender === undefined) throw new NotSupportedError('polkit knows only callers on a bus');
    const polkit = await this.#owner();
    // A question that ended while polkit was looked for is not asked, because it would not be withdrawn.
    if (this.#isEnded) throw new AccessDeniedError('the question has ended');
    this.#polkit = polkit;
    return this.#send('CheckAuthorization', '(sa{sv})sa{ss}us', this.#body, (reply) => {
      if (reply.signature === '(bba{ss})') return (reply.decode() as [Answer])[0];
      throw new ProtocolError(`polkit answered with "${reply.signature}" instead of "(bba{ss})"`);
    });
  }

  /** The unique name of polkit, which is started if it does not run. */
  async #owner(): Promise<string> {
    const driver = new BusDriver(this.#connection);
    this.#requireConnection();
    try {
      return await driver.nameOwner(NAME);
    } catch (error) {
      if (!(error instanceof NameHasNoOwnerError)) throw error;
    }
    this.#requireConnection();
    await driver.startService(NAME);
    this.#requireConnection();
    return await driver.nameOwner(NAME);
  }

  #send<Result>(member: string, signature: string, body: readonly unknown[], take: (reply: ReplyBody) => Result) {
    this.#requireConnection();
    const type = MessageType.MethodCall;
    const head = { type, destination: this.#polkit, path: PATH, interface: INTERFACE, member, signature };
    // The time limit is that of the whole question.
    return this.#connection.calls.call(head, body, { timeout: Number.POSITIVE_INFINITY }, take);
  }

  /** A call after a loss would wait for the next connection, where another caller may have the name. */
  #requireConnection(): void {
    if (!this.#connection.carriesMessages) throw this.#connection.refusal('polkit cannot be asked');
  }

  /** Makes polkit withdraw its dialog, because the answer is no longer wanted. */
  #cancel(): void {
    if (this.#polkit === undefined || !this.#connection.carriesMessages) return;
    // It fails if polkit has answered meanwhile.
    this.#send('CancelCheckAuthorization', 's', [this.#id], () => {}).catch(() => {});
  }

  #unavailable(error: unknown): AccessDeniedError {
    const what = `${this.#call.what} is refused, because polkit did not decide about ${this.#action}`;
    report('handler', what, error, this.#call.connectionId);
    return new AccessDeniedError(
      `the polkit action ${this.#action} is required, and polkit did not decide: ${errorText(error)}`,
    );
  }
}
