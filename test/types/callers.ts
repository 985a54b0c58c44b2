/** Type tests of callers: what handlers, getters and setters get, and `currentCall`, in both dialects of decorators. */
import {
  type CallContext,
  type Caller,
  type CallerLeftError,
  type ConnectionClosedError,
  defineInterface,
  type FileDescriptor,
  type Handle,
  implement,
  method,
  ServiceInterface,
} from 'busbar';
import type { currentCall } from 'busbar/current-call';
import { type Equal, is } from './is.js';

const Lamp = defineInterface('org.example.Lamp', {
  methods: { On: { in: 'u' } },
  properties: { Level: { type: 'u' }, Model: { type: 's', access: 'read' }, Secret: { type: 's', access: 'write' } },
});

const lamp = implement(Lamp, {
  async On(_level, { caller }) {
    is<Equal<typeof caller, Caller>>();
    is<Equal<typeof caller.name, string | undefined>>();
    const handle = caller.track((reason) => is<Equal<typeof reason, CallerLeftError | ConnectionClosedError>>());
    is<Equal<typeof handle, Handle>>();
    caller.track(async () => {});
    caller.left.throwIfAborted();
    const credentials = await caller.credentials({ pidfd: true, timeout: 100 });
    is<Equal<typeof credentials.unit, string | undefined>>();
    is<Equal<typeof credentials.gid, number | undefined>>();
    is<Equal<typeof credentials.pidfd, FileDescriptor | undefined>>();
    // @ts-expect-error an unknown option
    await caller.credentials({ pidFd: true });
    // @ts-expect-error no function
    caller.track('cleanup');
  },
  Level: {
    get(call) {
      is<Equal<typeof call, CallContext | undefined>>();
      return 1;
    },
    set(value, call) {
      is<Equal<typeof value, number>>();
      is<Equal<typeof call, CallContext | undefined>>();
    },
  },
  Model: { get: async (call) => call?.sender ?? '' },
  Secret: { set: (_value) => {} },
});
is<Equal<typeof lamp.properties.Level, number>>();
// What the getter returns can be read.
is<Equal<typeof lamp.properties.Model, string | Promise<string>>>();
is<Equal<typeof lamp.properties.Secret, string | undefined>>();

export class Door extends ServiceInterface {
  constructor() {
    super('org.example.Door');
  }

  @method({ in: 'u', context: true })
  Open(_angle: number, { caller }: CallContext): void {
    is<Equal<typeof caller, Caller>>();
    is<Equal<ReturnType<typeof currentCall>, CallContext | undefined>>();
  }
}
