/** The interfaces of MPRIS, the Media Player Remote Interfacing Specification, without lists of tracks. */
import { defineInterface, dict, type } from 'busbar';

const fixed = { type: 'b', access: 'read', emits: 'const' } as const;

export const Application = defineInterface('org.mpris.MediaPlayer2', {
  methods: { Raise: {}, Quit: {} },
  properties: {
    ...{ CanRaise: fixed, CanQuit: fixed, HasTrackList: fixed },
    Identity: { type: 's', access: 'read', emits: 'const' },
    SupportedUriSchemes: { type: 'as', access: 'read', emits: 'const' },
    SupportedMimeTypes: { type: 'as', access: 'read', emits: 'const' },
  },
});

export type PlaybackStatus = 'Playing' | 'Paused' | 'Stopped';

export const Player = defineInterface('org.mpris.MediaPlayer2.Player', {
  methods: {
    ...{ Play: {}, Pause: {}, PlayPause: {}, Stop: {}, Next: {}, Previous: {} },
    Seek: { in: ['offset:x'] },
    SetPosition: { in: ['track:o', 'position:x'] },
  },
  signals: { Seeked: { args: ['position:x'] } },
  properties: {
    PlaybackStatus: { type: type<'s', PlaybackStatus>('s'), access: 'read' },
    Metadata: {
      type: dict({ 'mpris:trackid': 'o', 'mpris:length': 'x', 'xesam:title': 's', 'xesam:artist': 'as', '...': 'v' }),
      access: 'read',
    },
    Volume: { type: 'd' },
    // Clients count on from the last position that they know, and Seeked announces a jump.
    Position: { type: 'x', access: 'read', emits: false },
    ...{ CanControl: fixed, CanGoNext: fixed, CanGoPrevious: fixed, CanPause: fixed, CanPlay: fixed, CanSeek: fixed },
  },
});
