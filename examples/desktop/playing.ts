/** Prints what the media players of the desktop play, and every change. Ctrl+C ends it. */
import { defineInterface, dict, type LiveValues, sessionBus } from 'busbar';

const Metadata = dict({ 'xesam:title?': 's', 'xesam:artist?': 'as', '...': 'v' });
const Player = defineInterface('org.mpris.MediaPlayer2.Player', {
  properties: { PlaybackStatus: { type: 's' }, Metadata: { type: Metadata } },
});

const bus = await sessionBus();
bus.watchNames('org.mpris.MediaPlayer2', {
  async appeared(name) {
    const player = await bus.cached(Player, name, '/org/mpris/MediaPlayer2');
    if (!player.present) return player.end();
    const show = ({ values: { PlaybackStatus, Metadata = {} } }: { values: LiveValues<typeof Player> }) =>
      console.log(name.split('.')[3], PlaybackStatus, Metadata['xesam:artist']?.join(', '), Metadata['xesam:title']);
    player.watch({ added: show, changed: show, removed: () => player.end() });
  },
  vanished: (name) => console.log(name.split('.')[3], 'is gone'),
});
