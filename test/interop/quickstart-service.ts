/** The two services of the quickstart as programs: that of busbar, and its Python counterpart with the same behaviour. */

import { programArguments } from '../helpers/own-runtime.js';
import type { PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { pythonWith } from '../helpers/python.js';

export const name = 'org.example.dbustest';
export const path = '/org/example/dbustest';
export const interfaceName = 'org.example.dbustest.Module';

/** The value of the property when a service starts. */
export const initialStates = { web: 'running', mail: 'running', build: 'paused' };

/** The arguments of the method in the tests, and its result. */
export const devices = { usb: ['keyboard', 'mouse'], disk: ['sdb'] };
export const emitted = { web: 'detached keyboard, mouse, sdb', mail: 'detached keyboard, mouse, sdb' };

/** The arguments of Node.js that run one program of the quickstart. */
export function halfArguments(half: 'service' | 'client', ...args: readonly string[]): readonly string[] {
  return programArguments(`examples/quickstart/${half}.ts`, ...args);
}

/** Starts busbar's service on a bus; resolves when it owns its name. */
export async function startService(bus: PrivateBus, ...args: readonly string[]): Promise<Program> {
  const program = Program.start(process.execPath, halfArguments('service', ...args), { env: bus.env });
  await program.line('ready');
  return program;
}

export const missingPythonService =
  pythonWith('dbus_next') === undefined ? 'python3-dbus-next not installed' : undefined;

/** Starts the Python service on a bus; resolves when it owns its name. */
export async function startPythonService(bus: PrivateBus): Promise<Program> {
  const python = pythonWith('dbus_next') as string;
  const program = Program.start(python, ['test/interop/peers/seed_service.py'], { env: bus.env });
  await program.event('ready');
  return program;
}
