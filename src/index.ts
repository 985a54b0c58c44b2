/**
 * busbar: D-Bus for Node.js and TypeScript. Everything public is exported here.
 *
 * @module busbar
 * @group Reference
 */

export {
  AccessDeniedError,
  BackpressureError,
  CallerLeftError,
  ConnectError,
  ConnectionClosedError,
  DBusError,
  type DBusErrorOptions,
  InteractiveAuthorizationRequiredError,
  InvalidArgumentError,
  InvalidReplyError,
  LimitsExceededError,
  ListenError,
  MatchRuleNotFoundError,
  NameHasNoOwnerError,
  NameReleasedError,
  NameTakenError,
  type NameTakenErrorOptions,
  NotSupportedError,
  PropertyReadOnlyError,
  ProtocolError,
  ServiceLeftError,
  ServiceUnknownError,
  TimeoutError,
  UnknownInterfaceError,
  UnknownMethodError,
  UnknownObjectError,
  UnknownPropertyError,
} from './base/error-classes.js';
export type { Handle } from './base/handle.js';
export {
  isBusName,
  isErrorName,
  isInterfaceName,
  isMemberName,
  isObjectPath,
  isUniqueName,
  isWellKnownName,
} from './base/names.js';
export { pathEscape, pathUnescape } from './base/path-label.js';
export { type RegisteredErrorClass, registerError } from './base/registered-errors.js';
export type { SubscriptionRule } from './bus/bus.js';
export type { BusStats } from './bus/bus-stats.js';
export type { CallerCredentials, CallerCredentialsOptions } from './bus/callers/caller-credentials.js';
export type { CloseOptions } from './bus/connection-user.js';
export type { ConnectionWatcher, Restored } from './bus/link/connection-watcher.js';
export type { BusState } from './bus/link/link.js';
export type { ReconnectOptions } from './bus/link/reconnect-options.js';
export type { MessageHandler, MessageHandlerOptions } from './bus/message-handlers.js';
export type { Monitor, MonitorOptions } from './bus/monitor/monitor.js';
export type { MonitorRule } from './bus/monitor/monitor-rules.js';
export type { MonitoredMessage } from './bus/monitor/monitored-message.js';
export type { MonitoredPeer, MonitoredProcess } from './bus/monitor/monitored-peers.js';
export { type CapturedMessage, type PcapSummary, writePcap } from './bus/monitor/pcap.js';
export type { Credentials } from './bus/names/driver.js';
export type { NameWatcher } from './bus/names/name-watcher.js';
export type { AnswerLimits } from './bus/names/named-endpoint.js';
export type { NamesWatcher } from './bus/names/names-watcher.js';
export type { NameLoss, OwnedName } from './bus/names/owned-name.js';
export type { RequestNameOptions } from './bus/names/owned-names.js';
export type { CallOptions, MessageReply, MethodCall, SignalEmission } from './bus/names/requests.js';
export type { WaitForNameOptions } from './bus/names/wait-for-name.js';
export { formatMatchRule, type MatchRule } from './bus/rules/match-rule.js';
export { parseMatchRule } from './bus/rules/parse-match-rule.js';
export type { Subscription } from './bus/rules/subscription.js';
export type { SignalListener } from './bus/rules/subscriptions.js';
export type { AllMembers } from './client/all-members.js';
export type { MemberTypes } from './client/member-types.js';
export type { ObjectOptions, RemoteObject } from './client/object.js';
export type {
  AnyProxy,
  ChangeListener,
  InterfaceProxy,
  Listen,
  LooseMemberTypes,
  Once,
  OnceOptions,
  ProxyOf,
  ProxyOptions,
  SignalListeners,
  SignalWatch,
  Watch,
} from './client/proxy-types.js';
export type { ContextOption, SignalContext } from './client/signal-context.js';
export type { SignalQueue, WatchOptions } from './client/signal-queue.js';
export type { SignalsOptions, SignalsRule } from './client/signals-of-many.js';
export type { DecodeOptions } from './codec/decode-options.js';
export { keepTypes } from './codec/kept-types.js';
export { type ConnectOptions, connect } from './connect.js';
export type { CallCounts, CallEvent, CallOutcome } from './connection/call-events.js';
export type { ConnectionEvent, ConnectionFailure, ConnectionState } from './connection/connection-events.js';
export type { ConnectionLimits, ServerLimits } from './connection/limits.js';
export {
  type HeaderFields,
  type Message,
  MessageFlag,
  MessageType,
  type OutgoingMessage,
} from './connection/message.js';
export type { MessageEvent } from './connection/message-events.js';
export type { WaitOptions } from './connection/sending/pending-calls.js';
export type { Traffic } from './connection/traffic.js';
export type { WaitLimits } from './connection/wait-limits.js';
export type { Problem, ProblemKind } from './diagnostics/problems.js';
export { defineInterface, type InterfaceDefinition } from './interface/define-interface.js';
export type { InterfaceMembers } from './interface/definitions.js';
export type {
  Access,
  Annotations,
  ArgumentDescription,
  EmitsChanged,
  InterfaceDescription,
  MethodDescription,
  NodeDescription,
  PropertyDescription,
  ReturnedInterface,
  SignalDescription,
} from './interface/description.js';
export { type Difference, type DifferenceKind, interfaceDifferences } from './interface/differences.js';
export type {
  ArgumentList,
  MethodInput,
  PropertyInput,
  ReadingChoice,
  SignalInput,
} from './interface/member-inputs.js';
export { type StandardInterfaces, standard } from './interface/ready-definitions.js';
export { introspectionXml } from './interface/xml/generate.js';
export { type ParseIntrospectionOptions, parseIntrospection } from './interface/xml/parse.js';
export type { CachedOptions } from './live/cached.js';
export type { ChangesOptions } from './live/changes.js';
export type { LiveOptions } from './live/described.js';
export type {
  CachedObject,
  LiveObject,
  LiveObjects,
  LiveProxyOf,
  LiveReading,
  LiveValues,
  ManagedObject,
  ObjectAdded,
  ObjectChange,
  ObjectChanged,
  ObjectChangeLoop,
  ObjectRemoved,
  ObjectWatcher,
  WatchObjects,
} from './live/live-types.js';
export type { ObjectsOptions, ObjectsView } from './live/objects-view.js';
export type { UntilOptions } from './live/until.js';
export { MessageBus } from './message-bus.js';
export type { ConnectionPhase, HandshakeRole, PollerKind, TransportKind } from './native/binding.js';
export { type PairOptions, pair } from './pair.js';
export { type InheritedSocket, inheritedSockets } from './peer/inherited-sockets.js';
export { type ListenOptions, listen } from './peer/listen.js';
export { PeerServer, type PeerServerOptions, type ServerCloseOptions } from './peer/peer-server.js';
export type { ServedObjects, ServeOptions, Service } from './serve/serve-options.js';
export type { ServiceEnd } from './serve/service-end.js';
export type { StopSignal } from './serve/stop-signals.js';
export { serve } from './serve.js';
export type { CallContext } from './service/calls/call-context.js';
export type { Caller, CallerCleanup } from './service/calls/caller.js';
export type { ServiceInterfaceOptions } from './service/class/class-description.js';
export type { MemberOptions } from './service/class/decoration.js';
export { type Describable, describe } from './service/class/describe.js';
export type { Carries, Emits, SignalsOf } from './service/class/emits.js';
export { type DecoratesMethod, type MethodOptions, method } from './service/class/method.js';
export { type DecoratesProperty, type PropertyOptions, property } from './service/class/property.js';
export { ServiceInterface, type ServiceInterfaceClass } from './service/class/service-interface.js';
export { type DecoratesSignal, type SignalOptions, signal } from './service/class/signal.js';
export {
  type DirectedSignals,
  type Implementation,
  type ImplementationMembers,
  type ImplementationOf,
  implement,
  type LooseImplementation,
  type LooseMembers,
} from './service/implement/implement.js';
export type { ExportedTree } from './service/objects/exported-tree.js';
export type { Export, ExportedObject } from './service/objects/exports.js';
export type { SignalDestination, SignalDestinationOptions } from './service/objects/recipient.js';
export type { ChildNames, FoundObjects, TreeOptions } from './service/objects/subtree.js';
export type { AuthorizeOptions } from './service/permits/authorize.js';
export type {
  ImplementedMemberOptions,
  ImplementedMethodOptions,
  ImplementedPropertyOptions,
  ImplementOptions,
  LooseMemberOptions,
} from './service/permits/implemented-rules.js';
export type { Concurrency, HandlerOrder, ValueCheck } from './service/permits/member-rules.js';
export type {
  GroupPermission,
  InterfacePermissions,
  Permission,
  PermissionFunction,
  PolkitPermission,
  PropertyPermissions,
  UserIdPermission,
  UserNamePermission,
} from './service/permits/permission.js';
export { type SharedBusOptions, sessionBus, systemBus } from './shared-bus.js';
export { arrayOf, dict, structOf } from './signature/dict.js';
export type { PlainObject } from './signature/literal.js';
export {
  type ArrayType,
  type BasicCode,
  type BasicType,
  type DictEntryType,
  parseSignature,
  type StructType,
  type Type,
  type TypeNode,
  type VariantType,
} from './signature/parse.js';
export { type Refined, type Refinement, type } from './signature/refine.js';
export type { Register } from './signature/register.js';
export type { ArrayShape, DictShape, EntryShape, Shape, ShapedType, Shapes, StructShape } from './signature/shape.js';
export type { ArrayMark, DictMark, ShapeMark, StructMark } from './signature/shape-types.js';
export type {
  DictionaryChoice,
  ReadValue,
  ReadValues,
  VariantChoice,
  WriteValue,
  WriteValues,
} from './signature/types.js';
export { FileDescriptor } from './values/file-descriptor.js';
export { pipe } from './values/pipe.js';
export { Variant, variant } from './values/variant.js';
