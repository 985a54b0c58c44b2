/** All families, by their import paths. */
import { bluez, obex } from './bluetooth.js';
import { portals, secrets } from './desktop.js';
import type { Family } from './family.js';
import { accounts, colord, packagekit, polkit, powerProfiles, udisks2, upower } from './machine.js';
import { dbusmenu, mpris, notifications, statusNotifier } from './media.js';
import { avahi, modemmanager, networkmanager } from './network.js';
import { hostname1, login1, systemd1, timedate1 } from './systemd.js';

export const families: Readonly<Record<string, Family>> = {
  accounts,
  avahi,
  bluez,
  colord,
  dbusmenu,
  hostname1,
  login1,
  modemmanager,
  mpris,
  networkmanager,
  notifications,
  obex,
  packagekit,
  polkit,
  portals,
  'power-profiles': powerProfiles,
  secrets,
  'status-notifier': statusNotifier,
  systemd1,
  timedate1,
  udisks2,
  upower,
};
