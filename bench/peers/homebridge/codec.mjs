/** The codec of @homebridge/dbus-native: variants and dictionaries as pairs, both ways. */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const marshall = require('@homebridge/dbus-native/lib/marshall.js');
const unmarshall = require('@homebridge/dbus-native/lib/unmarshall.js');
const message = require('@homebridge/dbus-native/lib/message.js');
const { messageType } = require('@homebridge/dbus-native/lib/constants.js');

/** @type {import('../../codec/peer.mjs').Codec} */
export const codec = {
  variant: (signature, value) => [signature, typeof value === 'bigint' ? Number(value) : value],
  dictionary: (entries) => [...entries],
  encoder: (signature, values) => () => marshall(signature, values),
  callEncoder: (head, values) => () =>
    message.marshall({ ...head, type: messageType.methodCall, serial: 1, body: values }),
  decoder: (signature, bytes) => () => unmarshall(bytes, signature, 0),
};
