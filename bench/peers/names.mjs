/** The names that all peers use; harness.h has them for those in C. */
export const NAME = 'org.example.Bench';
export const PATH = '/org/example/bench';
export const INTERFACE = 'org.example.Bench1';
/** An object with twenty properties, and the parent of many. */
export const WIDE = 'org.example.Wide1';
export const WIDE_PATH = `${PATH}/wide`;
export const MANAGER_PATH = `${PATH}/managed`;
export const PROPERTIES = 'org.freedesktop.DBus.Properties';
export const OBJECT_MANAGER = 'org.freedesktop.DBus.ObjectManager';
/** The interface whose property changes are announced. */
export const DEVICE = 'org.bluez.Device1';

/** Has the bus send property changes here, with or without a listener. */
export const MATCH_RULE = `type='signal',path='${PATH}',interface='${PROPERTIES}'`;
