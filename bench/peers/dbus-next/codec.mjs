/**
 * The codec of dbus-next: what it sends and what its users get is converted from and to the form that it marshals, so
 * that step is part of the time. Bodies cannot be marshalled by themselves in that form; the header comes with them.
 */
import { createRequire } from 'node:module';
import library from 'dbus-next';

const require = createRequire(import.meta.url);
const DBusBuffer = require('dbus-next/lib/dbus-buffer.js');
const { endianness } = require('dbus-next/lib/constants.js');
const { marshallMessage, messageToJsFmt } = require('dbus-next/lib/marshall-compat.js');

/** @type {import('../../codec/peer.mjs').Codec} */
export const codec = {
  variant: (signature, value) => new library.Variant(signature, value),
  dictionary: Object.fromEntries,
  encoder(signature, values) {
    return this.callEncoder({ path: '/', member: 'M', signature }, values);
  },
  callEncoder: (head, values) => () =>
    marshallMessage({ ...head, type: library.MessageType.METHOD_CALL, serial: 1, body: values }),
  decoder: (signature, bytes) => () =>
    messageToJsFmt({ signature, body: new DBusBuffer(bytes, 0, endianness.le, []).read(signature) }).body,
};
