/** examples/services/player.ts, as playerctl sees and controls it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { missingClients, ServiceExample } from '../../helpers/service-example.js';
import { testUnless } from '../../helpers/skip.js';

const test = suite('the player of the examples');
const missing = missingClients('playerctl');
/** playerctl lists players on both buses, and would list each twice. */
const playerctl = ['DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere', 'playerctl'];
const withPlayer = (use: (example: ServiceExample, ctl: (...args: string[]) => Promise<string>) => Promise<void>) =>
  ServiceExample.with('player', (example) => use(example, (...args) => example.output('env', ...playerctl, ...args)));

testUnless(missing, test, 'playerctl lists it, shows what it plays, and controls it', () =>
  withPlayer(async ({ program }, ctl) => {
    assert.is(await ctl('--list-all'), `busbar.instance${program.pid}`);
    assert.is(await ctl('status'), 'Stopped');
    await ctl('play');
    assert.is(await ctl('status'), 'Playing');
    const metadata = (await ctl('metadata')).split('\n').map((line) => line.trim().split(/\s+/).slice(1).join(' '));
    assert.equal(metadata.sort(), [
      'mpris:length 622000000',
      "mpris:trackid '/org/example/song/0'",
      'xesam:artist Nina Simone',
      'xesam:title Sinnerman',
    ]);
    await ctl('play-pause');
    assert.is(await ctl('status'), 'Paused');
    await ctl('next');
    assert.is(
      await ctl('metadata', '--format', '{{artist}}: {{title}} {{duration(mpris:length)}}'),
      'Arvo Pärt: Spiegel im Spiegel 10:00',
    );
    await ctl('previous');
    await ctl('previous');
    assert.is(await ctl('metadata', 'artist'), 'Arvo Pärt');
    await ctl('stop');
    assert.is(await ctl('status'), 'Stopped');
  }),
);

testUnless(missing, test, 'the position goes on while it plays, and playerctl sets it, forwards and backwards', () =>
  withPlayer(async (_example, ctl) => {
    const position = async () => Number(await ctl('position'));
    await ctl('position', '100');
    assert.is(await position(), 0);
    await ctl('play');
    await ctl('pause');
    await ctl('position', '100');
    assert.is(await position(), 100);
    await ctl('position', '20+');
    assert.is(await position(), 120);
    await ctl('position', '30-');
    assert.is(await position(), 90);
    await ctl('play');
    const first = await position();
    assert.ok(first >= 90 && first < 100, `${first}`);
    let now = first;
    while (now === first) now = await position();
    assert.ok(now > first, `${first}, then ${now}`);
    // Before the beginning is the beginning, after the end is the next song.
    await ctl('pause');
    await ctl('position', '1000-');
    assert.is(await position(), 0);
    await ctl('position', '1000+');
    assert.is(await ctl('metadata', 'title'), 'Spiegel im Spiegel');
    assert.is(await position(), 0);
    // A position that the song does not have is ignored.
    await ctl('position', '5000');
    assert.is(await position(), 0);
  }),
);

testUnless(missing, test, 'playerctl changes the volume, which is not negative', () =>
  withPlayer(async (_example, ctl) => {
    const volume = async () => Number(await ctl('volume'));
    assert.is(await volume(), 1);
    await ctl('volume', '0.25');
    assert.is(await volume(), 0.25);
    await ctl('volume', '0.5+');
    assert.is(await volume(), 0.75);
    await ctl('volume', '2-');
    assert.is(await volume(), 0);
  }),
);

testUnless(missing, test, 'playerctl follows changes of other clients, and the player over its restart', () =>
  withPlayer(async (example, ctl) => {
    const format = '{{status}} {{title}} {{volume}}';
    await using follower = example.start('env', ...playerctl, '--follow', 'metadata', '--format', format);
    await follower.line('Stopped Sinnerman 1.0');
    await ctl('play');
    await follower.line('Playing Sinnerman 1.0');
    await ctl('next');
    await follower.line('Playing Spiegel im Spiegel 1.0');
    await ctl('volume', '0.5');
    await follower.line('Playing Spiegel im Spiegel 0.5');
    await example.restart();
    await follower.line('Stopped Sinnerman 1.0');
    await ctl('play');
    await follower.line('Playing Sinnerman 1.0');
  }),
);

testUnless(missingClients('playerctl', 'gdbus'), test, 'two players run side by side, and one quits', () =>
  withPlayer(async (example, ctl) => {
    await using second = example.another();
    await second.line('ready');
    const names = [example.program.pid, second.pid].map((pid) => `busbar.instance${pid}`);
    assert.equal((await ctl('--list-all')).split('\n').sort(), [...names].sort());
    await ctl('--player', names[1] as string, 'play');
    const states = (await ctl('--all-players', 'status', '--format', '{{playerInstance}} {{status}}')).split('\n');
    assert.equal(states.sort(), [`${names[0]} Stopped`, `${names[1]} Playing`].sort());
    await example.gdbus(`org.mpris.MediaPlayer2.${names[1]}`, '/org/mpris/MediaPlayer2', 'org.mpris.MediaPlayer2.Quit');
    assert.is((await second.finished).code, 0);
    assert.is(await ctl('--list-all'), names[0]);
  }),
);

test.run();
