/**
 * busbar: D-Bus for Node.js and TypeScript. Everything public is exported here.
 *
 * @module busbar
 * @group Reference
 */
export type { SubscriptionRule } from './bus/bus.js';
export type { BusStats } from './bus/bus-stats.js';
export type { Credentials } from './bus/driver.js';
export type { CloseOptions } from './bus/endpoint.js';
export { formatMatchRule, type MatchRule } from './bus/match-rule.js';
export type { MessageHandler, MessageHandlerOptions } from './bus/message-handlers.js';
export type { NameWatcher } from './bus/name-watcher.js';
export type { NameLoss, OwnedName } from './bus/owned-name.js';
export type { RequestNameOptions } from './bus/owned-names.js';
export { parseMatchRule } from './bus/parse-match-rule.js';
export type { CallOptions, MessageReply, MethodCall, SignalEmission } from './bus/requests.js';
export type { Subscription } from './bus/subscription.js';
export type { SignalListener } from './bus/subscriptions.js';
export type { ObjectOptions, RemoteObject } from './client/object.js';
export type {
  AnyProxy,
  ChangeListener,
  InterfaceProxy,
  Listen,
  LooseMemberTypes,
  MemberTypes,
  Once,
  OnceOptions,
  ProxyOf,
  ProxyOptions,
  SignalWatch,
  Watch,
} from './client/proxy-types.js';
export type { ContextOption, SignalContext } from './client/signal-context.js';
export type { SignalQueue, WatchOptions } from './client/signal-queue.js';
export type { DecodeOptions } from './codec/decoder.js';
export { type ConnectOptions, connect, sessionBus, systemBus } from './connect.js';
export type { ConnectionState } from './connection/lifecycle.js';
export {
  type HeaderFields,
  type Message,
  MessageFlag,
  MessageType,
  type OutgoingMessage,
} from './connection/message.js';
export type { WaitOptions } from './connection/pending-calls.js';
export type { Traffic } from './connection/traffic.js';
export type { CallCounts, CallEvent, CallOutcome } from './diagnostics/call-events.js';
export type { ConnectionEvent, ConnectionFailure } from './diagnostics/connection-events.js';
export type { MessageEvent } from './diagnostics/message-events.js';
export type { Problem, ProblemKind } from './diagnostics.js';
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
} from './error-classes.js';
export { FileDescriptor } from './file-descriptor.js';
export type { Handle } from './handle.js';
export type {
  ArgumentList,
  MethodInput,
  PropertyInput,
  ReadingChoice,
  SignalInput,
} from './introspection/build.js';
export type {
  Access,
  Annotations,
  ArgumentDescription,
  EmitsChanged,
  InterfaceDescription,
  MethodDescription,
  NodeDescription,
  PropertyDescription,
  SignalDescription,
} from './introspection/description.js';
export { introspectionXml } from './introspection/generate.js';
export { type ParseIntrospectionOptions, parseIntrospection } from './introspection/parse.js';
export type { ConnectionLimits, ServerLimits } from './limits.js';
export { type ListenOptions, listen } from './listen.js';
export { MessageBus } from './message-bus.js';
export type { ConnectionPhase, PollerKind, TransportKind } from './native/binding.js';
export { PeerServer, type PeerServerOptions, type ServerCloseOptions } from './peer-server.js';
export type { CallContext } from './service/call-context.js';
export type { ServiceInterfaceOptions } from './service/class-description.js';
export type { MemberOptions } from './service/decoration.js';
export { defineInterface, type InterfaceDefinition } from './service/define-interface.js';
export type { InterfaceMembers } from './service/definitions.js';
export { type Describable, describe } from './service/describe.js';
export type { Carries, Emits } from './service/emits.js';
export type { ExportedObject } from './service/exportable.js';
export type { Export } from './service/exports.js';
export {
  type Implementation,
  type ImplementationMembers,
  type ImplementationOf,
  implement,
} from './service/implement.js';
export { type DecoratesMethod, type MethodOptions, method } from './service/method.js';
export { type DecoratesProperty, type PropertyOptions, property } from './service/property.js';
export { ServiceInterface, type ServiceInterfaceClass } from './service/service-interface.js';
export { type DecoratesSignal, type SignalOptions, signal } from './service/signal.js';
export type { PlainObject } from './signature/literal.js';
export { type Refined, type Refinement, type } from './signature/refine.js';
export type { Register } from './signature/register.js';
export type {
  DictionaryChoice,
  ReadValue,
  ReadValues,
  VariantChoice,
  WriteValue,
  WriteValues,
} from './signature/types.js';
export { Variant, variant } from './variant.js';
