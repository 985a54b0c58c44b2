/**
 * What portals answer, as their documentation says. The values are not checked: portals leave entries out that do not
 * apply, and later versions add some.
 */

/** A filter of files: its name, and patterns (0) and MIME types (1). */
export type FileFilter = [name: string, rules: [kind: number, rule: string][]];

/** The results of a file chooser. */
export interface ChosenFiles {
  /** The addresses of the files: `file:///…`. */
  readonly uris: readonly string[];
  /** The values of the additional choices, by their ids. */
  readonly choices?: readonly [id: string, value: string][];
  /** The filter that was chosen last. */
  readonly current_filter?: FileFilter;
}

/** The path of a session. */
export interface PortalSession {
  /** The path of the session's object, which has the interface `Session`. */
  readonly session_handle: string;
}

/** A stream of PipeWire. */
export type PortalStream = [node: number, properties: Readonly<Record<string, unknown>>];

/** The results of a portal's methods, by the names of the interface and the method. */
export interface PortalResults {
  'org.freedesktop.portal.Account': {
    GetUserInformation: { readonly id: string; readonly name: string; readonly image: string };
  };
  'org.freedesktop.portal.Background': {
    RequestBackground: { readonly background: boolean; readonly autostart: boolean };
  };
  'org.freedesktop.portal.DynamicLauncher': {
    PrepareInstall: { readonly name: string; readonly icon: unknown; readonly token: string };
  };
  'org.freedesktop.portal.FileChooser': {
    OpenFile: ChosenFiles & { readonly writable?: boolean };
    SaveFile: ChosenFiles;
    SaveFiles: ChosenFiles;
  };
  'org.freedesktop.portal.GlobalShortcuts': {
    CreateSession: PortalSession;
    BindShortcuts: { readonly shortcuts: readonly PortalShortcut[] };
    ListShortcuts: { readonly shortcuts: readonly PortalShortcut[] };
  };
  'org.freedesktop.portal.Print': {
    PreparePrint: {
      readonly settings: Readonly<Record<string, unknown>>;
      readonly 'page-setup': Readonly<Record<string, unknown>>;
      readonly token: number;
    };
  };
  'org.freedesktop.portal.RemoteDesktop': {
    CreateSession: PortalSession;
    Start: { readonly devices: number; readonly streams?: readonly PortalStream[]; readonly restore_token?: string };
  };
  'org.freedesktop.portal.ScreenCast': {
    CreateSession: PortalSession;
    Start: { readonly streams: readonly PortalStream[]; readonly restore_token?: string };
  };
  'org.freedesktop.portal.Screenshot': {
    Screenshot: { readonly uri: string };
    PickColor: { readonly color: [red: number, green: number, blue: number] };
  };
  'org.freedesktop.portal.Secret': { RetrieveSecret: { readonly token?: string } };
}

/** A shortcut: its id, and its properties such as `description` and `trigger_description`. */
export type PortalShortcut = [id: string, properties: Readonly<Record<string, unknown>>];

/** The results of a method; a table of unknown values if they are not documented. */
export type PortalResultsOf<Portal extends string, Method extends string> = Portal extends keyof PortalResults
  ? Method extends keyof PortalResults[Portal]
    ? PortalResults[Portal][Method]
    : Readonly<Record<string, unknown>>
  : Readonly<Record<string, unknown>>;
