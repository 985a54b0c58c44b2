/** Power, drives, users, authorization, colours, and packages. */
import { arrayOf, dict } from 'busbar';
import type { Family } from './family.js';

export const upower: Family = {
  title: 'UPower, batteries and other power devices (system bus)',
  prefix: 'org.freedesktop.UPower.',
  names: { 'org.freedesktop.UPower': 'UPower' },
  constants: {
    NAME: ['org.freedesktop.UPower', 'The well-known name of the daemon.'],
    PATH: ['/org/freedesktop/UPower', 'The object of the daemon.'],
    DISPLAY_DEVICE: ['/org/freedesktop/UPower/devices/DisplayDevice', 'The device that stands for all batteries.'],
  },
  numbers: {
    DeviceState: {
      docs: 'Values of `Device.State`.',
      values: {
        ...{
          Unknown: 0,
          Charging: 1,
          Discharging: 2,
          Empty: 3,
          FullyCharged: 4,
          PendingCharge: 5,
          PendingDischarge: 6,
        },
      },
    },
    DeviceType: {
      docs: 'Values of `Device.Type`.',
      values: {
        ...{ Unknown: 0, LinePower: 1, Battery: 2, Ups: 3, Monitor: 4, Mouse: 5, Keyboard: 6, Pda: 7, Phone: 8 },
      },
    },
    WarningLevel: {
      docs: 'Values of `Device.WarningLevel`.',
      values: { Unknown: 0, None: 1, Discharging: 2, Low: 3, Critical: 4, Action: 5 },
    },
  },
  docs: {
    UPower: 'The daemon.',
    'UPower.GetDisplayDevice': 'The device that stands for all batteries.',
    Device: 'A battery, an adapter, or the battery of a peripheral.',
    'Device.Percentage': 'From 0 to 100.',
    'Device.State': 'A {@link DeviceState}.',
    'Device.Type': 'A {@link DeviceType}.',
    'Device.WarningLevel': 'A {@link WarningLevel}.',
    'Device.TimeToEmpty': 'Seconds; 0 if it is not known.',
    'Device.TimeToFull': 'Seconds; 0 if it is not known.',
    'Device.Energy': 'Watt hours.',
    'Device.EnergyRate': 'Watts; positive while it discharges.',
    'Device.Temperature': 'Degrees Celsius.',
    'Device.UpdateTime': 'Seconds since 1970.',
    KbdBacklight: 'The light of the keyboard.',
  },
};

export const powerProfiles: Family = {
  title: 'power-profiles-daemon, power saver and performance modes (system bus)',
  prefix: 'net.hadess.',
  constants: {
    NAME: ['net.hadess.PowerProfiles', 'The well-known name of the daemon.'],
    PATH: ['/net/hadess/PowerProfiles', 'Its object.'],
  },
  docs: {
    PowerProfiles: 'The profiles of the machine.',
    'PowerProfiles.HoldProfile': 'Uses a profile until `ReleaseProfile`, or until the caller leaves.',
    'PowerProfiles.ActiveProfile': '`power-saver`, `balanced` or `performance`.',
    'PowerProfiles.PerformanceDegraded': 'Why performance is limited, such as `lap-detected`; empty if it is not.',
  },
  types: {
    'PowerProfiles.Profiles': arrayOf(dict({ Profile: 's', 'Driver?': 's', '...': 'v' })),
    'PowerProfiles.ActiveProfileHolds': arrayOf(dict({ ApplicationId: 's', Profile: 's', Reason: 's', '...': 'v' })),
  },
};

const udisksOptions = { 'auth.no_user_interaction?': 'b' } as const;

export const udisks2: Family = {
  title: 'UDisks, drives and file systems (system bus)',
  prefix: 'org.freedesktop.UDisks2.',
  constants: {
    NAME: ['org.freedesktop.UDisks2', 'The well-known name of the daemon.'],
    PATH: ['/org/freedesktop/UDisks2', 'The object manager. Drives and block devices are below it.'],
    MANAGER: ['/org/freedesktop/UDisks2/Manager', 'The object of the daemon itself.'],
  },
  docs: {
    Manager: 'The daemon.',
    Drive: 'A drive, or a slot for media.',
    'Drive.PowerOff': 'Makes the drive safe to remove.',
    Block: 'A block device.',
    'Block.Device': 'The path of the device file, with a NUL at its end.',
    'Block.Format': 'Makes a new file system. What was on the device is lost.',
    Partition: 'A partition.',
    PartitionTable: 'A device with partitions.',
    Filesystem: 'A device with a file system that can be mounted.',
    'Filesystem.Mount': 'Mounts the file system, and returns the folder.',
    'Filesystem.MountPoints': 'The folders, each with a NUL at its end.',
    Swapspace: 'A device with a swap space.',
    Encrypted: 'A device with encrypted data.',
    'Encrypted.Unlock': 'Makes a device of the decrypted data, and returns its path.',
    Loop: 'A file that is a device.',
    Job: 'Work in progress.',
    MDRaid: 'A software RAID.',
    DriveAta: 'SMART and power management of a drive.',
  },
  types: {
    '*.options': dict({ ...udisksOptions, '...': 'v' }),
    'Filesystem.Mount.options': dict({
      ...udisksOptions,
      'as-user?': 's',
      'fstype?': 's',
      'options?': 's',
      '...': 'v',
    }),
    'Filesystem.Unmount.options': dict({ ...udisksOptions, 'force?': 'b', '...': 'v' }),
    'Encrypted.Unlock.options': dict({ ...udisksOptions, 'keyfile_contents?': 'ay', 'read-only?': 'b', '...': 'v' }),
    'Block.Format.options': dict({
      ...udisksOptions,
      ...{ 'label?': 's', 'take-ownership?': 'b', 'encrypt.passphrase?': 'v', 'encrypt.type?': 's', 'erase?': 's' },
      ...{
        'update-partition-type?': 'b',
        'no-block?': 'b',
        'dry-run-first?': 'b',
        'no-discard?': 'b',
        'tear-down?': 'b',
      },
      '...': 'v',
    }),
  },
};

export const accounts: Family = {
  title: 'AccountsService, the users of the machine (system bus)',
  prefix: 'org.freedesktop.Accounts.',
  names: { 'org.freedesktop.Accounts': 'Accounts' },
  constants: {
    NAME: ['org.freedesktop.Accounts', 'The well-known name of the daemon.'],
    PATH: ['/org/freedesktop/Accounts', 'Its object.'],
  },
  docs: {
    Accounts: 'The users of the machine.',
    'Accounts.FindUserByName': 'The path of a user.',
    User: 'A user.',
    'User.AccountType': '0 is a standard user, 1 an administrator.',
    'User.IconFile': 'The path of a picture.',
  },
};

export const polkit: Family = {
  title: 'polkit, which decides what users may do (system bus)',
  prefix: 'org.freedesktop.PolicyKit1.',
  constants: {
    NAME: ['org.freedesktop.PolicyKit1', 'The well-known name of the daemon.'],
    PATH: ['/org/freedesktop/PolicyKit1/Authority', 'The object of the authority.'],
  },
  docs: {
    Authority: 'What users may do. A service with `permits: { polkit }` needs no call of it.',
    'Authority.CheckAuthorization': 'Whether a subject may do something.',
    'Authority.CheckAuthorization.subject':
      "`['system-bus-name', { name: ':1.5' }]`, or `unix-process` with `pid` (u) and `start-time` (t), or `unix-session` with `session-id`",
    'Authority.CheckAuthorization.flags': '1 if the user may be asked',
    'Authority.CheckAuthorization.cancellation_id':
      'any text, with which `CancelCheckAuthorization` ends the call; empty for none',
    AuthenticationAgent: 'Exported by a program that asks the user for a password.',
  },
};

export const colord: Family = {
  title: 'colord, colour profiles of screens, printers and scanners (system bus)',
  prefix: 'org.freedesktop.ColorManager.',
  names: { 'org.freedesktop.ColorManager': 'ColorManager' },
  constants: {
    NAME: ['org.freedesktop.ColorManager', 'The well-known name of the daemon.'],
    PATH: ['/org/freedesktop/ColorManager', 'Its object.'],
  },
  docs: {
    ColorManager: 'The devices, profiles and sensors that are known.',
    Device: 'A device with colours.',
    Profile: 'A colour profile.',
    Sensor: 'A device that measures colours.',
  },
};

export const packagekit: Family = {
  title: 'PackageKit, the packages of any distribution (system bus)',
  prefix: 'org.freedesktop.PackageKit.',
  names: { 'org.freedesktop.PackageKit': 'PackageKit' },
  constants: {
    NAME: ['org.freedesktop.PackageKit', 'The well-known name of the daemon.'],
    PATH: ['/org/freedesktop/PackageKit', 'Its object.'],
  },
  docs: {
    PackageKit: 'The daemon.',
    'PackageKit.CreateTransaction':
      'Makes a transaction, which does one thing. Subscribe to its signals before you call it.',
    Transaction: 'Something that is done or asked once. Its results are signals, and `Finished` is the last one.',
    Offline: 'Updates that are installed at the next start of the machine.',
  },
};
