"""Errors of inference, each ours and a builtin at once.

InferenceError(Exception)
├── ManifestInvalid      (ValueError)         what a project says of its model cannot be
├── ModelNotFound        (FileNotFoundError)  the model's file, or a file that it needs, is missing
├── ModelInvalid         (ValueError)         a file that is no model, or one that no backend here reads
│   └── DeviceRefused    (ValueError)         the device cannot run this model; another may
├── ModelMismatch        (ValueError)         model and manifest contradict one another (labels, sizes, task)
├── BackendUnavailable   (RuntimeError)       the backend or its device is not on this machine
├── ExtraMissing         (ImportError)        a library that only some commands need is not installed
├── AddressRefused       (ValueError)         an address that is no address, or one that must not be asked
├── FetchFailed          (OSError)            a file could not be had from its address
│   └── DigestWrong      (OSError)            what came is not what the digest names
├── PicturesUnfit        (ValueError)         too few pictures, or none that shows what the model looks for
├── NotAccepted          (ValueError)         a model that can be loaded, but not be trusted with pictures
└── AnswerUnusable       (ArithmeticError)    what a model answered is no number, or of another shape than it said
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


class DeviceRefused(ModelInvalid):
    """The device cannot run this model; another one may."""


class ModelMismatch(InferenceError, ValueError):
    """Model and manifest contradict one another. `key` is the dotted key of the project file to look at."""

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


class BackendUnavailable(InferenceError, RuntimeError):
    """The backend, or the device asked of it, is not on this machine."""


class ExtraMissing(InferenceError, ImportError):
    """A library that only some commands need is not installed. The text says how it is installed."""


class AddressRefused(InferenceError, ValueError):
    """An address that is no address, or one that must not be asked."""


class FetchFailed(InferenceError, OSError):
    """A file could not be had from its address. `passing`: whether it may go better in a moment."""

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


class DigestWrong(FetchFailed):
    """What came is not what the digest names."""


class PicturesUnfit(InferenceError, ValueError):
    """Too few pictures, or none that shows what the model looks for."""


class NotAccepted(InferenceError, ValueError):
    """A model that can be loaded, but not be trusted with pictures. `cause` is one of acceptance.CAUSES."""

    def __init__(self, message: str, cause: str = "") -> None:
        super().__init__(message)
        self.cause = cause


class AnswerUnusable(InferenceError, ArithmeticError):
    """What a model answered is no number, or of another shape than it said. `cause`: `finite` or `shape`."""

    def __init__(self, message: str, cause: str = "") -> None:
        super().__init__(message)
        self.cause = cause
