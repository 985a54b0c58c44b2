/**
 * The corpora of other implementations, if they are beside the project: messages that their authors made, and names and
 * strings from their tables, each in a message.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { sharedPath } from '../../helpers/paths.js';
import { bytesOf, type WireMessage, wireMessage } from '../../helpers/wire.js';
import { type Corpus, type CorpusMessage, isOneMessage } from '../corpus.js';

const ABSENT = 'the corpora are not beside the project';

/** One message of `every`, so that a short run covers a part of all of them. */
export function sharedCorpora(every = 1): Corpus[] {
  return [
    corpus('every kind of message of dbus', 'dbus-message-factory/core.jsonl.gz', factoryMessages),
    corpus('messages of dbus, changed in one place', 'dbus-message-factory/mutations-dev10pct.jsonl.gz', (file) =>
      factoryMessages(file).filter((_, index) => index % every === 0),
    ),
    corpus('messages that dbus must refuse', 'dbus-1.14/invalid-messages', rawMessages),
    corpus('messages that dbus must accept', 'dbus-1.14/valid-messages', rawMessages),
    corpus('messages that crashed sd-bus once', 'systemd-fuzz/fuzz-bus-message', rawMessages),
    corpus('messages of dbus-next', 'python-dbus-next/messages.json', tableMessages),
    corpus('messages of dbus-fast', 'dbus-fast/messages.json', tableMessages),
    corpus('managed objects of BlueZ', 'dbus-fast/get_managed_objects.hex', hexadecimalMessage),
    corpus('strings at the limits of UTF-8', 'names/utf8-in-body.json', stringMessages),
    corpus('names, paths and signatures', 'names/names.json', (file) =>
      nameMessages(file).filter((_, index) => index % every === 0),
    ),
  ];
}

function corpus(name: string, path: string, read: (path: string) => CorpusMessage[]): Corpus {
  const found = sharedPath(`data/${path}`);
  if (found === undefined) return { name, messages: [], missing: ABSENT };
  const messages = read(found).filter(({ bytes }) => isOneMessage(bytes));
  return { name, messages, mostlyBroken: name.includes('changed') };
}

function fromHexadecimal(name: string, text: string): CorpusMessage {
  return { name, bytes: Buffer.from(text.trim(), 'hex') };
}

function factoryMessages(file: string): CorpusMessage[] {
  const lines = gunzipSync(readFileSync(file)).toString().trim().split('\n');
  return lines.map((line, index) => {
    const { family, hex } = JSON.parse(line) as { family: string; hex: string };
    return fromHexadecimal(`${family} ${index}`, hex);
  });
}

function rawMessages(folder: string): CorpusMessage[] {
  const names = readdirSync(folder).filter((name) => !name.endsWith('.hex'));
  return names.map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
}

function tableMessages(file: string): CorpusMessage[] {
  const examples = JSON.parse(readFileSync(file, 'utf8')) as { data: string }[];
  return examples.map(({ data }, index) => fromHexadecimal(`message ${index}`, data));
}

function hexadecimalMessage(file: string): CorpusMessage[] {
  return [fromHexadecimal('GetManagedObjects', readFileSync(file, 'utf8'))];
}

function stringMessages(file: string): CorpusMessage[] {
  const strings = JSON.parse(readFileSync(file, 'utf8')) as { name: string; message: string }[];
  return strings.map(({ name, message }) => fromHexadecimal(name, message));
}

const SIGNAL = { type: 4, serial: 7, path: '/a', interface: 'a.b', member: 'C', sender: ':1.2' } as const;

/** A message with a name of some kind: in the header if that has a place for it, or as a value. */
const messageWith: Readonly<Record<string, (text: string) => WireMessage>> = {
  path: (text) => ({ ...SIGNAL, path: text }),
  interface: (text) => ({ ...SIGNAL, interface: text }),
  member: (text) => ({ ...SIGNAL, member: text }),
  error: (text) => ({ type: 3, serial: 7, replySerial: 1, sender: ':1.2', errorName: text }),
  bus_name: (text) => ({ ...SIGNAL, destination: text }),
  signature: (text) => ({ ...SIGNAL, signature: 'g', body: bytesOf((bytes) => bytes.signature(text)) }),
  // No value follows, because none would match.
  single_signature: (text) => ({ ...SIGNAL, signature: 'v', body: bytesOf((bytes) => bytes.signature(text)) }),
  utf8: (text) => ({ ...SIGNAL, signature: 's', body: bytesOf((bytes) => bytes.text(text)) }),
};

interface TableName {
  readonly kind: string;
  readonly value?: string;
  /** The bytes of text that is not UTF-8. */
  readonly hex?: string;
}

function nameMessages(file: string): CorpusMessage[] {
  const names = JSON.parse(readFileSync(file, 'utf8')) as TableName[];
  return names.flatMap(({ kind, value, hex }) => {
    const name = `${kind} ${(value ?? hex ?? '').slice(0, 80)}`;
    if (value === undefined) return [{ name, bytes: textMessage(kind, Buffer.from(hex ?? '', 'hex')) }];
    const make = messageWith[kind];
    // The length of a signature is one byte.
    if (make === undefined || (kind.endsWith('signature') && value.length > 255)) return [];
    return [{ name, bytes: wireMessage(make(value)) }];
  });
}

function textMessage(kind: string, text: Uint8Array): Buffer {
  const signature = kind === 'path' ? 'o' : 's';
  return wireMessage({ ...SIGNAL, signature, body: bytesOf((bytes) => bytes.text(text)) });
}
