/** Players, notifications, and the tray. */
import { dict } from 'busbar';
import type { Family } from './family.js';

const metadata = dict({
  'mpris:trackid?': 'o',
  'mpris:length?': 'x',
  'mpris:artUrl?': 's',
  'xesam:album?': 's',
  'xesam:albumArtist?': 'as',
  'xesam:artist?': 'as',
  'xesam:asText?': 's',
  'xesam:comment?': 'as',
  'xesam:composer?': 'as',
  'xesam:contentCreated?': 's',
  'xesam:discNumber?': 'i',
  'xesam:genre?': 'as',
  'xesam:lyricist?': 'as',
  'xesam:title?': 's',
  'xesam:trackNumber?': 'i',
  'xesam:url?': 's',
  '...': 'v',
});

export const mpris: Family = {
  title: 'MPRIS, the interfaces of media players (session bus)',
  prefix: 'org.mpris.MediaPlayer2.',
  names: { 'org.mpris.MediaPlayer2': 'MediaPlayer' },
  constants: {
    NAMESPACE: [
      'org.mpris.MediaPlayer2',
      'What the well-known name of every player begins with: `org.mpris.MediaPlayer2.vlc`.',
    ],
    PATH: ['/org/mpris/MediaPlayer2', 'The object that every player has.'],
  },
  docs: {
    MediaPlayer: 'The application that plays.',
    'MediaPlayer.Raise': 'Brings the window of the player to the front, if `CanRaise` is true.',
    'MediaPlayer.Quit': 'Ends the player, if `CanQuit` is true.',
    'MediaPlayer.Identity': 'The name of the player for users.',
    'MediaPlayer.DesktopEntry': 'The name of its `.desktop` file, without the ending.',
    Player: 'What plays at present, and its controls.',
    'Player.PlayPause': 'Pauses if it plays, plays if it is paused, begins if it has stopped.',
    'Player.Seek': 'Moves by a time.',
    'Player.Seek.Offset': 'microseconds; backwards if it is negative',
    'Player.SetPosition.TrackId': 'the `mpris:trackid` of the present track; nothing happens if another one plays',
    'Player.SetPosition.Position': 'microseconds from the beginning of the track',
    'Player.Seeked': 'The position has changed in another way than by playing.',
    'Player.Seeked.Position': 'microseconds',
    'Player.Metadata': 'The present track.',
    'Player.Position': 'Microseconds from the beginning of the track. Changes are not announced: read it.',
    'Player.Rate': 'The speed, 1.0 is normal.',
    'Player.Volume': 'From 0.0 to 1.0.',
    TrackList: 'The tracks that follow and that were played. Few players have it.',
    Playlists: 'Lists of tracks that the player can play.',
    'Playlists.PlaylistChanged': 'The name or icon of a list has changed.',
  },
  types: {
    'Player.Metadata': metadata,
    'Player.PlaybackStatus': ['Playing', 'Paused', 'Stopped'],
    'Player.LoopStatus': ['None', 'Track', 'Playlist'],
    'TrackList.TrackAdded.Metadata': metadata,
    'TrackList.TrackMetadataChanged.Metadata': metadata,
  },
  argumentNames: {
    'TrackList.GetTracksMetadata': ['TrackIds', 'Metadata'],
    'TrackList.AddTrack': ['Uri', 'AfterTrack', 'SetAsCurrent'],
    'TrackList.RemoveTrack': ['TrackId'],
    'TrackList.GoTo': ['TrackId'],
    'TrackList.TrackListReplaced': ['Tracks', 'CurrentTrack'],
    'TrackList.TrackAdded': ['Metadata', 'AfterTrack'],
    'TrackList.TrackRemoved': ['TrackId'],
    'TrackList.TrackMetadataChanged': ['TrackId', 'Metadata'],
  },
  // MPRIS 2.2 has one argument, which Mopidy sends as a struct, too, and declares without the parentheses.
  corrections: { 'Playlists.PlaylistChanged': { recorded: 'oss', signature: '(oss)' } },
  emits: { 'Player.Position': false, 'TrackList.Tracks': 'invalidates' },
};

export const notifications: Family = {
  title: 'Notifications of the desktop (session bus)',
  prefix: 'org.freedesktop.',
  constants: {
    NAME: ['org.freedesktop.Notifications', 'The well-known name of the notification daemon.'],
    PATH: ['/org/freedesktop/Notifications', 'Its object.'],
  },
  numbers: {
    CloseReason: {
      docs: 'Why a notification was closed.',
      values: { Expired: 1, Dismissed: 2, Closed: 3, Undefined: 4 },
    },
    Urgency: { docs: 'The hint `urgency`.', values: { Low: 0, Normal: 1, Critical: 2 } },
  },
  docs: {
    Notifications: 'The notification daemon.',
    'Notifications.GetCapabilities':
      'What the daemon shows, such as `body`, `actions`, `body-markup` and `persistence`.',
    'Notifications.Notify': 'Shows a notification.',
    'Notifications.Notify.replaces_id': 'the notification that it replaces; 0 for a new one',
    'Notifications.Notify.app_icon': 'the name of an icon or an address of a file; empty for none',
    'Notifications.Notify.actions':
      'alternately the keys and the texts of actions; `default` is a click on the notification',
    'Notifications.Notify.expire_timeout': 'milliseconds until it closes; -1 leaves it to the daemon, 0 is never',
    'Notifications.NotificationClosed': 'A notification was closed.',
    'Notifications.NotificationClosed.reason': 'a {@link CloseReason}',
    'Notifications.ActionInvoked': 'The user has chosen an action.',
  },
  types: {
    'Notifications.Notify.hints': dict({
      'action-icons?': 'b',
      'category?': 's',
      'desktop-entry?': 's',
      'image-data?': '(iiibiiay)',
      'image-path?': 's',
      'resident?': 'b',
      'sound-file?': 's',
      'sound-name?': 's',
      'suppress-sound?': 'b',
      'transient?': 'b',
      'urgency?': 'y',
      'x?': 'i',
      'y?': 'i',
      '...': 'v',
    }),
  },
};

export const statusNotifier: Family = {
  title: 'StatusNotifierItem, icons in the tray of a desktop (session bus)',
  prefix: 'org.kde.',
  constants: {
    WATCHER_NAME: [
      'org.kde.StatusNotifierWatcher',
      'The well-known name of the watcher, which knows all items and hosts.',
    ],
    WATCHER_PATH: ['/StatusNotifierWatcher', 'The object of the watcher.'],
    ITEM_PATH: ['/StatusNotifierItem', 'The usual path of an item.'],
  },
  docs: {
    StatusNotifierItem: 'An icon, which an application exports. Its properties are announced by the signals `New…`.',
    'StatusNotifierItem.Scroll.orientation': '`horizontal` or `vertical`',
    'StatusNotifierItem.Menu': 'The path of its menu, an object with the interface of `@busbar/interfaces/dbusmenu`.',
    'StatusNotifierItem.IconPixmap': 'Width, height and pixels (ARGB, big-endian) of the icon in several sizes.',
    'StatusNotifierItem.ToolTip': 'The name of an icon, pixmaps, a title, and a text.',
    StatusNotifierWatcher: 'Where items and hosts register.',
    'StatusNotifierWatcher.RegisterStatusNotifierItem.service': 'a bus name, or the path of the item at the caller',
  },
  types: {
    'StatusNotifierItem.Status': ['Passive', 'Active', 'NeedsAttention'],
    'StatusNotifierItem.Category': ['ApplicationStatus', 'Communications', 'SystemServices', 'Hardware'],
  },
  argumentNames: {
    'StatusNotifierWatcher.StatusNotifierItemRegistered': ['service'],
    'StatusNotifierWatcher.StatusNotifierItemUnregistered': ['service'],
  },
};

export const dbusmenu: Family = {
  title: 'dbusmenu, menus of applications that a desktop shows (session bus)',
  prefix: 'com.canonical.',
  names: { 'com.canonical.dbusmenu': 'DBusMenu' },
  constants: {},
  docs: {
    DBusMenu: 'A menu, which an application exports.',
    'DBusMenu.GetLayout':
      'Reads a part of the menu: for each item its id, its properties, and its children in variants.',
    'DBusMenu.GetLayout.parentId': 'the item whose children are read; 0 is the root',
    'DBusMenu.GetLayout.recursionDepth': 'how many levels are read; -1 is all',
    'DBusMenu.GetLayout.propertyNames': 'the properties to read; empty for all',
    'DBusMenu.Event.eventId': '`clicked`, `hovered`, `opened` or `closed`',
    'DBusMenu.AboutToShow': 'Announces that a submenu opens. Returns whether its layout has to be read again.',
    'DBusMenu.LayoutUpdated': 'The items below a parent have changed.',
  },
  types: { 'DBusMenu.TextDirection': ['ltr', 'rtl'], 'DBusMenu.Status': ['normal', 'notice'] },
};
