"""Pipes of the echo peers: the bytes that the other side wrote into them, and pipes for the other side to write into."""
import os


def read_all(fd):
    """Everything up to the end, which comes when the other end is closed everywhere. Closes the descriptor."""
    with os.fdopen(fd, "rb") as file:
        return file.read().decode()


class Pipes:
    """Pipes whose writing ends are lent to a message that is sent."""

    def __init__(self, count):
        pairs = [os.pipe() for _ in range(count)]
        self.reading_ends = [reading for reading, _ in pairs]
        self.writing_ends = [writing for _, writing in pairs]

    def close_writing_ends(self):
        for fd in self.writing_ends:
            os.close(fd)

    def read_all(self):
        return [read_all(fd) for fd in self.reading_ends]
