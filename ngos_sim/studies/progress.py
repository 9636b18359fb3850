"""The bar of a run: how much is done, which point is in hand, how large standard errors still are, how long it takes.

`studies.session` opens it, `studies.measurement` tells it of steps and points, `studies.computing` of what is computed,
`studies.stopping` how many steps are to come.
"""

import math
import sys
import threading
import time
import warnings

import numpy as np
from tqdm import std

from ngos_sim.reporting import report
from ngos_sim.studies.collect import total_std_error

_INTERVAL = 0.1  # seconds between two looks of the bar, at least
_READING = 3.0  # seconds between two looks at standard errors, at least;
_COSTLY = 100.0  # times as long as a look takes, if that is more: a hundredth of the run goes into them
_MOST = 10.0  # a relative standard error above is no number worth reading
_FORMAT = "{percentage:3.0f}%|{bar:20}| {desc}"
_BEGIN = "setting up and compiling"


class Progress:
    """One bar on stderr, where that is a terminal, or in a notebook; elsewhere nothing.

    It goes when the run ends: what remains is what the run prints.

    Parameters
    ----------
    shown : bool
        Whether anybody asked for it.
    """

    def __init__(self, shown=False):
        self._bar = _bar() if shown else None
        self._done, self._total, self._deadline, self._computed = 0.0, math.inf, math.inf, 0.0
        self._begin = self._first = time.perf_counter()
        self._before = None  # steps that were done when the first ones came
        self._place, self._errors = "", ""
        self._drawn, self._next = self._begin, self._begin + _READING

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.close()

    def resume(self, steps):
        """Be told that so many process steps were done before this run."""
        self._done += steps

    def at(self, place):
        """Be told of the point in hand."""
        self._place = str(place)
        self._draw()

    def compute(self, work, deadline=math.inf):
        """Be told how much will be computed before anything is sampled, in whatever unit."""
        self._computed = work
        self.aim(0.0, 0, deadline)

    def aim(self, steps, chunks, deadline=math.inf):
        """Be told how much there will have been at the end, and when that is at the latest.

        steps : process steps of a chunk at every point; 0 where all is computed
        chunks : infinity where nobody knows
        deadline : by time.perf_counter
        """
        self._total = self._computed + (steps * chunks if steps > 0.0 else 0.0) or math.inf
        self._deadline = deadline

    def update(self, steps):
        """Be told that so many process steps, or so much of what is computed, has been done."""
        now = time.perf_counter()
        if self._before is None:  # what came before was compilation
            self._before, self._first = self._done + steps, now
        self._done += steps
        self._draw()

    def look(self, readings):
        """Look at the standard errors in what readings() returns, an iterable of Reading, every few seconds."""
        now = time.perf_counter()
        if self._bar is None or now < self._next:
            return
        self._errors = _worst(readings())
        end = time.perf_counter()
        self._next = end + max(_READING, _COSTLY * (end - now))

    def _draw(self):
        """Draw the bar, unless it was drawn a moment ago."""
        now = time.perf_counter()
        if self._bar is None or now - self._drawn < _INTERVAL:
            return
        self._drawn = now
        words = (self._place, self._errors, _left(self._seconds_left(now)))
        self._bar.set_description_str("; ".join(filter(None, words)), refresh=False)
        self._bar.n = self._share(now)
        self._bar.refresh()

    def _share(self, now):
        """Return how much of the run is done, by its steps or, where time ends it first, by that."""
        time_given = self._deadline - self._begin
        return min(max(self._done / self._total, (now - self._begin) / time_given), 1.0)

    def _seconds_left(self, now):
        """Return how long the rest will take at the speed so far, infinity where that is not known."""
        ran = 0.0 if self._before is None else self._done - self._before
        by_steps = max(self._total - self._done, 0.0) * (now - self._first) / ran if ran > 0.0 else math.inf
        return max(min(by_steps, self._deadline - now), 0.0)


def _worst(readings):
    """Return in words the largest relative standard error, of each Reading at the time of its largest error."""
    worst = 0.0
    for each in readings:
        size, total = np.abs(each.error), total_std_error(each.std_error, each.residual)
        if np.any(size > 0.0):
            at = np.nanargmax(size)
            worst = max(worst, total[at] / size[at])
    said = f"{100.0 * worst:.2g} %" if worst <= _MOST else f"above {100.0 * _MOST:g} %"
    return f"worst relative std error {said}"


def _left(seconds):
    """Return a time in words, "" for one that is not known."""
    return "" if math.isinf(seconds) else f"{report.duration(seconds)} left"


def _bar():
    """Return a bar of tqdm's that counts from 0 to 1, None where nobody would see it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without ipywidgets the bar of a notebook is text
        from tqdm.autonotebook import tqdm
    is_text, in_notebook = tqdm is std.tqdm, "ipykernel.zmqshell" in sys.modules
    if not in_notebook and (sys.stderr is None or not sys.stderr.isatty()):
        return None

    class Bar(tqdm):
        """With a lock of its own: tqdm's is a semaphore of the system's, reported as leaked after a kill."""

        _lock = threading.RLock()
        monitor_interval = 0  # no thread: whoever works draws

    form = _FORMAT if is_text else _FORMAT.replace("{bar:20}", "{bar}")
    return Bar(total=1.0, bar_format=form, desc=_BEGIN, leave=False, file=sys.stderr, dynamic_ncols=True)
