"""How a run can fail that is not bad input (bad input is ValueError or TypeError), and what a study warns of."""

from typing import Any


class NonFiniteError(ArithmeticError):
    """Trajectories left the floating-point range.

    Attributes
    ----------
    result : Result
        What was measured, the bad points included, with `nonfinite` in its table.
    lost : Lost or None
        The first trajectory that was lost: its h, number and step, and the line of Python that runs it again
        (`studies.trouble`); None where only a test function is not finite.
    """

    def __init__(self, message: str, result: Any = None, lost: Any = None) -> None:
        super().__init__(message)
        self.result, self.lost = result, lost


class StudyWarning(UserWarning):
    """What a user may not mean: a horizon that is cut, betas in the wrong order, a rate that looks like a beta."""


class EngineUnavailable(RuntimeError):
    """A device that was asked for cannot run here, or not this; the message says what to install or to take."""


class StoreError(OSError):
    """A store of chunks cannot be read or written: damaged, a full disk; the message says what and where."""


class StoreInUse(StoreError):
    """Another run has the store."""


class WorkerLost(RuntimeError):
    """A process that ran a part of the work died; the message says under what."""
