/** A service that the bus starts: it owns the name that is its argument, until the bus ends. */
import { connect } from '../../src/index.js';

const bus = await connect({ bus: 'session' });
bus.addMessageHandler(() => {});
await bus.requestName(String(process.argv[2]));
await bus.disconnected;
