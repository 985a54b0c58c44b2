/** The agents of applications: BlueZ calls them when a user has to decide. */
import { type CallContext, type Caller, DBusError, type Handle, implement, type ProxyOf, systemBus } from 'busbar';
import { Agent, AgentManager } from '../interfaces/bluez.js';

interface Registered {
  readonly path: string;
  readonly capability: string;
  readonly proxy: ProxyOf<typeof Agent>;
  readonly lease: Handle;
}
/** Agents by the unique name of the application, the default agent first. */
let agents = new Map<string | undefined, Registered>();
export const bus = await systemBus();

export const failure = (name: string, text: string) => new DBusError(`org.bluez.Error.${name}`, text);

function agentOf({ name }: Caller, path: string): Registered {
  const agent = agents.get(name);
  if (agent?.path !== path) throw failure('DoesNotExist', `this application has no agent ${path}`);
  return agent;
}

export const agentManager = implement(AgentManager, {
  RegisterAgent(path, capability, { caller }) {
    if (agents.has(caller.name)) throw failure('AlreadyExists', 'this application has an agent');
    const lease = caller.track(() => agents.delete(caller.name));
    agents.set(caller.name, { path, capability, proxy: bus.proxy(Agent, caller.name, path), lease });
  },
  UnregisterAgent(path, { caller }) {
    agentOf(caller, path).lease.end();
    agents.delete(caller.name);
  },
  RequestDefaultAgent(path, { caller }) {
    // The entry that is repeated keeps the first place.
    agents = new Map([[caller.name, agentOf(caller, path)], ...agents]);
  },
});

/** Resolves when the user has confirmed that the device shows this passkey; rejects if not, or when `signal` aborts. */
export async function confirm(device: string, passkey: number, { caller }: CallContext, signal: AbortSignal) {
  // The agent of the application that asks, or else the default agent.
  const agent = agents.get(caller.name) ?? [...agents.values()][0];
  if (agent === undefined) throw failure('AuthenticationFailed', 'there is no agent, so no user can confirm');
  if (agent.capability === 'NoInputNoOutput') return;
  try {
    await agent.proxy.with({ signal, timeout: 60_000 }).call.RequestConfirmation(device, passkey);
  } catch {
    if (!signal.aborted) throw failure('AuthenticationRejected', 'the user has not confirmed the passkey');
    // The user need not answer any more. The agent may have left.
    await agent.proxy.call.Cancel().catch(() => {});
    throw failure('AuthenticationCanceled', 'the pairing was cancelled');
  }
}
