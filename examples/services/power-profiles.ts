/** The power profiles of a machine, without any effect, for powerprofilesctl and the settings of a desktop. */
import { type CallContext, type Handle, InvalidArgumentError, implement, serve, systemBus } from 'busbar';
import { PowerProfiles } from './interfaces/power-profiles.js';

const names = ['power-saver', 'balanced', 'performance'];
let chosen = 'balanced';

/** An application holds a profile until it releases it, or leaves the bus, or a user chooses another profile. */
interface Hold {
  readonly Profile: string;
  readonly Reason: string;
  readonly ApplicationId: string;
}
const holds = new Map<number, Hold & { readonly call: CallContext; readonly lease: Handle }>();
let lastCookie = 0;

/** Holds win against the choice of the user, and those that save power win against those that do not. */
function active(): string {
  const held = [...holds.values()].map(({ Profile }) => Profile);
  return held.includes('power-saver') ? 'power-saver' : (held[0] ?? chosen);
}

function announce(what: string, hold?: Hold): void {
  profiles.emitPropertiesChanged(['ActiveProfile', 'ActiveProfileHolds']);
  console.log(`${what}: ${active()} is active`, hold ?? '');
}

function release(cookie: number): boolean {
  holds.get(cookie)?.lease.end();
  return holds.delete(cookie);
}

const profiles = implement(PowerProfiles, {
  HoldProfile(Profile, Reason, ApplicationId, call) {
    if (Profile !== 'power-saver' && Profile !== 'performance')
      throw new InvalidArgumentError(`${Profile} cannot be held: hold power-saver or performance`);
    const cookie = ++lastCookie;
    const hold = { Profile, Reason, ApplicationId };
    const lease = call.caller.track(() => {
      release(cookie);
      announce('the holder has left', hold);
    });
    holds.set(cookie, { ...hold, call, lease });
    announce('held', hold);
    return cookie;
  },
  ReleaseProfile(cookie) {
    if (!release(cookie)) throw new InvalidArgumentError(`there is no hold ${cookie}`);
    announce('released');
  },
  ActiveProfile: {
    get: active,
    set(name) {
      if (!names.includes(name)) throw new InvalidArgumentError(`${name} is not one of ${names.join(', ')}`);
      for (const [cookie, { call }] of holds) {
        release(cookie);
        profiles.to(call).emit.ProfileReleased(cookie);
      }
      chosen = name;
      announce('chosen');
    },
  },
  PerformanceDegraded: '',
  Profiles: names.map((Profile) => ({ Profile, Driver: 'busbar' })),
  Actions: [],
  ActiveProfileHolds: { get: () => [...holds.values()].map(({ call, lease, ...hold }) => hold) },
});

await serve(await systemBus(), {
  name: 'net.hadess.PowerProfiles',
  objects: { '/net/hadess/PowerProfiles': profiles },
});
console.log('ready');
