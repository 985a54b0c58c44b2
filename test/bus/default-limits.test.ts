// The default limits, at the sizes that SECURITY.md states: one more is refused.
import { closeSync, openSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SERVER_LIMITS } from '../../src/connection/limits.js';
import {
  ConnectError,
  connect,
  defineInterface,
  implement,
  LimitsExceededError,
  listen,
  type MessageBus,
} from '../../src/index.js';
import { folder, PATH, peers } from '../helpers/peers.js';
import { rejection } from '../helpers/rejection.js';
import { until } from '../helpers/until.js';

const test = suite('default limits');

const Limits = defineInterface('org.example.Limits', {
  methods: { Wait: {}, Hold: { in: 'ah' } },
});

test('4096 calls of one caller are in progress; one more is refused, and the others are answered', async () => {
  const ends: (() => void)[] = [];
  const wait = () => new Promise<void>((resolve) => ends.push(resolve));
  await using both = await peers();
  both.accepted.export(PATH, implement(Limits, { Wait: wait, Hold: () => {} }));
  const { Wait } = both.client.proxy(Limits, PATH).with({ timeout: 120_000 }).call;
  const calls = Array.from({ length: SERVER_LIMITS.callsInProgress }, () => Wait());
  assert.instance(await rejection(Wait()), LimitsExceededError);
  await until(() => ends.length === 4096);
  for (const end of ends) end();
  await Promise.all(calls);
});

test('1024 descriptors of one sender are in progress; a message that brings one more is refused', async () => {
  const ends: (() => void)[] = [];
  const hold = () => new Promise<void>((resolve) => ends.push(resolve));
  await using both = await peers();
  both.accepted.export(PATH, implement(Limits, { Wait: () => {}, Hold: hold }));
  const { Hold } = both.client.proxy(Limits, PATH).with({ timeout: 120_000 }).call;
  const fd = openSync('/dev/null', 'r');
  const many = (count: number) => new Array<number>(count).fill(fd);
  // 253 is the most that a message carries.
  const calls = [253, 253, 253, 253, 12].map((count) => Hold(many(count)));
  await until(() => ends.length === calls.length);
  assert.instance(await rejection(Hold(many(1))), LimitsExceededError);
  for (const end of ends.splice(0)) end();
  await Promise.all(calls);
  const next = Hold(many(253));
  await until(() => ends.length === 1);
  ends[0]?.();
  await next;
  closeSync(fd);
});

test('1024 clients are connected to a server; one more is turned away', async () => {
  await using server = await listen({ address: `unix:tmpdir=${folder}`, onConnection: () => {} });
  const clients: MessageBus[] = [];
  while (clients.length < SERVER_LIMITS.connections) {
    const some = Array.from({ length: 64 }, () => connect({ address: server.address, peer: true }));
    clients.push(...(await Promise.all(some)));
  }
  await until(() => server.connections.size === 1024);
  assert.instance(await rejection(connect({ address: server.address, peer: true })), ConnectError);
  await Promise.all(clients.map((client) => client.close()));
});

test.run();
