/** The options of all commands. They may be before and after the name of the command. */
import type { CommandOption } from './command.js';

export const commonOptions: readonly CommandOption[] = [
  { flags: '--session', docs: 'use the session bus (the default)' },
  { flags: '--system', docs: 'use the system bus' },
  { flags: '--address ADDRESS', docs: 'use the bus at a D-Bus address, such as unix:path=/run/bus' },
  { flags: '-H, --host HOST', docs: 'use the system bus of another machine, over ssh: user@host:port' },
  { flags: '-M, --machine CONTAINER', docs: 'use the system bus of a container that machinectl lists' },
  { flags: '--json', docs: 'print JSON' },
  { flags: '--timeout TIME', docs: 'wait for each answer no longer than this: 5, 200ms, 2min; 25 s by default' },
  { flags: '--no-color', docs: 'print without colours' },
];
