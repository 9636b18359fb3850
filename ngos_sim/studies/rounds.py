"""How many chunks of a point are run before they are kept, and which point is next.

`studies.measurement` asks; a round takes about a second at most, so that whoever stops a run waits no longer.
"""

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
    """

    def __init__(self, steps, device):
        self.steps = steps
        self.chunks = 1 if device == "python" else int(min(max(1.0, _FIRST // max(steps, 1.0)), _MOST))

    def took(self, chunks, seconds):
        """Be told that a round of so many chunks took so long."""
        wanted = chunks * min(_SECONDS / max(seconds, 1e-9), _FASTER)
        self.chunks = int(min(max(1.0, wanted), _MOST))


class Visit:
    """How long a point is stayed with: a round, longer where its tables take long to make."""

    def __init__(self):
        self._begin = self._made = time.perf_counter()

    def made(self):
        """Be told that the tables are there."""
        self._made = time.perf_counter()

    @property
    def is_over(self):
        """Whether it is another point's turn."""
        return time.perf_counter() - self._made > max(_SECONDS / 2.0, _WORTH * (self._made - self._begin))
