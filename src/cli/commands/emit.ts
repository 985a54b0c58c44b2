/** `busbar emit`: sends a signal. */
import type { Command } from '../command.js';
import { UsageFailure } from '../failure.js';
import { library } from '../library.js';
import { valuesOf, valuesWithSignature } from '../values/arguments.js';
import { quoted, withHints } from '../words.js';

export const emit: Command = {
  name: 'emit',
  summary: 'sends a signal',
  docs: 'Without --signature, the values begin with their signature, as in busctl. Containers may also be JSON.',
  arguments: [
    { name: 'PATH', docs: 'the path of the object that emits the signal' },
    { name: 'INTERFACE', docs: 'the interface that has the signal' },
    { name: 'MEMBER', docs: 'the signal' },
    { name: 'ARGS', docs: 'the values', optional: true, variadic: true },
  ],
  options: [
    { flags: '-s, --signature SIGNATURE', docs: 'the types of ARGS' },
    { flags: '--to NAME', docs: 'send it to one connection only', complete: 'name' },
  ],
  examples: [
    [
      'busbar emit /org/example org.example.Disk Full --signature su sda 95',
      'a string and a number, for all listeners',
    ],
    ['busbar emit /org/example org.example.Disk Full su sda 95', 'the same as busctl writes it'],
  ],
  async run(session, [path = '', interfaceName = '', member = '', ...words], { signature, to }) {
    if (!library.isObjectPath(path)) throw new UsageFailure(`${quoted(path)} is not an object path`);
    if (!library.isInterfaceName(interfaceName)) {
      const cure = 'an interface has two elements or more, such as org.example.Disk';
      throw new UsageFailure(withHints(`${quoted(interfaceName)} is not an interface name`, cure));
    }
    if (!library.isMemberName(member)) throw new UsageFailure(`${quoted(member)} is not the name of a signal`);
    const values = typeof signature === 'string' ? valuesOf(signature, words) : valuesWithSignature(words);
    const bus = await session.connect();
    const destination = typeof to === 'string' ? { destination: to } : {};
    bus.emit({ path, interface: interfaceName, member, ...values, ...destination });
    // The answer of the bus shows that the signal has arrived there, and an unknown destination.
    if (typeof to === 'string') await bus.nameOwner(to, session.limits);
    else await bus.flush();
  },
};
