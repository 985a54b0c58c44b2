/** The agents of applications: BlueZ calls them when a user has to decide. */
import { type CallContext, DBusError, type Handle, implement, systemBus } from 'busbar';
import { Agent, AgentManager } from '../interfaces/bluez.js';

interface Registered {
  readonly path: string;
  readonly capability: string;
  readonly owner: Handle;
}
/** Agents by the unique name of the application, the default agent first. */
let agents = new Map<string, Registered>();
export const bus = await systemBus();

export const failure = (name: string, text: string) => new DBusError(`org.bluez.Error.${name}`, text);

function agentOf(sender: string, path: string): Registered {
  const agent = agents.get(sender);
  if (agent?.path !== path) throw failure('DoesNotExist', `${sender} has no agent ${path}`);
  return agent;
}

function remove(sender: string): void {
  agents.get(sender)?.owner.end();
  agents.delete(sender);
}

export const agentManager = implement(AgentManager, {
  RegisterAgent(path, capability, { sender = '' }) {
    if (agents.has(sender)) throw failure('AlreadyExists', `${sender} has an agent`);
    const owner = bus.watchName(sender, { vanished: () => remove(sender) });
    agents.set(sender, { path, capability, owner });
  },
  UnregisterAgent(path, { sender = '' }) {
    agentOf(sender, path);
    remove(sender);
  },
  RequestDefaultAgent(path, { sender = '' }) {
    // The entry that is repeated keeps the first place.
    agents = new Map([[sender, agentOf(sender, path)], ...agents]);
  },
});

/** Resolves when the user has confirmed that the device shows this passkey; rejects if not, or when `signal` aborts. */
export async function confirm(device: string, passkey: number, { sender = '' }: CallContext, signal: AbortSignal) {
  // The agent of the application that asks, or else the default agent.
  const [owner, agent] = agents.has(sender) ? [sender, agents.get(sender)] : ([...agents][0] ?? []);
  if (agent === undefined) throw failure('AuthenticationFailed', 'there is no agent, so no user can confirm');
  if (agent.capability === 'NoInputNoOutput') return;
  const proxy = bus.proxy(Agent, owner, agent.path).with({ signal, timeout: 60_000 });
  try {
    await proxy.call.RequestConfirmation(device, passkey);
  } catch {
    if (!signal.aborted) throw failure('AuthenticationRejected', 'the user has not confirmed the passkey');
    await bus
      .proxy(Agent, owner, agent.path)
      .call.Cancel()
      .catch(() => {});
    throw failure('AuthenticationCanceled', 'the pairing was cancelled');
  }
}
