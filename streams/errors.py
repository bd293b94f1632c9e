"""Errors of the streams, each ours and a builtin at once.

StreamError(Exception)
├── SourceError
│   ├── SourceNotFound      (FileNotFoundError)  a file, folder or device path that does not exist
│   ├── SourceInvalid       (ValueError)         an address or a setting that no source understands
│   │   └── RecordingInvalid                     a file that is no recording, or a damaged one
│   ├── SourceUnavailable   (ConnectionError)    exists or may come back: busy, unplugged, host away
│   └── BadFrame            (ValueError)         one picture that cannot be decoded; the next one may
├── TransportError          (ConnectionError)    the broker refused, or is away
├── PayloadTooLarge         (ValueError)         over the transport's budget
├── TopicInvalid            (ValueError)         against MQTT's or AWS IoT's rules
├── StateBusy               (RuntimeError)       another process holds the state folder
└── LedgerDamaged           (ValueError)         the spool's file is no database, or contradicts itself
"""


class StreamError(Exception):
    """Anything that goes wrong between a camera and a broker."""


class SourceError(StreamError):
    """A source of frames cannot be used as it is."""


class SourceNotFound(SourceError, FileNotFoundError):
    """A file, folder or device path does not exist."""


class SourceInvalid(SourceError, ValueError):
    """An address, or a setting beside it, that no source understands."""


class RecordingInvalid(SourceInvalid):
    """A file that is no recording, one of a later version, or a damaged one."""


class SourceUnavailable(SourceError, ConnectionError):
    """A source that may come back: a busy or unplugged camera, a host that is away."""


class BadFrame(SourceError, ValueError):
    """One picture that cannot be decoded."""


class TransportError(StreamError, ConnectionError):
    """The broker refused, or is away."""


class PayloadTooLarge(StreamError, ValueError):
    """A payload over the transport's budget."""


class TopicInvalid(StreamError, ValueError):
    """A topic against MQTT's or AWS IoT's rules."""


class StateBusy(StreamError, RuntimeError):
    """Another process holds the state folder."""


class LedgerDamaged(StreamError, ValueError):
    """The spool's file is no database, or its contents contradict each other."""
