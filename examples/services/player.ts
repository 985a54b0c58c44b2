/** A media player without sound, for playerctl and the media keys of a desktop. Ctrl+C ends it. */
import { implement, serve, sessionBus } from 'busbar';
import { Application, type PlaybackStatus, Player } from './interfaces/mpris.js';

const song = (number: number, title: string, artist: string, seconds: number) => ({
  'mpris:trackid': `/org/example/song/${number}`,
  'mpris:length': BigInt(seconds) * 1_000_000n,
  'xesam:title': title,
  'xesam:artist': [artist],
});
const songs = [song(0, 'Sinnerman', 'Nina Simone', 622), song(1, 'Spiegel im Spiegel', 'Arvo Pärt', 600)];

let index = 0;
let status: PlaybackStatus = 'Stopped';
/** While playing, the time at which the song began; otherwise the position at which it continues. */
let origin = 0n;
let volume = 1;
let end: NodeJS.Timeout | undefined;

/** The time in microseconds, the unit of positions. */
const now = () => process.hrtime.bigint() / 1000n;
const position = () => (status === 'Playing' ? now() - origin : origin);
const current = () => songs[index]!;

function play(next: PlaybackStatus, from: bigint) {
  const { 'mpris:length': length, 'xesam:title': title } = current();
  clearTimeout(end);
  status = next;
  origin = status === 'Playing' ? now() - from : from;
  if (status === 'Playing') end = setTimeout(turn, Number(length - from) / 1000, 1).unref();
  player.emitPropertiesChanged(['PlaybackStatus', 'Metadata']);
  console.log(`${status}: ${title}, ${from / 1_000_000n} s`);
}

function jump(to: bigint) {
  // A player that is stopped is at the beginning.
  if (status !== 'Stopped') play(status, to);
  player.emit.Seeked(position());
}

function turn(steps: number) {
  index = (index + steps + songs.length) % songs.length;
  play(status, 0n);
  player.emit.Seeked(0n);
}

const player = implement(Player, {
  Play: () => play('Playing', position()),
  Pause() {
    if (status === 'Playing') play('Paused', position());
  },
  PlayPause: () => play(status === 'Playing' ? 'Paused' : 'Playing', position()),
  Stop: () => play('Stopped', 0n),
  Next: () => turn(1),
  Previous: () => turn(-1),
  Seek(offset) {
    const to = position() + offset;
    if (to > current()['mpris:length']) turn(1);
    else jump(to < 0n ? 0n : to);
  },
  SetPosition(track, to) {
    // The song may have ended since the client decided.
    if (track === current()['mpris:trackid'] && to >= 0n && to <= current()['mpris:length']) jump(to);
  },
  PlaybackStatus: { get: () => status },
  Metadata: { get: current },
  Position: { get: position },
  Volume: {
    get: () => volume,
    set(value) {
      volume = Math.max(value, 0) || 0;
      console.log({ volume });
    },
  },
  ...{ CanControl: true, CanGoNext: true, CanGoPrevious: true, CanPause: true, CanPlay: true, CanSeek: true },
});

const application = implement(Application, {
  Raise() {},
  Quit: () => void service.end(),
  ...{ CanRaise: false, CanQuit: true, HasTrackList: false },
  ...{ Identity: 'busbar', SupportedUriSchemes: [], SupportedMimeTypes: [] },
});
const service = await serve(await sessionBus(), {
  name: `org.mpris.MediaPlayer2.busbar.instance${process.pid}`,
  objects: { '/org/mpris/MediaPlayer2': [player, application] },
});
console.log('ready');
