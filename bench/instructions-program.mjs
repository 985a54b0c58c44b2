// A service and its client in one process: `node instructions-program.mjs LIBRARY ADDRESS WORKLOAD OPERATIONS`. For
// bench/instructions.ts, also with the builds of earlier commits.
const [library, address, workload, operations] = process.argv.slice(2);
const { connect, defineInterface, implement, Variant } = await import(library);

const count = Number(operations);
/** How many calls or signals leave together. */
const TOGETHER = 500;

const Measured = defineInterface('org.example.Measured', {
  methods: { Echo: { in: 's', out: 's' }, Big: { out: 'a{sv}' } },
  signals: { Said: { args: 'us' } },
});
const entries = Array.from({ length: 200 }, (_, index) => [
  `key${index}`,
  index % 2 === 0 ? new Variant('u', index) : new Variant('s', `value ${index}`),
]);
const big = Object.fromEntries(entries);

// An operation under valgrind takes fifty times as long.
const timeout = 1_000_000;
const service = await connect({ address, timeout });
const client = await connect({ address, timeout });
const object = implement(Measured, { Echo: (text) => text, Big: () => big });
service.export('/measured', object);
const proxy = client.proxy(Measured, service.uniqueName, '/measured');

const workloads = {
  async sequential() {
    for (let done = 0; done < count; done++) await proxy.call.Echo('hello');
  },
  async pipelined() {
    for (let done = 0; done < count; done += TOGETHER) {
      await Promise.all(Array.from({ length: Math.min(TOGETHER, count - done) }, () => proxy.call.Echo('hello')));
    }
  },
  async big() {
    for (let done = 0; done < count; done++) await proxy.call.Big();
  },
  async signals() {
    const { promise, resolve } = withResolvers();
    let heard = 0;
    proxy.on.Said(() => {
      if (++heard === count) resolve();
    });
    await client.listNames();
    for (let said = 0; said < count; said += TOGETHER) {
      for (let index = said; index < Math.min(said + TOGETHER, count); index++) object.emit.Said(index, 'text');
      await new Promise((next) => setImmediate(next));
    }
    await promise;
  },
};

function withResolvers() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

await workloads[workload]();
process.exit();
