/** A service with members of all types, on which the commands are tried beside busctl and gdbus. */
import { DBusError, defineInterface, implement, type MessageBus, pipe, variant } from '../../src/index.js';

export const serviceName = 'org.example.Sample';
export const samplePath = '/org/example/sample';
export const sampleInterface = 'org.example.Sample.Values';

const LONGEST = 18_446_744_073_709_551_615n;

const Values = defineInterface(sampleInterface, {
  methods: {
    Basic: {
      in: ['byte:y', 'flag:b', 'n:n', 'q:q', 'i:i', 'u:u', 'x:x', 't:t', 'd:d', 's:s', 'o:o', 'g:g'],
      out: ['byte:y', 'flag:b', 'n:n', 'q:q', 'i:i', 'u:u', 'x:x', 't:t', 'd:d', 's:s', 'o:o', 'g:g'],
    },
    Containers: {
      in: ['names:as', 'bytes:ay', 'struct:(isa{ss})', 'settings:a{sv}', 'numbers:a{tay}'],
      out: ['names:as', 'bytes:ay', 'struct:(isa{ss})', 'settings:a{sv}', 'numbers:a{tay}'],
      variants: 'wrap',
    },
    Text: { in: ['text:s'], out: ['text:s'] },
    Fail: { in: ['text:s'], out: '' },
    Pipe: { out: ['fd:h'] },
    Never: { out: ['never:s'] },
    Both: { out: ['which:s'] },
  },
  signals: { Moved: { args: ['x:i', 'where:s'] } },
  properties: {
    Longest: { type: 't', access: 'readwrite' },
    Blob: { type: 'ay', access: 'readwrite' },
    Settings: { type: 'a{sv}', access: 'read' },
    Fixed: { type: 's', access: 'read', emits: 'const' },
    Secret: { type: 's', access: 'write', emits: false },
    'dash-name': { type: 'd', access: 'readwrite', emits: 'invalidates' },
  },
});

const Other = defineInterface('org.example.Sample.Other', { methods: { Both: { out: ['which:s'] } } });

/** Exports the object, and requests the name. */
export async function exportSample(bus: MessageBus): Promise<void> {
  const secret = { value: '' };
  bus.export(
    samplePath,
    implement(Values, {
      Basic: (y, b, n, q, i, u, x, t, d, s, o, g) => [y, b, n, q, i, u, x, t, d, s, o, g],
      Containers: (names, bytes, struct, settings, numbers) => [names, bytes, struct, settings, numbers],
      Text: (text) => text,
      Fail: (text) => {
        throw new DBusError('org.example.Error.Wanted', text);
      },
      Pipe: async () => {
        const [reader, writer] = await pipe();
        writer.close();
        return reader;
      },
      Never: () => new Promise<string>(() => {}),
      Both: () => 'values',
      Longest: LONGEST,
      Blob: Buffer.from([0, 255, 10]),
      Settings: { count: variant.u(5), name: 'disk', blob: variant.ay(Buffer.from('sda\0')) },
      Fixed: 'fixed',
      Secret: {
        set: (value: string) => {
          secret.value = value;
        },
      },
      'dash-name': 0.5,
    }),
    implement(Other, { Both: () => 'other' }),
  );
  for (const child of ['a', 'b', 'b/c']) bus.export(`${samplePath}/${child}`, implement(Other, { Both: () => child }));
  await bus.requestName(serviceName);
}
