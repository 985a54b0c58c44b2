/**
 * Types that are not exported by name: they are parameters and results of what is. Each has its page here, so that its
 * members can be looked up.
 *
 * @module Other types
 * @group Reference
 */
export type {
  ChangeListener,
  InterfaceProxy,
  Listen,
  LooseMemberTypes,
  MemberTypes,
  Once,
  ProxyOptions,
  SignalWatch,
  Watch,
} from '../../src/client/proxy-types.js';
export type {
  ArgumentList,
  MethodInput,
  PropertyInput,
  ReadingChoice,
  SignalInput,
} from '../../src/introspection/build.js';
export type { ParseIntrospectionOptions } from '../../src/introspection/parse.js';
export type { ServiceInterfaceOptions } from '../../src/service/class-description.js';
export type { MemberOptions } from '../../src/service/decoration.js';
export type { InterfaceMembers } from '../../src/service/definitions.js';
export type { Describable } from '../../src/service/describe.js';
export type { ExportedObject } from '../../src/service/exportable.js';
export type {
  Implementation,
  ImplementationOf,
} from '../../src/service/implement.js';
export type { MethodOptions } from '../../src/service/method.js';
export type { PropertyOptions } from '../../src/service/property.js';
export type { ServiceInterfaceClass } from '../../src/service/service-interface.js';
export type { SignalOptions } from '../../src/service/signal.js';
export type { VariantChoice } from '../../src/signature/types.js';
