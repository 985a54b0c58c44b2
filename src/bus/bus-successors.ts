/** What the members of a bus in other D-Bus libraries are called here. */
export const busSuccessors: Readonly<Record<string, string>> = {
  getProxyObject:
    'use bus.proxy(Interface, name, path), or await bus.object(name, path) for what the object says of itself',
  getInterface: 'use bus.proxy(Interface, name, path)',
  disconnect: 'use await bus.close()',
  newSerial: 'use bus.reserveSerial()',
  addMethodHandler: 'use bus.addMessageHandler(handler)',
  removeMethodHandler: 'end what addMessageHandler() returned',
  unexport: 'end what export() returned',
  on: 'use bus.subscribe(rule, listener) for signals, bus.addMessageHandler(handler) for messages, bus.disconnected for the end',
  addMatch: 'use bus.subscribe(rule, listener)',
  removeMatch: 'end what subscribe() returned',
};
