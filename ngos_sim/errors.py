"""How a run can fail that is not bad input (bad input is ValueError or TypeError), and what a study warns of."""


class NonFiniteError(ArithmeticError):
    """Trajectories left the floating-point range.

    Attributes
    ----------
    result : Result
        What was measured, the bad points included, with `nonfinite` in its table.
    """

    def __init__(self, message, result=None):
        super().__init__(message)
        self.result = result


class StudyWarning(UserWarning):
    """What a user may not mean: a horizon that is cut, betas in the wrong order, a rate that looks like a beta."""


class EngineUnavailable(RuntimeError):
    """A device that was asked for cannot run here, or not this; the message says what to install or to take."""


class WorkerLost(RuntimeError):
    """A process that ran a part of the work died; the message says under what."""
