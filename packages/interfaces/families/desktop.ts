/** Portals and secrets of the desktop. */
import { dict } from 'busbar';
import type { Family } from './family.js';

const token = { 'handle_token?': 's' } as const;
const filter = '(sa(us))';

const chooser = {
  ...token,
  ...{ 'accept_label?': 's', 'modal?': 'b', 'filters?': 'a(sa(us))', 'current_filter?': filter },
  ...{ 'choices?': 'a(ssa(ss)s)', 'current_folder?': 'ay' },
} as const;

export const portals: Family = {
  title: 'Portals, by which applications in a sandbox use the desktop (session bus)',
  prefix: 'org.freedesktop.portal.',
  constants: {
    NAME: ['org.freedesktop.portal.Desktop', 'The well-known name of the portals.'],
    PATH: ['/org/freedesktop/portal/desktop', 'The object of the portals.'],
    DOCUMENTS_NAME: [
      'org.freedesktop.portal.Documents',
      'The well-known name of the portals `Documents` and `FileTransfer`.',
    ],
    DOCUMENTS_PATH: [
      '/org/freedesktop/portal/documents',
      'The object of the portal `Documents`, and of `FileTransfer`.',
    ],
  },
  docs: {
    Account: 'Name and picture of the user.',
    Background: 'Running in the background, and at login.',
    Camera: 'Cameras.',
    Device: 'Microphones, speakers and cameras, for services.',
    Documents: 'Files of the host that a sandbox may use.',
    DynamicLauncher: 'Launchers of web applications.',
    Email: 'A new email in the mail application.',
    FileChooser: 'Dialogs to open and save files.',
    'FileChooser.OpenFile': 'Asks for files to open. Call it with {@link portalRequest}.',
    'FileChooser.SaveFile': 'Asks where to save a file. Call it with {@link portalRequest}.',
    FileTransfer: 'Files for drag and drop, and for copy and paste.',
    GameMode: 'Optimizations of the machine for games.',
    GlobalShortcuts: 'Keys that work in every application.',
    Inhibit: 'Prevents logout, user switching, sleep and idleness until the request is closed.',
    Location: 'Where the machine is.',
    MemoryMonitor: 'Warnings that memory is low.',
    NetworkMonitor: 'Whether there is a network.',
    Notification: 'Notifications of applications in a sandbox.',
    OpenURI: 'Opens an address or a file in its application.',
    PowerProfileMonitor: 'Whether the power saver is on.',
    Print: 'Printing.',
    ProxyResolver: 'The proxy for an address.',
    Realtime: 'Priorities for realtime.',
    RemoteDesktop: 'Control of pointer and keyboard.',
    Request: 'A call of a portal whose answer comes later: see {@link portalRequest}.',
    'Request.Response':
      'The answer, only for the caller: 0 is success, 1 cancelled by the user, 2 ended in another way.',
    ScreenCast: 'Pictures of the screen as a stream of PipeWire.',
    Screenshot: 'Pictures of the screen, and colours in it.',
    Secret: 'The secret with which an application in a sandbox encrypts its own.',
    Session: 'A session with a portal.',
    Settings: 'Settings of the desktop, such as the colour scheme.',
    Trash: 'Moves files to the trash.',
    Wallpaper: 'The background of the desktop.',
  },
  types: {
    '*.options': dict({ ...token, '...': 'v' }),
    'FileChooser.OpenFile.options': dict({ ...chooser, 'multiple?': 'b', 'directory?': 'b', '...': 'v' }),
    'FileChooser.SaveFile.options': dict({ ...chooser, 'current_name?': 's', 'current_file?': 'ay', '...': 'v' }),
    'FileChooser.SaveFiles.options': dict({ ...chooser, 'files?': 'aay', '...': 'v' }),
    'Screenshot.Screenshot.options': dict({ ...token, 'modal?': 'b', 'interactive?': 'b', '...': 'v' }),
    'OpenURI.OpenURI.options': dict({
      ...token,
      ...{ 'writable?': 'b', 'ask?': 'b', 'activation_token?': 's' },
      '...': 'v',
    }),
    'Account.GetUserInformation.options': dict({ ...token, 'reason?': 's', '...': 'v' }),
    'Background.RequestBackground.options': dict({
      ...token,
      ...{ 'reason?': 's', 'autostart?': 'b', 'commandline?': 'as', 'dbus-activatable?': 'b' },
      '...': 'v',
    }),
    'Email.ComposeEmail.options': dict({
      ...token,
      ...{ 'address?': 's', 'addresses?': 'as', 'cc?': 'as', 'bcc?': 'as', 'subject?': 's', 'body?': 's' },
      ...{ 'attachment_fds?': 'ah', 'activation_token?': 's' },
      '...': 'v',
    }),
    'ScreenCast.SelectSources.options': dict({
      ...token,
      ...{ 'types?': 'u', 'multiple?': 'b', 'cursor_mode?': 'u', 'restore_token?': 's', 'persist_mode?': 'u' },
      '...': 'v',
    }),
    'Inhibit.Inhibit.options': dict({ ...token, 'reason?': 's', '...': 'v' }),
    'Notification.AddNotification.notification': dict({
      ...{
        'title?': 's',
        'body?': 's',
        'priority?': 's',
        'icon?': 'v',
        'default-action?': 's',
        'default-action-target?': 'v',
      },
      'buttons?': 'aa{sv}',
      '...': 'v',
    }),
  },
};

export const secrets: Family = {
  title: 'The Secret Service, passwords of the user (session bus)',
  prefix: 'org.freedesktop.Secret.',
  constants: {
    NAME: ['org.freedesktop.secrets', 'The well-known name of the service.'],
    PATH: ['/org/freedesktop/secrets', 'The object of the service.'],
    DEFAULT_COLLECTION: [
      '/org/freedesktop/secrets/aliases/default',
      'The collection in which passwords are stored by default.',
    ],
    SESSION_COLLECTION: ['/org/freedesktop/secrets/collection/session', 'A collection that is lost at logout.'],
  },
  docs: {
    Service: 'The service.',
    'Service.OpenSession': 'A session, in which secrets are transferred.',
    'Service.OpenSession.algorithm':
      "`plain`, with `''` as input, or `dh-ietf1024-sha256-aes128-cbc-pkcs7` with a public key",
    'Service.SearchItems': 'The items of all collections that have these attributes.',
    'Service.Unlock': 'Unlocks objects. If the prompt is not `/`, the user has to be asked: call its method `Prompt`.',
    Collection: 'A collection of items, which is locked as a whole.',
    'Collection.CreateItem':
      'Stores a secret. If the prompt is not `/`, the user has to be asked: call its method `Prompt`.',
    Item: 'A secret with attributes.',
    'Item.GetSecret': 'The session, the parameters of its algorithm, the value, and its MIME type.',
    Session: 'A session, in which secrets are transferred.',
    Prompt: 'A question to the user.',
    'Prompt.Prompt': 'Asks. `Completed` has the answer.',
  },
  types: {
    'Service.CreateCollection.properties': dict({ 'org.freedesktop.Secret.Collection.Label?': 's', '...': 'v' }),
    'Collection.CreateItem.properties': dict({
      ...{ 'org.freedesktop.Secret.Item.Label?': 's', 'org.freedesktop.Secret.Item.Attributes?': 'a{ss}' },
      'org.freedesktop.Secret.Item.Type?': 's',
      '...': 'v',
    }),
  },
};
