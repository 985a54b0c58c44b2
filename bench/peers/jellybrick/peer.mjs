/** @jellybrick/dbus-next, the fork of dbus-next that is looked after. */
import * as library from '@jellybrick/dbus-next';
import { connectWith } from '../dbus-next/peer.mjs';

export const connect = connectWith(library);
