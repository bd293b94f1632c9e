"""Pictures in, messages and pictures out: sources, the two streams, the spool, and the ways out of the
device.

Names are loaded when they are first used, so that importing this package costs no vendor library.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streams.budget import Allowance, Budget, for_endpoint
    from streams.device import DeviceStream
    from streams.encode import Encoder
    from streams.envelope import infer_message, schema
    from streams.errors import (
        BadFrame,
        PayloadTooLarge,
        SourceError,
        SourceInvalid,
        SourceNotFound,
        SourceUnavailable,
        StateBusy,
        StreamError,
        TopicInvalid,
        TransportError,
    )
    from streams.feed import Feed, FeedStatus
    from streams.frame import Frame
    from streams.health import health_message
    from streams.inbox import Inbox
    from streams.latest import Latest
    from streams.pace import Every, OnChange, Policy, Rate
    from streams.project import ProjectStream
    from streams.redact import redact_uri
    from streams.sender import Sender
    from streams.sender_status import SenderStatus
    from streams.sequence import Sequence
    from streams.sinks.gate import SinkInvalid
    from streams.sinks.http import HttpSink
    from streams.spool import Entry, Item, Kind, MemorySpool, Spool, SpoolStatus
    from streams.status import status_message
    from streams.topics import Topics, check_topic, matches
    from streams.transports import Message, Transport, TransportInvalid
    from streams.transports.iot_core import IotCore
    from streams.transports.local import Hub, Local

__all__ = [
    "Allowance",
    "BadFrame",
    "Budget",
    "DeviceStream",
    "Encoder",
    "Entry",
    "Every",
    "Feed",
    "FeedStatus",
    "Frame",
    "HttpSink",
    "Hub",
    "Inbox",
    "IotCore",
    "Item",
    "Kind",
    "Latest",
    "Local",
    "MemorySpool",
    "Message",
    "OnChange",
    "PayloadTooLarge",
    "Policy",
    "ProjectStream",
    "Rate",
    "Sender",
    "SenderStatus",
    "Sequence",
    "SinkInvalid",
    "SourceError",
    "SourceInvalid",
    "SourceNotFound",
    "SourceUnavailable",
    "Spool",
    "SpoolStatus",
    "StateBusy",
    "StreamError",
    "TopicInvalid",
    "Topics",
    "Transport",
    "TransportError",
    "TransportInvalid",
    "check_topic",
    "for_endpoint",
    "health_message",
    "infer_message",
    "matches",
    "redact_uri",
    "schema",
    "status_message",
]

_MODULES = {
    "Allowance": "streams.budget",
    "BadFrame": "streams.errors",
    "Budget": "streams.budget",
    "DeviceStream": "streams.device",
    "Encoder": "streams.encode",
    "Entry": "streams.spool",
    "Every": "streams.pace",
    "Feed": "streams.feed",
    "FeedStatus": "streams.feed",
    "Frame": "streams.frame",
    "HttpSink": "streams.sinks.http",
    "Hub": "streams.transports.local",
    "Inbox": "streams.inbox",
    "IotCore": "streams.transports.iot_core",
    "Item": "streams.spool",
    "Kind": "streams.spool",
    "Latest": "streams.latest",
    "Local": "streams.transports.local",
    "MemorySpool": "streams.spool",
    "Message": "streams.transports",
    "OnChange": "streams.pace",
    "PayloadTooLarge": "streams.errors",
    "Policy": "streams.pace",
    "ProjectStream": "streams.project",
    "Rate": "streams.pace",
    "Sender": "streams.sender",
    "SenderStatus": "streams.sender_status",
    "Sequence": "streams.sequence",
    "SinkInvalid": "streams.sinks.gate",
    "SourceError": "streams.errors",
    "SourceInvalid": "streams.errors",
    "SourceNotFound": "streams.errors",
    "SourceUnavailable": "streams.errors",
    "Spool": "streams.spool",
    "SpoolStatus": "streams.spool",
    "StateBusy": "streams.errors",
    "StreamError": "streams.errors",
    "TopicInvalid": "streams.errors",
    "Topics": "streams.topics",
    "Transport": "streams.transports",
    "TransportError": "streams.errors",
    "TransportInvalid": "streams.transports",
    "check_topic": "streams.topics",
    "for_endpoint": "streams.budget",
    "health_message": "streams.health",
    "infer_message": "streams.envelope",
    "matches": "streams.topics",
    "redact_uri": "streams.redact",
    "schema": "streams.envelope",
    "status_message": "streams.status",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
