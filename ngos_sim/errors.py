"""How a run can fail that is not bad input (bad input is ValueError or TypeError)."""


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


class EngineUnavailable(RuntimeError):
    """A device that was asked for cannot run here; the message says what to install."""


class WorkerLost(RuntimeError):
    """A process that ran a part of the work died; the message says under what."""
