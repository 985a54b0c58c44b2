/**
 * `npm run docs:screens`: the pictures of docs/guide/command-line.md, from real runs of busbar in a pseudo-terminal, and the
 * help of its commands on that page. The services are those of this script, on a bus of its own.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readOptions } from '../options.mjs';
import { buildLibrary } from '../setup/library.mjs';
import { root } from '../setup/report.mjs';
import { terminalPicture } from './terminal-picture.mjs';

const USAGE = `Usage: npm run docs:screens

  makes the pictures of docs/guide/command-line.md, and writes the help of the commands into that page.

  --help      prints this text`;

readOptions(USAGE);
await buildLibrary();

const run = promisify(execFile);
const program = join(root, 'dist/cli.js');
const pictures = join(root, 'docs/pictures');
const folder = mkdtempSync(join(tmpdir(), 'busbar-screens-'));
const address = `unix:path=${join(folder, 'bus')}`;
const env = { ...process.env, DBUS_SESSION_BUS_ADDRESS: address, TERM: 'xterm-256color' };
delete env.NO_COLOR;
delete env.FORCE_COLOR;

const daemon = spawn('dbus-daemon', ['--config-file', configuration(), '--print-address', '--nofork'], { cwd: folder });
await new Promise((resolve) => daemon.stdout.once('data', resolve));
try {
  const home = await startHome();
  for (const width of [80, 120]) await takePictures(width);
  await home.close();
} finally {
  daemon.kill();
  rmSync(folder, { recursive: true, force: true });
}
await writeHelp();

async function takePictures(width) {
  mkdirSync(pictures, { recursive: true });
  const home = ['org.example.Home', '/org/example/home'];
  await picture(`list-${width}`, width, ['list']);
  await picture(`tree-${width}`, width, ['tree', 'org.example.Home']);
  await picture(`introspect-${width}`, width, ['introspect', ...home, '--no-standard']);
  const traffic = async () => {
    const busbar = (...words) => run(process.execPath, [program, ...words], { env });
    const kitchen = ['org.example.Home', '/org/example/home/kitchen'];
    await busbar('call', ...kitchen, 'org.example.Home.Lamp', 'Fade', '--signature', 'yu', '80', '250');
    await busbar('call', ...kitchen, 'org.example.Home.Lamp', 'Fade', '--signature', 'yu', '200', '1').catch(() => {});
  };
  const words = ['monitor', '--count', '4', '--no-summary', 'org.example.Home'];
  await picture(`monitor-${width}`, width, words, traffic);
}

/** Runs busbar in a terminal of a width, and draws what it printed. */
async function picture(name, width, words, meanwhile = async () => {}) {
  const command = `stty cols ${width} rows 50; '${process.execPath}' '${program}' ${words.join(' ')} 2>/dev/null`;
  const running = run('script', ['-qec', command, '/dev/null'], { env });
  if (words[0] === 'monitor') await new Promise((resolve) => setTimeout(resolve, 2000));
  await meanwhile();
  const { stdout } = await running;
  writeFileSync(join(pictures, `${name}.svg`), terminalPicture(`$ busbar ${words.join(' ')}\n${stdout}`, width));
}

/** A bus that can start two services, and nothing else that this machine has. */
function configuration() {
  for (const name of ['org.example.Backup', 'org.example.Weather']) {
    writeFileSync(join(folder, `${name}.service`), `[D-BUS Service]\nName=${name}\nExec=/bin/true\n`);
  }
  const file = join(folder, 'bus.conf');
  const policy =
    '<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>';
  const text = `<busconfig><type>session</type><listen>${address}</listen><servicedir>${folder}</servicedir>${policy}</busconfig>`;
  writeFileSync(file, text);
  return file;
}

async function startHome() {
  const { connect, DBusError, defineInterface, implement, variant } = await import(join(root, 'dist/index.js'));
  const bus = await connect({ address });
  const Lamp = defineInterface('org.example.Home.Lamp', {
    methods: { Fade: { in: ['brightness:y', 'milliseconds:u'] }, Toggle: { out: ['on:b'] } },
    signals: { Broken: { args: ['hours:u'] } },
    properties: { On: { type: 'b' }, Brightness: { type: 'y' }, Name: { type: 's', access: 'read', emits: 'const' } },
  });
  const House = defineInterface('org.example.Home.House', {
    methods: { FindLamps: { in: ['room:s', 'options:a{sv}'], out: ['lamps:ao'] }, AllOff: {} },
    signals: { DoorOpened: { args: ['door:s', 'who:s'] } },
    properties: {
      Energy: { type: 't', access: 'read', emits: false },
      Key: { type: 'ay', access: 'read', emits: 'const' },
      Settings: { type: 'a{sv}', access: 'readwrite' },
    },
  });
  const fade = (brightness) => {
    if (brightness > 100) throw new DBusError('org.example.Error.TooBright', 'the brightness is from 0 to 100');
  };
  const lamp = (Name) => implement(Lamp, { Fade: fade, Toggle: () => true, On: true, Brightness: 80, Name });
  const settings = { Night: variant('(ss)', ['22:00', '06:30']), Volume: variant.y(30), Language: 'en' };
  const members = {
    FindLamps: () => [],
    AllOff: () => {},
    Energy: 9_007_199_254_740_993n,
    Key: Buffer.from('0aff10', 'hex'),
  };
  bus.export('/org/example/home', implement(House, { ...members, Settings: settings }));
  for (const name of ['kitchen', 'hall', 'bedroom']) bus.export(`/org/example/home/${name}`, lamp(name));
  bus.export('/org/example/home/kitchen/shelf', lamp('shelf'));
  await bus.requestName('org.example.Home');
  await bus.requestName('org.example.Home.Lamps');
  return bus;
}

/** Puts the help of each command between its marks in the page. */
async function writeHelp() {
  const page = join(root, 'docs/guide/command-line.md');
  let text = readFileSync(page, 'utf8');
  for (const [mark, name] of text.matchAll(/<!-- help (\w+) -->\n```text\n(?:[\s\S]*?\n)??```/g)) {
    const { stdout } = await run(process.execPath, [program, name, '--help'], { env: { ...env, NO_COLOR: '1' } });
    const help = stdout.replace(/\nGlobal Options:\n(.+\n)+/, '').trimEnd();
    text = text.replace(mark, () => `<!-- help ${name} -->\n\`\`\`text\n${help}\n\`\`\``);
  }
  writeFileSync(page, text);
}
