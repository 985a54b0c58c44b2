"""A peer without a bus on GLib's own D-Bus implementation: peer_gio.py server|client ADDRESS [--anonymous] [--fd-first].

Either way it exports the object at /gio, calls Greet of the other side's object at /busbar, and hands over a pipe: after
the answer, or as its very first message.
Every event is a line of JSON on standard output.
"""
import json
import os
import sys

from gi.repository import Gio, GLib

INTERFACE = "org.example.Peer"
DESCRIPTION = Gio.DBusNodeInfo.new_for_xml(f"""
<node>
  <interface name="{INTERFACE}">
    <method name="Greet"><arg type="s" direction="in"/><arg type="s" direction="out"/></method>
    <method name="Read"><arg type="h" direction="in"/><arg type="s" direction="out"/></method>
    <method name="Fail"/>
    <signal name="Said"><arg type="s"/></signal>
  </interface>
</node>
""").interfaces[0]


def report(event, **details):
    print(json.dumps({"event": event, **details}), flush=True)


def on_call(connection, _sender, path, interface, method, parameters, invocation):
    if method == "Greet":
        connection.emit_signal(None, path, interface, "Said", GLib.Variant("(s)", parameters.unpack()))
        invocation.return_value(GLib.Variant("(s)", (f"hello {parameters.unpack()[0]}",)))
    elif method == "Read":
        fd = invocation.get_message().get_unix_fd_list().get(parameters.unpack()[0])
        invocation.return_value(GLib.Variant("(s)", (os.fdopen(fd).read(),)))
    else:
        invocation.return_dbus_error("org.example.Error.Asked", "as asked")


def converse(connection):
    connection.register_object("/gio", DESCRIPTION, on_call, None, None)
    connection.signal_subscribe(
        None, INTERFACE, "Said", "/busbar", None, Gio.DBusSignalFlags.NONE,
        lambda *arguments: report("signal", text=arguments[5].unpack()[0]),
    )
    connection.connect("closed", lambda *_: report("closed"))
    report("connected", fds=passes_fds(connection))
    if fd_first and passes_fds(connection):
        pass_pipe(connection)
    connection.call(None, "/busbar", INTERFACE, "Greet", GLib.Variant("(s)", ("gio",)), None,
                    Gio.DBusCallFlags.NONE, 5000, None, on_answer)


def on_answer(connection, result):
    report("answer", text=connection.call_finish(result).unpack()[0])
    if not fd_first and passes_fds(connection):
        pass_pipe(connection)


def passes_fds(connection):
    return bool(connection.get_capabilities() & Gio.DBusCapabilityFlags.UNIX_FD_PASSING)


def pass_pipe(connection):
    reading, writing = os.pipe()
    os.write(writing, b"through a pipe")
    os.close(writing)
    fds = Gio.UnixFDList.new_from_array([reading])
    connection.call_with_unix_fd_list(None, "/busbar", INTERFACE, "Read", GLib.Variant("(h)", (0,)), None,
                                      Gio.DBusCallFlags.NONE, 5000, fds, None,
                                      lambda _, result: report(
                                          "read", text=connection.call_with_unix_fd_list_finish(result)[0].unpack()[0]))


loop = GLib.MainLoop()
role, address = sys.argv[1:3]
anonymous = "--anonymous" in sys.argv
fd_first = "--fd-first" in sys.argv
kept = []
if role == "server":
    flags = Gio.DBusServerFlags.AUTHENTICATION_ALLOW_ANONYMOUS if anonymous else Gio.DBusServerFlags.NONE
    server = Gio.DBusServer.new_sync(address, flags, Gio.dbus_generate_guid(), None, None)
    server.connect("new-connection", lambda _, connection: kept.append(connection) or converse(connection) or True)
    server.start()
    report("listening", address=server.get_client_address())
else:
    kept.append(Gio.DBusConnection.new_for_address_sync(
        address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT, None, None))
    converse(kept[0])
loop.run()
