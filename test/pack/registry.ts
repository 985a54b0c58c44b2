/**
 * A private package registry with busbar as it would be published, and its dependencies. So package managers install it by
 * its name, from a tarball that they request as usual, and nothing comes from elsewhere.
 */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packWithDependencies, type Tarball } from '../../scripts/tarball.mjs';
import { onExit } from '../helpers/exit-cleanup.js';
import { projectRoot } from '../helpers/paths.js';

/** Package managers may refuse packages that were published within the last days. */
const PUBLISHED = '2026-01-01T00:00:00.000Z';

export class Registry {
  readonly #server: Server;
  readonly #folder = mkdtempSync(join(tmpdir(), 'busbar-registry-'));
  readonly #tarballs: readonly Tarball[];

  static async start(): Promise<Registry> {
    const registry = new Registry();
    registry.#server.listen(0, '127.0.0.1');
    await once(registry.#server, 'listening');
    return registry;
  }

  private constructor() {
    onExit(() => rmSync(this.#folder, { recursive: true, force: true }));
    this.#tarballs = packWithDependencies(this.#folder);
    this.#server = createServer((request, response) => {
      const answer = this.#answer(decodeURIComponent(new URL(request.url ?? '/', this.url).pathname).slice(1));
      response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(answer ?? '{}');
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** The tarball of busbar. */
  get tarball(): Tarball {
    return this.#tarballs.find(({ name }) => name === 'busbar') as Tarball;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The content of a path: `NAME` is a package's document, `NAME/-/FILE` a tarball. */
  #answer(path: string): Buffer | string | undefined {
    const [name, file] = path.split('/-/');
    const tarball = this.#tarballs.find((candidate) => candidate.name === name);
    if (tarball === undefined) return undefined;
    if (file === undefined) return JSON.stringify(this.#document(tarball));
    return file === tarball.filename ? readFileSync(tarball.path) : undefined;
  }

  #document({ name, version, filename, shasum, integrity }: Tarball): object {
    const folder = name === 'busbar' ? projectRoot : join(projectRoot, 'node_modules', name);
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const dist = { tarball: `${this.url}${name}/-/${filename}`, shasum, integrity };
    return {
      name,
      'dist-tags': { latest: version },
      versions: { [version]: { ...manifest, dist } },
      time: { created: PUBLISHED, modified: PUBLISHED, [version]: PUBLISHED },
    };
  }
}
