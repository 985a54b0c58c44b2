/** An authentication agent, written with busbar: it answers polkit's questions to the user as the test says. */
import { defineInterface, type Handle, implement, type MessageBus, variant } from '../../src/index.js';

const NAME = 'org.freedesktop.PolicyKit1';
const AUTHORITY = '/org/freedesktop/PolicyKit1/Authority';
const PATH = '/org/example/agent';

const Authority = defineInterface('org.freedesktop.PolicyKit1.Authority', {
  methods: {
    RegisterAuthenticationAgent: { in: ['subject:(sa{sv})', 'locale:s', 'object_path:s'] },
    UnregisterAuthenticationAgent: { in: ['subject:(sa{sv})', 'object_path:s'] },
    AuthenticationAgentResponse2: { in: ['uid:u', 'cookie:s', 'identity:(sa{sv})'] },
  },
});

const Agent = defineInterface('org.freedesktop.PolicyKit1.AuthenticationAgent', {
  methods: {
    BeginAuthentication: {
      in: ['action:s', 'message:s', 'icon:s', 'details:a{ss}', 'cookie:s', 'identities:a(sa{sv})'],
      variants: 'wrap',
    },
    CancelAuthentication: { in: ['cookie:s'] },
  },
});

/** A question to the user. */
export interface Asked {
  readonly action: string;
  /** The text of the dialog. */
  readonly message: string;
  /** Settles when polkit withdraws the question. */
  readonly cancelled: Promise<void>;
}

/** The answer of the user: the right password, none, or nothing at all. */
export type Reply = 'yes' | 'no' | 'never';

/**
 * A user at a dialog, for the calls of all connections of this process. polkit asks an agent about a process or a session.
 * Only root may be the agent of a process of another user, and this one is root's, whoever it connects as.
 */
export class PolkitAgent {
  readonly asked: Asked[] = [];
  reply: Reply = 'yes';
  readonly #cancels = new Map<string, () => void>();
  readonly #bus: MessageBus;
  readonly #export: Handle;

  /** @param bus a connection of root */
  static async register(bus: MessageBus): Promise<PolkitAgent> {
    const agent = new PolkitAgent(bus);
    await agent.#authority.call.RegisterAuthenticationAgent(agent.#subject, 'C', PATH);
    return agent;
  }

  private constructor(bus: MessageBus) {
    this.#bus = bus;
    const object = implement(Agent, {
      BeginAuthentication: (action, message, _icon, _details, cookie, identities) =>
        this.#begin(action, message, cookie, identities[0] as [string, Record<string, unknown>]),
      CancelAuthentication: (cookie) => this.#cancels.get(cookie)?.(),
    });
    this.#export = bus.export(PATH, object);
  }

  /** Ends the registration: a process has one agent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#authority.call.UnregisterAuthenticationAgent(this.#subject, PATH);
    this.#export.end();
  }

  get #authority() {
    return this.#bus.proxy(Authority, NAME, AUTHORITY);
  }

  get #subject(): [string, Record<string, unknown>] {
    return ['unix-process', { pid: variant.u(process.pid), 'start-time': variant.t(0) }];
  }

  async #begin(
    action: string,
    message: string,
    cookie: string,
    identity: [string, Record<string, unknown>],
  ): Promise<void> {
    const cancelled = new Promise<void>((resolve) => this.#cancels.set(cookie, resolve));
    this.asked.push({ action, message, cancelled });
    if (this.reply === 'never') await cancelled;
    // What polkit-agent-helper-1 tells polkit when the password was right.
    if (this.reply === 'yes') await this.#authority.call.AuthenticationAgentResponse2(0, cookie, identity);
  }
}
