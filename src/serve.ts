/** Runs a service: objects under a name, until it is ended by signals, by idleness, or by the program. */
import { InvalidArgumentError } from './base/errors.js';
import { MessageBus } from './message-bus.js';
import { RunningService } from './serve/running-service.js';
import { type ServeOptions, type Service, serveOptions } from './serve/serve-options.js';

/**
 * Runs a service to its end: exports its objects, requests its name, and tells the service manager that it is ready. Then
 * it answers calls until it ends: by SIGTERM or SIGINT, because it was idle, by the program, or because it has lost its name
 * or its bus.
 *
 * At the end it tells the service manager, releases the name, answers all calls that the bus had routed to it until then, and
 * closes the bus. A call after that starts an activatable service again, so no call is lost. `process.exitCode` is set as
 * {@link ServiceEnd} says, unless the program has set it, and the process ends when nothing else keeps it alive.
 * `process.exit` is called in two cases: at once by a second signal, and if the process is still alive 5 s after a service ended
 * by a signal, and no other service runs. That, and a process that is alive 5 s after an idle service ended, is a warning
 * (`BUSBAR_SERVICE_LINGERS`).
 *
 * If the service is asked to end while it starts, it starts nevertheless, answers the calls that waited for it, and ends:
 * `serve` then resolves with a service that has ended.
 *
 * The service manager is systemd, or another one with its protocol: if `NOTIFY_SOCKET` is set, it is told `READY=1` and
 * `STOPPING=1`, and if it sets `WATCHDOG_USEC`, the service pings it. These variables are removed from the environment.
 *
 * @example
 * ```ts
 * const service = await serve(bus, {
 *   name: 'org.example.Running',
 *   objects: { '/org/example/Running': new TestModule() },
 *   exitWhenIdle: 30_000,
 * });
 * service.setStatus('Waiting for calls');
 * void service.ended.then(({ reason, exitCode }) => console.log(reason, exitCode));
 * ```
 * @returns the service when it runs: when it owns its name, also with `queue`
 * @throws (rejects) {@link InvalidArgumentError} if an option is not valid
 * @throws (rejects) {@link NameTakenError} with the present owner; {@link AccessDeniedError} if a policy forbids the name;
 * what `objects` throws. Then nothing is exported, and the bus stays open
 * @see D-Bus specification, section "Message Bus Starting Services (Activation)"; sd_notify(3)
 */
export async function serve(bus: MessageBus, options: ServeOptions): Promise<Service> {
  if (!(bus instanceof MessageBus)) throw new InvalidArgumentError('bus: expected a MessageBus of this copy of busbar');
  serveOptions.check(options);
  return new RunningService(bus, options).start();
}
