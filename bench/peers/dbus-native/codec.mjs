/** The codec of dbus-native: plain objects and `Variant`s to bytes, and back to plain values. */
import { createRequire } from 'node:module';
import library from 'dbus-native';

const require = createRequire(import.meta.url);
const marshall = require('dbus-native/lib/marshall.js');
const unmarshall = require('dbus-native/lib/unmarshall.js');
const message = require('dbus-native/lib/message.js');

/** @type {import('../../codec/peer.mjs').Codec} */
export const codec = {
  variant: (signature, value) => new library.Variant(signature, value),
  dictionary: Object.fromEntries,
  encoder: (signature, values) => () => marshall(signature, values),
  callEncoder: (head, values) => () =>
    message.marshall({ ...head, type: library.messageType.methodCall, serial: 1, body: values }),
  decoder: (signature, bytes) => () => unmarshall(bytes, signature, 0),
};
