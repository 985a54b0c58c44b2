/** `portalRequest` with xdg-desktop-portal itself, whose dialogs are a backend that busbar implements. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as portals from '../../packages/interfaces/src/portals.js';
import { type PortalRequestError, portalRequest } from '../../packages/interfaces/src/portals.js';
import { connect, defineInterface, implement, type MessageBus, variant } from '../../src/index.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const test = suite('xdg-desktop-portal');

const program = ['/usr/libexec/xdg-desktop-portal', '/usr/lib/xdg-desktop-portal'].find((path) => existsSync(path));
const missing = PrivateBus.missing() ?? (program === undefined ? 'xdg-desktop-portal not installed' : undefined);

const BACKEND = 'org.freedesktop.impl.portal.desktop.busbar';
const Chooser = defineInterface('org.freedesktop.impl.portal.FileChooser', {
  methods: {
    OpenFile: {
      in: ['handle:o', 'app_id:s', 'parent_window:s', 'title:s', 'options:a{sv}'],
      out: ['response:u', 'results:a{sv}'],
    },
  },
});
const BackendRequest = defineInterface('org.freedesktop.impl.portal.Request', { methods: { Close: {} } });

interface World {
  readonly client: MessageBus;
  /** The titles of dialogs that stay open, and of those that the portal has closed. */
  readonly opened: readonly string[];
  readonly closed: readonly string[];
}

/** A dialog whose title is a code answers it, and any other one stays open. */
async function inWorld(use: (world: World) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'busbar-portal-'));
  try {
    const settings = `[portal]\nDBusName=${BACKEND}\nInterfaces=${Chooser.name}\nUseIn=busbar\n`;
    writeFileSync(join(folder, 'busbar.portal'), settings);
    await using daemon = await PrivateBus.start();
    await using backend = await connect({ address: daemon.address });
    const opened: string[] = [];
    const closed: string[] = [];
    const dialogs = implement(Chooser, {
      OpenFile: (handle, _app, _parent, title) => {
        if (/^\d$/.test(title)) return [Number(title), { uris: variant.as([`file:///${title}`]) }];
        return new Promise((resolve) => {
          const request = implement(BackendRequest, {
            Close() {
              closed.push(title);
              exported.end();
              resolve([2, {}]);
            },
          });
          const exported = backend.export(handle, request);
          opened.push(title);
        });
      },
    });
    backend.export(portals.PATH, dialogs);
    await backend.requestName(BACKEND);
    const places = { HOME: folder, XDG_RUNTIME_DIR: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
    await using _portal = Program.start(program as string, [], {
      env: { ...daemon.env, ...places, XDG_DESKTOP_PORTAL_DIR: folder, XDG_CURRENT_DESKTOP: 'busbar' },
    });
    await using client = await connect({ address: daemon.address });
    await client.waitForName(portals.NAME, { timeout: 30_000 });
    await use({ client, opened, closed });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const open = (client: MessageBus, title: string, options?: { signal?: AbortSignal }) =>
  portalRequest(client, portals.FileChooser, 'OpenFile', ['', title, { multiple: true }], options);

testUnless(missing, test, 'the results of a dialog, its codes, and a dialog that the client closes', () =>
  inWorld(async ({ client, opened, closed }) => {
    assert.equal((await open(client, '0')).uris, ['file:///0']);
    for (const code of [1, 2]) {
      const error = await open(client, String(code)).catch((reason: unknown) => reason as PortalRequestError);
      assert.ok('response' in error);
      assert.is(error.response, code);
    }
    const controller = new AbortController();
    const waiting = open(client, 'open', { signal: controller.signal }).catch((error: Error) => error.name);
    await until(() => opened.includes('open'));
    controller.abort();
    assert.is(await waiting, 'AbortError');
    await until(() => closed.includes('open'));
    assert.equal(closed, ['open']);
  }),
);

testUnless(missing, test, 'its interfaces are those of the definitions', () =>
  inWorld(async ({ client }) => {
    const { interfaces } = await client.object(portals.NAME, portals.PATH);
    const own = interfaces.filter((name) => name.startsWith('org.freedesktop.portal.'));
    assert.ok(own.includes(portals.FileChooser.name));
    const definitions = Object.values(portals).flatMap((value) =>
      typeof value === 'object' && 'description' in value ? [value.name] : [],
    );
    for (const name of own) assert.ok((definitions as string[]).includes(name), name);
  }),
);

test.run();
