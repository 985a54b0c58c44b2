/**
 * Definitions of the interfaces of the specification, for proxies: those of every object, and those of the bus itself.
 *
 * @see D-Bus specification, sections "Standard Interfaces" and "Message Bus Messages"
 */
import { defineInterface } from './define-interface.js';

const Peer = defineInterface('org.freedesktop.DBus.Peer', {
  methods: { Ping: {}, GetMachineId: { out: ['machine_uuid:s'] } },
});

const Introspectable = defineInterface('org.freedesktop.DBus.Introspectable', {
  methods: { Introspect: { out: ['xml_data:s'] } },
});

const Properties = defineInterface('org.freedesktop.DBus.Properties', {
  methods: {
    Get: { in: ['interface_name:s', 'property_name:s'], out: ['value:v'] },
    Set: { in: ['interface_name:s', 'property_name:s', 'value:v'] },
    GetAll: { in: ['interface_name:s'], out: ['props:a{sv}'] },
  },
  signals: {
    PropertiesChanged: { args: ['interface_name:s', 'changed_properties:a{sv}', 'invalidated_properties:as'] },
  },
});

const ObjectManager = defineInterface('org.freedesktop.DBus.ObjectManager', {
  methods: { GetManagedObjects: { out: ['objpath_interfaces_and_properties:a{oa{sa{sv}}}'] } },
  signals: {
    InterfacesAdded: { args: ['object_path:o', 'interfaces_and_properties:a{sa{sv}}'] },
    InterfacesRemoved: { args: ['object_path:o', 'interfaces:as'] },
  },
});

const Bus = defineInterface('org.freedesktop.DBus', {
  methods: {
    Hello: { out: ['unique_name:s'] },
    RequestName: { in: ['name:s', 'flags:u'], out: ['result:u'] },
    ReleaseName: { in: ['name:s'], out: ['result:u'] },
    ListQueuedOwners: { in: ['name:s'], out: ['unique_names:as'] },
    ListNames: { out: ['names:as'] },
    ListActivatableNames: { out: ['names:as'] },
    NameHasOwner: { in: ['name:s'], out: ['has_owner:b'] },
    StartServiceByName: { in: ['name:s', 'flags:u'], out: ['result:u'] },
    UpdateActivationEnvironment: { in: ['environment:a{ss}'] },
    GetNameOwner: { in: ['name:s'], out: ['unique_name:s'] },
    GetConnectionUnixUser: { in: ['bus_name:s'], out: ['uid:u'] },
    GetConnectionUnixProcessID: { in: ['bus_name:s'], out: ['pid:u'] },
    GetConnectionCredentials: { in: ['bus_name:s'], out: ['credentials:a{sv}'] },
    GetAdtAuditSessionData: { in: ['bus_name:s'], out: ['audit_data:ay'] },
    GetConnectionSELinuxSecurityContext: { in: ['bus_name:s'], out: ['context:ay'] },
    AddMatch: { in: ['rule:s'] },
    RemoveMatch: { in: ['rule:s'] },
    GetId: { out: ['id:s'] },
    ReloadConfig: {},
  },
  signals: {
    NameOwnerChanged: { args: ['name:s', 'old_owner:s', 'new_owner:s'] },
    NameLost: { args: ['name:s'] },
    NameAcquired: { args: ['name:s'] },
    ActivatableServicesChanged: {},
  },
  properties: {
    Features: { type: 'as', access: 'read', emits: 'const' },
    Interfaces: { type: 'as', access: 'read', emits: 'const' },
  },
});

const Monitoring = defineInterface('org.freedesktop.DBus.Monitoring', {
  methods: { BecomeMonitor: { in: ['match_rules:as', 'flags:u'] } },
});

const Stats = defineInterface('org.freedesktop.DBus.Debug.Stats', {
  methods: {
    GetStats: { out: ['stats:a{sv}'] },
    GetConnectionStats: { in: ['bus_name:s'], out: ['stats:a{sv}'] },
    GetAllMatchRules: { out: ['rules:a{sas}'] },
  },
});

type PeerInterface = typeof Peer;
type IntrospectableInterface = typeof Introspectable;
type PropertiesInterface = typeof Properties;
type ObjectManagerInterface = typeof ObjectManager;
type BusInterface = typeof Bus;
type MonitoringInterface = typeof Monitoring;
type StatsInterface = typeof Stats;

/** The definitions of {@link standard}. */
export interface StandardInterfaces {
  /** Whether the process of an object answers, and on which machine it is. */
  readonly Peer: PeerInterface;
  /** The introspection data of an object. */
  readonly Introspectable: IntrospectableInterface;
  /** The properties of an object. */
  readonly Properties: PropertiesInterface;
  /** The objects below an object. */
  readonly ObjectManager: ObjectManagerInterface;
  /** The message bus itself. */
  readonly Bus: BusInterface;
  /** Becoming a monitor of the bus. */
  readonly Monitoring: MonitoringInterface;
  /** Counts of the bus. */
  readonly Stats: StatsInterface;
}

/**
 * The interfaces of the specification, for proxies. Most programs do not need them: `bus.objects`, `proxy.getAll` and
 * the methods of the bus do what they are for. busbar itself answers for every exported object.
 *
 * - `Peer`, `Introspectable`, `Properties`, `ObjectManager`: of objects
 * - `Bus`, `Monitoring`, `Stats`: of the bus, at the name `org.freedesktop.DBus` and the path `/org/freedesktop/DBus`
 *
 * @example
 * ```ts
 * const driver = bus.proxy(standard.Bus, 'org.freedesktop.DBus', '/org/freedesktop/DBus');
 * console.log(await driver.get.Features());
 * ```
 */
export const standard: StandardInterfaces = {
  Peer,
  Introspectable,
  Properties,
  ObjectManager,
  Bus,
  Monitoring,
  Stats,
};
