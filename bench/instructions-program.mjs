// instructions-program.mjs DIST ADDRESS service | DIST ADDRESS NAME WORKLOAD COUNT: either end of what instructions.ts counts.
const [entry, address, name, workload, times] = process.argv.slice(2);
const count = Number(times);
const { connect, defineInterface, implement, Variant } = await import(entry);

const Counted = defineInterface('org.example.Counted', {
  methods: { Echo: { in: 's', out: 's' }, Big: { out: 'a{sv}' }, Emit: { in: 'u' } },
  signals: { Told: { args: 'us' } },
});
const entries = Array.from({ length: 200 }, (_, i) => [`key${i}`, new Variant(i % 2 ? 's' : 'u', i % 2 ? `${i}` : i)]);
const bus = await connect({ address });

if (name === 'service') serve();
else {
  const proxy = bus.proxy(Counted, name, '/').with({ timeout: Number.POSITIVE_INFINITY });
  await { sequential, pipelined, signals, big }[workload](proxy);
  process.exit();
}

function serve() {
  const values = Object.fromEntries(entries);
  const service = implement(Counted, {
    Echo: (text) => text,
    Big: () => values,
    async Emit(amount) {
      for (let i = 0; i < amount; i++) {
        service.emit.Told(i, 'text');
        if (i % 500 === 499) await new Promise((resolve) => setImmediate(resolve));
      }
    },
  });
  bus.export('/', service);
  console.log(bus.uniqueName);
  process.stdin.on('end', () => process.exit()).resume();
}

async function sequential(proxy) {
  for (let i = 0; i < count; i++) await proxy.call.Echo('hello');
}

async function pipelined(proxy) {
  for (let i = 0; i < count; i += 500) await Promise.all(Array.from({ length: 500 }, () => proxy.call.Echo('hello')));
}

async function big(proxy) {
  for (let i = 0; i < count; i++) await proxy.call.Big();
}

async function signals(proxy) {
  let heard = 0;
  let done;
  const all = new Promise((resolve) => {
    done = resolve;
  });
  await proxy.on.Told(() => {
    heard++;
    if (heard === count) done();
  }).ready;
  await Promise.all([all, proxy.call.Emit(count)]);
}
