"""Errors of control, each ours and a builtin at once.

ControlError(Exception)
"""


class ControlError(Exception):
    """Anything that goes wrong between a policy's output and the car."""
