"""Ctrl-C and SIGTERM while a study runs: the first one ends it after the round in hand, the second one at once."""

import contextlib
import os
import signal
import sys

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SAID = b"\nngos-sim: finishing the round in hand; once more stops at once\n"


class Interruption:
    """A context that hears these signals; called between rounds, it returns whether one was heard.

    Before the first call nothing has been run that could be lost: a signal stops at once then.

    Attributes
    ----------
    number : int
        The signal that was heard; 0 for none.
    """

    def __init__(self):
        self.number, self._in_rounds, self._before = 0, False, {}

    def __enter__(self):
        before = {number: signal.getsignal(number) for number in _SIGNALS}
        self._before = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}
        for number in self._before:
            signal.signal(number, self._hear)
        return self

    def __exit__(self, *_):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def __call__(self):
        self._in_rounds = True
        return self.number > 0

    def _hear(self, number, frame):
        if self.number or not self._in_rounds:
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            sys.exit(128 + number)
        self.number = number
        with contextlib.suppress(OSError):  # print may be at work on this line
            os.write(2, _SAID)
