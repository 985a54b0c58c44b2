/**
 * The interface `org.example.dbustest.Module`: one class, which the service exports and from which the client makes its
 * proxy.
 */
import { type Emits, method, property, ServiceInterface, signal } from 'busbar';

/** Virtual machines and the devices that can be detached from them, as a host lists them. */
const machines: readonly { readonly name: string; readonly kind: string }[] = [
  { name: 'web', kind: 'kvm' },
  { name: 'mail', kind: 'kvm' },
  { name: 'build', kind: 'xen' },
];

export class TestModule extends ServiceInterface {
  constructor() {
    super('org.example.dbustest.Module');
  }

  /** Detaches devices, grouped by type, from every machine of a kind. */
  @method({ in: ['kind:s', 'devices:a{sas}'], out: ['result:s'] })
  async TestMethod(kind: string, devices: Record<string, string[]>): Promise<string> {
    const affected = machines.filter((machine) => machine.kind === kind);
    if (affected.length === 0) return 'Fail: no machine of this kind';

    const detached = Object.values(devices).flat().join(', ');
    this.TestSignal(Object.fromEntries(affected.map(({ name }) => [name, `detached ${detached}`])));
    return 'Success';
  }

  /** Reports what happened to each machine. */
  @signal({ args: ['vms:a{ss}'] })
  TestSignal(vms: Record<string, string>): Emits<Record<string, string>> {
    return vms;
  }

  /** The state of each machine. */
  @property({ type: 'a{ss}', access: 'readwrite' })
  accessor TestProperty: Record<string, string> = { web: 'running', mail: 'running', build: 'paused' };
}
