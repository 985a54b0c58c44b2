/** The options of `serve`, and the handle of a service. */
import { InvalidArgumentError } from '../base/errors.js';
import type { Handle } from '../base/handle.js';
import { KnownOptions, type OptionTable } from '../base/known-options.js';
import { checkObjectPath, checkWellKnownName } from '../base/names.js';
import { checkBoolean, checkObject, checkOptionalFunction, checkSignal, checkTimeout } from '../base/parameters.js';
import type { RequestNameOptions } from '../bus/names/owned-names.js';
import type { MessageBus } from '../message-bus.js';
import type { ExportedObject } from '../service/objects/exports.js';
import type { ServiceEnd } from './service-end.js';

/** The objects of a service by their paths: one, or several that are the interfaces of one path. */
export interface ServedObjects {
  readonly [path: string]: ExportedObject | readonly [ExportedObject, ...ExportedObject[]];
}

/** What a service is, and when it ends. The options of {@link RequestNameOptions} concern its name. */
export interface ServeOptions extends RequestNameOptions {
  /** The well-known name. Without one, only the objects are exported: for an agent, for instance, and between peers. */
  readonly name?: string | undefined;
  /**
   * The objects, or a function that makes them, which may return a promise. They are exported before the name is
   * requested. `bus.export` exports further ones at any time.
   */
  readonly objects: ServedObjects | ((service: Service) => ServedObjects | Promise<ServedObjects>);
  /** The path of an ObjectManager: see {@link MessageBus.exportObjectManager}. */
  readonly objectManager?: string | undefined;
  /**
   * Milliseconds without a call after which the service ends; by default it does not. It is not idle while a call is being
   * answered, while it is held ({@link Service.hold}), while a caller is tracked ({@link Caller.track}), while it waits for its name, and while its bus is away. It may end
   * later than that by an eighth of the time.
   */
  readonly exitWhenIdle?: number | undefined;
  /** Milliseconds for answering calls that have arrived when it ends; 25 000 by default, the usual time limit of callers. */
  readonly drain?: number | undefined;
  /** `false`: SIGTERM and SIGINT do not end the service. */
  readonly handleSignals?: boolean | undefined;
  /** `false`: the service manager is told nothing, and the variables of its protocol stay in the environment. */
  readonly notify?: boolean | undefined;
  /** Called at SIGHUP. The service manager is told of the beginning and the end, as `Type=notify-reload` requires. */
  readonly reload?: (() => unknown) | undefined;
  /** Aborting ends the service. */
  readonly signal?: AbortSignal | undefined;
}

/** A service that {@link serve} runs. Disposing of it ends it; `await using` also waits for the end. */
export interface Service extends Handle, AsyncDisposable {
  /** The bus, which is closed at the end. */
  readonly bus: MessageBus;
  /** Its well-known name, if it has one. */
  readonly name: string | undefined;
  /** `starting` until it has its name; `ending` while it answers the calls that have arrived. */
  readonly state: 'starting' | 'running' | 'ending' | 'ended';
  /**
   * Resolves when it has ended and its bus is closed. Never rejects. If the program has not read it, a failure is a
   * process warning (`BUSBAR_SERVICE_ENDED`). If it could not start, which `serve` rejects with, it resolves as well.
   */
  readonly ended: Promise<ServiceEnd>;
  /** Begins to end it, as SIGTERM does. */
  end(): void;
  /**
   * Keeps it from ending when idle, until the handle is ended: for something that outlives a call, such as an inhibitor that
   * a client has taken.
   */
  hold(): Handle;
  /**
   * Has the service manager show a text in the status of the unit.
   *
   * @throws {@link InvalidArgumentError} if it is not a string
   */
  setStatus(text: string): void;
}

const serveTable: OptionTable<ServeOptions> = {
  name: (value) => void (value === undefined || checkWellKnownName(value as string, 'name')),
  objects: checkObjects,
  objectManager: (value) => void (value === undefined || checkObjectPath(value as string, 'objectManager')),
  exitWhenIdle: checkTimeout,
  drain: checkTimeout,
  handleSignals: checkBoolean,
  notify: checkBoolean,
  reload: checkOptionalFunction,
  signal: checkSignal,
  replace: checkBoolean,
  allowReplacement: checkBoolean,
  queue: checkBoolean,
};

function checkObjects(value: unknown): void {
  if (typeof value === 'function') return;
  checkObject(value, 'objects');
  if (Array.isArray(value))
    throw new InvalidArgumentError("objects: expected a table by path, as in { '/path': object }");
}

/** @internal */
export const serveOptions = new KnownOptions<ServeOptions>('serve()', serveTable);
