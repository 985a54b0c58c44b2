/**
 * A notification daemon in a terminal, for notify-send and the applications of a desktop. Type the number of a
 * notification to dismiss it, and a number and an action to choose the action. Ctrl+C ends it.
 */
import { createInterface } from 'node:readline';
import { type CallContext, DBusError, implement, serve, sessionBus } from 'busbar';
import { Notifications } from './interfaces/notifications.js';

const reasons = { expired: 1, dismissed: 2, closed: 3 } as const;
/** The urgency of notifications that stay until they are closed; others expire after some milliseconds. */
const CRITICAL = 2;
const DEFAULT_TIME = 5000;

/** A notification, whose signals go to the application that sent it, and to no other. */
interface Shown {
  readonly call: CallContext;
  readonly actions: readonly string[];
  readonly resident: boolean;
  readonly expiry: NodeJS.Timeout | undefined;
}
const shown = new Map<number, Shown>();
let last = 0;

function nextId(): number {
  do last = (last + 1) % 2 ** 32;
  while (last === 0 || shown.has(last));
  return last;
}

/** Texts come from any application: without control characters they cannot change the terminal. */
const plain = (text: string) => text.replaceAll(/\p{Cc}+/gu, ' ');

function close(id: number, reason: keyof typeof reasons): void {
  const notification = shown.get(id);
  clearTimeout(notification?.expiry);
  if (notification === undefined || !shown.delete(id)) return;
  console.log(`${id} is ${reason}`);
  daemon.to(notification.call).emit.NotificationClosed(id, reasons[reason]);
}

const daemon = implement(Notifications, {
  Notify(app, replaces, _icon, summary, body, list, hints, milliseconds, call): number {
    const id = replaces || nextId();
    clearTimeout(shown.get(id)?.expiry);
    const time = milliseconds < 0 && hints.urgency !== CRITICAL ? DEFAULT_TIME : milliseconds;
    const expiry = time > 0 ? setTimeout(close, time, id, 'expired').unref() : undefined;
    // The list has the key and the label of each action in turn.
    const actions = list.filter((_, index) => index % 2 === 0);
    shown.set(id, { call, actions, resident: hints.resident === true, expiry });
    const texts = [`${app}:`, summary, body, ...actions.map((action) => `[${action}]`)];
    console.log(id, plain(texts.filter((text) => text !== '').join(' ')));
    return id;
  },
  CloseNotification(id) {
    if (!shown.has(id)) throw new DBusError('org.freedesktop.Notifications.Error.NotFound', `no notification ${id}`);
    close(id, 'closed');
  },
  GetCapabilities: () => ['actions', 'body', 'persistence'],
  GetServerInformation: () => ['notifications', 'busbar', '1.0', '1.2'],
});

const name = 'org.freedesktop.Notifications';
const service = await serve(await sessionBus(), { name, objects: { '/org/freedesktop/Notifications': daemon } });
console.log('ready');

const terminal = createInterface({ input: process.stdin });
void service.ended.then(() => terminal.close());
for await (const line of terminal) {
  const [id, action] = [Number.parseInt(line, 10), line.replace(/^\s*\d+\s*/, '')];
  const notification = shown.get(id);
  if (notification === undefined) console.log(`there is no notification ${line}`);
  else if (action === '') close(id, 'dismissed');
  else if (!notification.actions.includes(action)) console.log(`${id} has no action ${action}`);
  else {
    daemon.to(notification.call).emit.ActionInvoked(id, action);
    if (!notification.resident) close(id, 'dismissed');
  }
}
