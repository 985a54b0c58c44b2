/** The program for each tool: two ends of a connection, a call from one to the other, and the message of a failure. */
import type { Project } from '../pack/project.js';

/** Its output on success. */
export const WORKS = 'sum 5\n';

/** The text that the modules write into this file when they have added. */
export const RAN = 'ran.txt';

const body = `
const Adder = defineInterface('org.example.Adder', { methods: { Add: { in: ['a:i', 'b:i'], out: ['sum:i'] } } });

async function sum() {
  const onConnection = (peer) => void peer.export('/adder', implement(Adder, { Add: (a, b) => a + b }));
  const server = await listen({ address: 'unix:tmpdir=/tmp', onConnection });
  const client = await connect({ address: server.address, peer: true });
  const result = await client.proxy(Adder, '/adder').call.Add(2, 3);
  await client.close();
  await server.close();
  return result;
}
`;
const names = '{ connect, defineInterface, implement, listen }';
const start = `
sum().then((result) => console.log('sum', result), (error) => console.log(error.message));
`;

/** The same as an ES module, as CommonJS, and as modules of either kind that export \`sum\`. */
export function writePrograms(project: Project): void {
  const imported = `import ${names} from 'busbar';\n${body}`;
  const required = `const ${names} = require('busbar');\n${body}`;
  project.write('main.js', imported + start);
  project.write('main.cjs', required + start);
  project.write('plain.cjs', `${required}module.exports = { sum };\n`);
  const write = `writeFileSync('${RAN}', String(result)); return result;`;
  const told = `async function summed() { const result = await sum(); ${write} }`;
  project.write('sum.js', `import { writeFileSync } from 'node:fs';\n${imported}${told}\nexport { summed as sum };\n`);
  project.write(
    'sum.cjs',
    `const { writeFileSync } = require('node:fs');\n${required}${told}\nmodule.exports = { sum: summed };\n`,
  );
}
