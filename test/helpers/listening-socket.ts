/** Listening sockets that exist already, for the tests of servers that take them. */
import { renameSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { duplicateFd } from '../../src/native/descriptors.js';

/** Returns a listening socket as a program inherits it: the descriptor has no other owner. */
export async function listeningSocket(
  where: { readonly path: string } | { readonly port: 0; readonly host: string },
): Promise<number> {
  const server: Server & { _handle?: { readonly fd: number } } = createServer();
  const place = 'path' in where ? { path: `${where.path}.new` } : where;
  await new Promise<void>((resolve) => server.listen(place, resolve));
  const fd = duplicateFd(server._handle?.fd as number);
  // A server of Node.js removes its file when it closes.
  if ('path' in where) renameSync(`${where.path}.new`, where.path);
  await new Promise((resolve) => server.close(resolve));
  return fd;
}
