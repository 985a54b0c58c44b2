/**
 * The interfaces that the specification defines for every object and for object managers. Argument names are those of
 * the specification.
 *
 * @see D-Bus specification, section "Standard Interfaces"
 */
import { interfaceDescription } from './build.js';

export const standardInterfaces = {
  peer: interfaceDescription('org.freedesktop.DBus.Peer', {
    methods: { Ping: {}, GetMachineId: { out: ['machine_uuid:s'] } },
  }),
  introspectable: interfaceDescription('org.freedesktop.DBus.Introspectable', {
    methods: { Introspect: { out: ['xml_data:s'] } },
  }),
  properties: interfaceDescription('org.freedesktop.DBus.Properties', {
    methods: {
      Get: { in: ['interface_name:s', 'property_name:s'], out: ['value:v'] },
      Set: { in: ['interface_name:s', 'property_name:s', 'value:v'] },
      GetAll: { in: ['interface_name:s'], out: ['props:a{sv}'] },
    },
    signals: {
      PropertiesChanged: { args: ['interface_name:s', 'changed_properties:a{sv}', 'invalidated_properties:as'] },
    },
  }),
  objectManager: interfaceDescription('org.freedesktop.DBus.ObjectManager', {
    methods: { GetManagedObjects: { out: ['objpath_interfaces_and_properties:a{oa{sa{sv}}}'] } },
    signals: {
      InterfacesAdded: { args: ['object_path:o', 'interfaces_and_properties:a{sa{sv}}'] },
      InterfacesRemoved: { args: ['object_path:o', 'interfaces:as'] },
    },
  }),
} as const;
