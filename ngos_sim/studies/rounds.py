"""How many chunks of a point are run before they are kept, and which point is next.

`studies.measurement` asks; a round takes about a second at most, so that whoever stops a run waits no longer.
"""

import math
import time

_SECONDS = 0.7  # of a round
_FASTER = 8.0  # at most so many times the chunks of the last round: its time may have been compilation
_FIRST = 4e7  # process steps, over coordinates and trajectories, of a point's first round: a tenth of a second
_MOST = 4096  # chunks whose sums are held at once
_WORTH = 10.0  # times as long as its tables took to make, a point is stayed with


class Pace:
    """The chunks of a point's next round, by what the last one took.

    steps : float
        Process steps, over coordinates and trajectories, of a chunk; 0 where all is computed.

    Attributes
    ----------
    chunks : int
        Of the next round.
    making : float
        Seconds that its tables took to make when it was last visited.
    """

    def __init__(self, steps, device):
        self.steps = steps
        self._ran, self._seconds, self.making = 0, 0.0, 0.0
        self.chunks = 1 if device == "python" else int(min(max(1.0, _FIRST // max(steps, 1.0)), _MOST))

    def took(self, chunks, seconds):
        """Be told that a round of so many chunks took so long."""
        self._ran, self._seconds = self._ran + chunks, self._seconds + seconds
        wanted = chunks * min(_SECONDS / max(seconds, 1e-9), _FASTER)
        self.chunks = int(min(max(1.0, wanted), _MOST))

    @property
    def seconds(self):
        """What a chunk took so far, 0 where none was run."""
        return self._seconds / max(self._ran, 1)

    @property
    def most(self):
        """The chunks of a round once its length is known."""
        return int(min(max(1.0, _SECONDS / max(self.seconds, 1e-9)), _MOST))

    def foreseen(self, chunks):
        """Return the seconds that so many chunks will take at the speed so far, and their tables with each visit."""
        running = chunks * self.seconds
        return running + self.making * math.ceil(running / _stay(self.making))


def _stay(making):
    """Return how many seconds a point is stayed with whose tables took so long to make."""
    return max(_SECONDS / 2.0, _WORTH * making)


class Visit:
    """How long a point is stayed with: a round, longer where its tables take long to make."""

    def __init__(self):
        self._begin = self._made = time.perf_counter()

    def made(self):
        """Be told that the tables are there; return how long they took."""
        self._made = time.perf_counter()
        return self._made - self._begin

    @property
    def is_over(self):
        """Whether it is another point's turn."""
        return time.perf_counter() - self._made > _stay(self._made - self._begin)
