/**
 * Random addresses: each is parsed or refused, and never misread; and clients can read the address that a server writes.
 */
import { resolve } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Address, escapeAddressValue, formatAddress, parseAddresses } from '../../src/address/address.js';
import { connectableAddress, listenTarget } from '../../src/address/listen-address.js';
import { InvalidArgumentError } from '../../src/base/errors.js';

const test = suite('addresses: properties');

const word = fc.oneof(
  fc.constantFrom('unix', 'tcp', 'unixexec', 'path', 'abstract', 'guid', 'host', 'port', 'family', 'runtime', 'yes'),
  fc.constantFrom(':', '=', ',', ';', '%', '%00', '%2f', '%zz', '/', '/tmp/x', 'localhost', '65535', '65536', '*'),
  fc.constantFrom('constructor', '__proto__', 'toString'),
  fc.string({ unit: 'binary', maxLength: 3 }),
);
const pair = fc.tuple(word, word).map((both) => both.join('='));
const lists = fc.oneof(
  fc.array(word, { maxLength: 12 }).map((words) => words.join('')),
  fc.tuple(word, fc.array(pair, { maxLength: 4 })).map(([transport, pairs]) => `${transport}:${pairs.join(',')}`),
);

test('any text is parsed as addresses that are written the same way again, or refused', () => {
  fc.assert(
    fc.property(lists, (text) => {
      let addresses: readonly Address[];
      try {
        addresses = parseAddresses(text);
      } catch (error) {
        assert.instance(error, InvalidArgumentError);
        return;
      }
      assert.is(addresses.map((address) => address.text).join(';'), text.split(';').filter(Boolean).join(';'));
      for (const { transport, parameters, refusal } of addresses) {
        // Invalid UTF-8 is decoded to replacement characters, which cannot be encoded as the original bytes.
        const [again] = parseAddresses(formatAddress({ transport, parameters }));
        assert.equal(again?.parameters, parameters);
        assert.is(again?.transport, transport);
        assert.is(again?.refusal, refusal);
      }
    }),
    { numRuns: 5000 },
  );
});

test('an escaped value has no byte with a meaning in an address', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const escaped = escapeAddressValue(value);
      assert.match(escaped, /^(?:[-0-9A-Za-z_/.\\]|%[0-9a-f]{2})*$/);
    }),
  );
});

test('the place where a server listens is the place to which clients of its address connect', async () => {
  const guid = '00112233445566778899aabbccddeeff';
  const name = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 40 })
    .filter((text) => !/[\0\p{Surrogate}\ufffd]/u.test(text));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('path', 'abstract'), name, async (key, value) => {
      const target = await listenTarget({ transport: 'unix', parameters: new Map([[key, value]]) }, {});
      if (typeof target === 'string') {
        assert.match(target, /bytes/);
        return;
      }
      const [address] = parseAddresses(connectableAddress(target, 0, guid));
      assert.is(address?.refusal, undefined);
      assert.equal(
        [...(address?.parameters ?? [])],
        [
          // A relative path is relative to the current folder.
          [key, key === 'path' ? resolve(value) : value],
          ['guid', guid],
        ],
      );
    }),
    { numRuns: 500 },
  );
});

test('any parameters are a place to listen on, or refused with a reason', async () => {
  // No host is looked up: the result would depend on the network.
  const key = fc.constantFrom('path', 'abstract', 'dir', 'tmpdir', 'runtime', 'guid', 'port', 'family', 'x');
  const value = fc.oneof(
    fc.constantFrom('', 'yes', '/tmp/x', '0', '65536', 'ipv4', 'ipv5'),
    fc.string({ unit: 'binary' }),
  );
  const parameters = fc.array(fc.tuple(key, value), { maxLength: 3 }).map((list) => new Map(list));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('unix', 'systemd', 'constructor', ''), parameters, async (transport, map) => {
      const target = await listenTarget({ transport, parameters: map }, { XDG_RUNTIME_DIR: '/run/user/1' });
      if (typeof target === 'string') assert.is.not(target, '');
      else assert.ok(target.kind !== 'tcp' && Buffer.byteLength(target.name) <= 107 && target.name !== '');
    }),
    { numRuns: 1000 },
  );
});

test.run();
