/**
 * The table of values, sent by a client of busbar to echo services on other implementations: dbus-next, dbus-fast, GLib.
 * The values that come back must be those that were sent, and so must those that the service decoded: otherwise two
 * mistakes that cancel each other would pass.
 */
import { deepStrictEqual } from 'node:assert/strict';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, type MessageBus } from '../../src/index.js';
import { PrivateBus } from '../helpers/private-bus.js';
import type { Program } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';
import { type Row, rows } from './value-table.js';
import { notation } from './values-notation.js';
import { echo, own, peers, reasonAgainst, startEchoService } from './values-peers.js';

const missing = PrivateBus.missing();

for (const peer of peers) {
  const test = suite(`values sent to ${peer.name}`);
  let daemon: PrivateBus | undefined;
  let service: { readonly program: Program; readonly name: string } | undefined;
  let bus: MessageBus | undefined;

  test.before(async () => {
    if ((missing ?? peer.missing) !== undefined) return;
    daemon = await PrivateBus.start();
    service = await startEchoService(peer, daemon);
    bus = await connect({ address: daemon.address });
  });

  test.after(async () => {
    await bus?.close();
    await service?.program.stop();
    await daemon?.stop();
  });

  /** Calls the service with a row; resolves with the values of the reply. */
  const call = (member: string, { signature, values }: Row) =>
    (bus as MessageBus).call({
      ...echo,
      destination: service?.name,
      member,
      signature,
      body: values,
      variants: 'wrap',
    });

  for (const row of rows) {
    const unread = missing ?? peer.missing ?? reasonAgainst(row, own.writing, peer.reading);
    testUnless(unread, test, `${peer.name} reads ${row.title}`, async () => {
      assert.equal(await call('Report', row), [notation(row.signature, row.values)]);
    });
    testUnless(
      unread ?? reasonAgainst(row, peer.writing, own.reading),
      test,
      `${peer.name} echoes ${row.title}`,
      async () => {
        deepStrictEqual(await call('Echo', row), row.values);
      },
    );
  }

  test.run();
}
