/** The context of the examples in the reference: a bus, a service on it with a descriptor, and its proxies. */
import { openSync } from 'node:fs';
import {
  connect,
  defineInterface,
  FileDescriptor,
  implement,
  method,
  property,
  ServiceInterface,
  sessionBus,
} from 'busbar';

export class TestModule extends ServiceInterface {
  constructor() {
    super('org.example.dbustest.Module');
  }

  @method({ in: ['kind:s', 'devices:a{sas}'], out: ['result:s'] })
  TestMethod(kind: string, devices: Record<string, string[]>): string {
    return `${kind}, ${Object.keys(devices).length} kinds of devices`;
  }

  @property({ type: 'a{ss}', access: 'readwrite' })
  accessor TestProperty: Record<string, string> = {};
}

export const Module = defineInterface('org.example.dbustest.Module', {
  methods: { TestMethod: { in: ['kind:s', 'devices:a{sas}'], out: ['result:s'] } },
  signals: { TestSignal: { args: ['vms:a{ss}'] } },
  properties: { TestProperty: { type: 'a{ss}', access: 'readwrite' } },
});

const Files = defineInterface('org.example.dbustest.Files', {
  methods: { Open: { in: ['path:s'], out: ['file:h'] }, Attach: { in: ['file:h'] } },
});

const service = await sessionBus();
service.export('/org/example/dbustest', new TestModule());
service.export(
  '/org/example/files',
  implement(Files, {
    Open: (path) => FileDescriptor.adopt(openSync(path, 'r')).handOver(),
    Attach: (file) => file.close(),
  }),
);
service.exportObjectManager('/');
await service.requestName('org.example.dbustest');

/** Another connection: a client exports nothing, so examples may export paths of the service. */
export const bus = await connect({ bus: 'session' });
export const files = bus.proxy(Files, 'org.example.dbustest', '/org/example/files');
export const path = '/etc/hostname';
