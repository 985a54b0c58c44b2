"""A proxy between a client of a unix socket and its server that changes the stream as a test says.

It passes on bytes and descriptors (which Node.js cannot), and splits, delays, merges or cuts them. Each direction of a
connection is a thread, which owns nothing; the connection owns both sockets and closes them together. Plans come as
lines of JSON on standard input, answers leave as lines of JSON on standard output.

usage: stream-proxy.py SOCKET-TO-LISTEN-ON SOCKET-TO-CONNECT-TO
"""
import array
import fcntl
import json
import socket
import sys
import termios
import threading
import time

INT = array.array('i').itemsize
MOST_FDS = 253  # SCM_MAX_FD of the kernel
output = threading.Lock()


def tell(**event):
    with output:
        print(json.dumps(event), flush=True)


def receive(source, size, flags=0):
    data, ancillary, _, _ = source.recvmsg(size, socket.CMSG_LEN(MOST_FDS * INT), flags)
    fds = array.array('i')
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(content[: len(content) - len(content) % INT])
    return data, fds


def waiting(source):
    count = array.array('i', [0])
    fcntl.ioctl(source, termios.FIONREAD, count)
    return count[0]


class Connection:
    """Both sockets of one connection, the bytes that have passed, and the plan for the next ones."""

    def __init__(self, number, client, server, plan):
        self.number, self.client, self.server = number, client, server
        self.plan = plan
        self.passed = {'up': 0, 'down': 0}
        # Bytes that came while nothing was read, and were not passed on yet.
        self.gathered = {'up': 0, 'down': 0}
        # Whether single bytes are read until the one with the descriptors.
        self.seeking = {'up': False, 'down': False}
        self.fds = 0
        self.lock = threading.Lock()
        self.ended = False

    def start(self):
        for direction, source, target in (('up', self.client, self.server), ('down', self.server, self.client)):
            threading.Thread(target=self.relay, args=(direction, source, target), daemon=True).start()

    def arm(self, plan):
        """Cuts count from here, other parts of a plan apply from the next read on."""
        for direction, part in plan.items():
            if 'cut' in part:
                part['cut'] += self.passed[direction]
        self.plan = plan

    def end(self):
        with self.lock:
            if self.ended:
                return
            self.ended = True
        for end in (self.client, self.server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()
        tell(event='ended', number=self.number, up=self.passed['up'], down=self.passed['down'], fds=self.fds)

    def relay(self, direction, source, target):
        try:
            while self.relay_read(direction, source, target):
                pass
            if self.is_held(direction):
                tell(event='held', number=self.number)
                while source.recv(65536):
                    pass
        except OSError:
            pass
        self.end()

    def is_held(self, direction):
        part = self.plan.get(direction, {})
        return part.get('hold', False) and self.passed[direction] >= part['cut']

    def relay_read(self, direction, source, target):
        part = self.plan.get(direction, {})
        size = part.get('read', 65536)
        if 'merge' in part and self.gathered[direction] <= 0:
            source.recv(1, socket.MSG_PEEK)
            time.sleep(part['merge'] / 1000)
            self.gathered[direction] = waiting(source)
        # Descriptors have a position in the stream, on which some receivers depend, and only reads of one byte show it.
        peeked, fds = receive(source, size, socket.MSG_PEEK)
        for fd in fds:
            socket.close(fd)
        seeks = bool(fds)
        data, fds = receive(source, 1 if seeks else len(peeked) or 1)
        self.gathered[direction] -= len(data)
        self.fds += len(fds)
        try:
            return bool(data) and self.send(direction, target, data, fds)
        finally:
            self.seeking[direction] = seeks and not fds
            for fd in fds:
                socket.close(fd)

    def send(self, direction, target, data, fds):
        at = 0
        while at < len(data):
            while self.plan.get(direction, {}).get('stop') and not self.ended:
                time.sleep(0.001)
            part = self.plan.get(direction, {})
            cut = part.get('cut')
            room = len(data) - at if cut is None else cut - self.passed[direction]
            if room <= 0:
                return False
            if 'delay' in part and not self.seeking[direction]:
                time.sleep(part['delay'] / 1000)
            piece = data[at : at + min(room, part.get('portion', len(data)))]
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if at == 0 and fds else []
            # Counted first: the receiver of the last byte may hang up, and the count may be printed, before this continues.
            self.passed[direction] += len(piece)
            sent = target.sendmsg([piece], ancillary)
            at += sent
            self.passed[direction] -= len(piece) - sent
            if cut is not None and self.passed[direction] >= cut:
                return False
        return True


class Proxy:
    def __init__(self, path, target):
        self.target = target
        self.plan = {}
        self.sndbuf = None
        self.newest = None
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        number = 0
        while True:
            client, _ = self.listener.accept()
            server = socket.socket(socket.AF_UNIX)
            for end in (client, server):
                if self.sndbuf is not None:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.sndbuf)
            try:
                server.connect(self.target)
            except OSError:
                client.close()
                server.close()
                continue
            number += 1
            # Set before anything passes: a test that has got an answer through it may arm it.
            self.newest = Connection(number, client, server, json.loads(json.dumps(self.plan)))
            self.newest.start()

    def obey(self, order):
        self.plan = order.get('plan', self.plan)
        self.sndbuf = order.get('sndbuf', self.sndbuf)
        if 'arm' in order:
            self.newest.arm(order['arm'])
        if 'end' in order:
            self.newest.end()


def main():
    proxy = Proxy(*sys.argv[1:])
    tell(event='ready')
    for line in sys.stdin:
        proxy.obey(json.loads(line))
        tell(event='set')


main()
