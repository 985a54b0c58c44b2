/**
 * A service and its client in one process, on the session bus, which pass a descriptor back and forth. Prints the
 * transport, the sd-bus library that was found, and the bytes that were read from the returned descriptor.
 */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect, type FileDescriptor } from '../../src/index.js';
import { loadAddon } from '../../src/native/load.js';
import { Example, exampleObject, PATH } from '../helpers/peers.js';

const NAME = 'org.example.dbustest.Descriptors';

await using service = await connect();
service.export(PATH, exampleObject());
await service.requestName(NAME);
await using client = await connect();
const fd = openSync('/proc/self/stat', 'r');
const returned = (await client.proxy(Example, NAME, PATH).call.Pass(fd)) as FileDescriptor;
closeSync(fd);
const text = readFileSync(`/proc/self/fd/${returned.fd}`, 'utf8');
returned.close();
console.log(`library ${loadAddon().sdbusLibrary()}`);
console.log(`descriptors ${client.canSendFileDescriptors}`);
console.log(`own process ${text.startsWith(`${process.pid} (`)}`);
