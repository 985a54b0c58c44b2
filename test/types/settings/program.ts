/**
 * Code that has to compile, and code that must not, with any settings of a user's compiler:
 * scripts/type-tests/settings.mjs.
 */
import {
  connect,
  defineInterface,
  type FileDescriptor,
  implement,
  type MessageBus,
  type ProxyOf,
  variant,
} from 'busbar';

export const Files = defineInterface('org.example.Files', {
  methods: { Bytes: { out: ['data:ay'] }, Size: { out: ['size:t'] }, Open: { out: ['file:h'] } },
  properties: { Mode: { type: 'u' } },
  signals: { Written: { args: ['path:s'] } },
});

export async function main(): Promise<void> {
  await using bus: MessageBus = await connect({ address: 'unix:path=/nowhere' });
  const files: ProxyOf<typeof Files> = bus.proxy(Files, 'org.example.Files', '/');
  using written = files.on.Written((path) => path.trim());
  const bytes: Uint8Array = await files.call.Bytes();
  const size: bigint = await files.call.Size();
  using file: FileDescriptor = await files.call.Open();
  await files.set.Mode(0o600);

  // A value of type `any` could be used in all of these ways.
  // @ts-expect-error an array of bytes is not a number
  const number: number = await files.call.Bytes();
  // @ts-expect-error an array of bytes does not have this member
  bytes.nothing;
  // @ts-expect-error a bigint is not a string
  const text: string = size;
  // @ts-expect-error a path is not a number
  files.on.Written((path: number) => path);
  // @ts-expect-error a connection is made by `connect`
  new MessageBusItself();
  console.log(written.constructor, file.fd, number, text, variant.u(5).signature);
  using exported = bus.export(
    '/',
    implement(Files, { Bytes: () => Buffer.of(1), Size: () => 1n, Open: () => 0, Mode: 0 }),
  );
  console.log(exported.path);
}

declare const MessageBusItself: typeof MessageBus;
