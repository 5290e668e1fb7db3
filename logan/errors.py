"""Errors that a user can mend: the message names the flag or file and says what was expected."""


class UserError(ValueError):
    """Something that was given is not what was expected. Printed without a traceback."""


class RunError(UserError):
    """A run folder is missing, damaged, or holds another experiment."""


class WorkerLostError(UserError):
    """Another machine that takes part in a training does not answer any more."""


class DivergedError(UserError):
    """Training produced a loss or a weight that is not finite, or a loss beyond all measure.

    Attributes:
        step: the first step, counted from 1, after which it was seen.
    """

    def __init__(self, message: str, step: int):
        super().__init__(message)
        self.step = step
