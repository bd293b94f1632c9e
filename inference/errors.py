"""Errors of inference, each ours and a builtin at once.

InferenceError(Exception)
├── ManifestInvalid      (ValueError)         what a project says of its model cannot be
├── ModelNotFound        (FileNotFoundError)  the model's file, or a file that it needs, is missing
├── ModelInvalid         (ValueError)         a file that is no model, or one that no backend here reads
├── ModelMismatch        (ValueError)         model and manifest contradict one another (labels, sizes, task)
└── BackendUnavailable   (RuntimeError)       the backend or its device is not on this machine
"""


class InferenceError(Exception):
    """Anything that goes wrong between a picture and a result."""


class ManifestInvalid(InferenceError, ValueError):
    """What a project says of its model cannot be. `key` is the dotted key at fault."""

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


class ModelNotFound(InferenceError, FileNotFoundError):
    """The model's file, or a file that it needs, is missing."""


class ModelInvalid(InferenceError, ValueError):
    """A file that is no model, or one that no backend here reads."""


class ModelMismatch(InferenceError, ValueError):
    """Model and manifest contradict one another. `key` is the dotted key of the project file to look at."""

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


class BackendUnavailable(InferenceError, RuntimeError):
    """The backend, or the device asked of it, is not on this machine."""
