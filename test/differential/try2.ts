import { rulesCorpus } from './corpora/rules.ts';
import { randomCorpus } from './corpora/random.ts';
import { changedCorpus } from './corpora/changed.ts';
import { sharedCorpora } from './corpora/shared.ts';
import { TransportReader } from './transport-reader.ts';
import { readByProgram } from './readers/program-reader.ts';
import { otherReaders, wireCheck } from './readers/index.ts';
import * as C from './comparison.ts';
import { normalText } from './typed-text.ts';
const random = randomCorpus(1, 1500);
const which = process.argv[2];
const all = [rulesCorpus(), random, changedCorpus(random.messages, 1, 3000), ...sharedCorpora(3)].filter((c) => !which || c.name.includes(which));
for (const { name, messages } of all) {
console.log('=====', name, messages.length);
const t0 = Date.now();
const [socket, sdbus] = await Promise.all((['socket', 'sd-bus'] as const).map(async (t) => { await using r = await TransportReader.start(t); return await r.readAll(messages); }));
console.log('transports', Date.now() - t0);
const check = await readByProgram(wireCheck.command(), messages);
const show = (t: C.Tally) => { console.log(' -', t.reader, t.messages, 'agreed', t.agreed, 'unexpected', t.unexpected.length);
 const groups = new Map<string, any[]>();
 for (const d of t.unexpected) { const k = `${d.what} | ${d.check.outcome} ${d.check.because} | ours ${d.ours.outcome} | theirs ${d.theirs.outcome}`; groups.set(k, [...(groups.get(k) ?? []), d]); }
 for (const [k, ds] of groups) { if (true || /libdbus|sd-bus/.test(t.reader)) { const d = ds[0]; console.log('    ', ds.length, k, '| e.g.', d.message.name.slice(0, 90), d.theirs.because ?? '', JSON.stringify(d.ours[d.what])?.slice(0, 80), JSON.stringify(d.theirs[d.what])?.slice(0, 80)); } } };
const a = new C.Tally('busbar over a socket'), b = new C.Tally('busbar over sd-bus');
messages.forEach((message, i) => { a.add(C.differencesToCheck(message, check[i], socket[i]), { message, check: check[i], ours: check[i], theirs: socket[i] }); b.add(C.differencesOfTransports(socket[i], sdbus[i]), { message, check: check[i], ours: socket[i], theirs: sdbus[i] }); });
show(a); show(b); if (name==='rules') console.log('unmet', a.unmet.map(x=>x.id), b.unmet.map(x=>x.id));
for (const r of otherReaders.filter((x)=>x.name!=='dbus-fast' || !name.includes('chang'))) { const t = Date.now(); const rs = await readByProgram(r.command(), messages); const tally = new C.Tally(r.name); messages.forEach((message, i) => tally.add(C.differencesToOthers(check[i], socket[i], rs[i]), { message, check: check[i], ours: socket[i], theirs: rs[i] })); show(tally); if (name==='rules') console.log('unmet', tally.unmet.map(x=>x.id)); console.log('    time', Date.now() - t, rs.filter((x) => x.outcome === 'died').length, 'died', rs.find((x) => x.outcome === 'died')?.because); }
}
