"""What the two Greengrass nuclei allow, as data: limits, missing operations, who may do what.

Figures: the classic nucleus from its source and AWS's documentation, the lite one as measured on 2.6.0.
"""

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["classic", "lite"]
MQTT = "aws.greengrass.ipc.mqttproxy"
AUTHORIZED = {  # operations that the recipe's accessControl must grant
    "PublishToIoTCore": MQTT,
    "SubscribeToIoTCore": MQTT,
    "PublishToTopic": "aws.greengrass.ipc.pubsub",
    "SubscribeToTopic": "aws.greengrass.ipc.pubsub",
}


@dataclass(frozen=True)
class Rules:
    """One nucleus' limits, in bytes and counts; None: no limit.

    frame: a larger frame closes the connection. qos1: a larger payload is refused, as is one that would make more than
    in_flight messages or in_flight_bytes unacknowledged. inbound: a larger message never arrives. terminates: whether
    an answer ends its stream. missing: operations that are answered with ServiceError. spools: whether a QoS 1 message
    is taken while the cloud is away. retains: whether messages can be retained, and are told to have been.
    """

    kind: Kind
    payload: int
    frame: int | None = None
    qos1: int | None = None
    in_flight: int | None = None
    in_flight_bytes: int | None = None
    inbound: int | None = None
    terminates: bool = True
    missing: frozenset[str] = frozenset()
    spools: bool = True
    retains: bool = True


CLASSIC = Rules("classic", payload=131_072)
LITE = Rules(
    "lite",
    payload=7_302,
    frame=10_000,
    qos1=5_000,
    in_flight=10,
    in_flight_bytes=15_000,
    inbound=5_000,
    terminates=False,
    missing=frozenset(
        {
            "SubscribeToComponentUpdates",
            "DeferComponentUpdate",
            "SubscribeToValidateConfigurationUpdates",
            "SendConfigurationValidityReport",
            "SubscribeToIoTCoreConnectionStatus",
            "GetSecretValue",
        }
    ),
    spools=False,
    retains=False,
)
RULES: Mapping[str, Rules] = {"classic": CLASSIC, "lite": LITE}


def allowed(access: Mapping[str, Any], operation: str, resource: str) -> bool:
    """Whether a recipe's accessControl grants an operation on a topic or filter."""
    service = AUTHORIZED.get(operation)
    if service is None:
        return True
    for policy in access.get(service, {}).values():
        named = {name.rpartition("#")[2] for name in policy.get("operations", [])}
        if ("*" in named or operation in named) and any(
            covers(pattern, resource) for pattern in policy.get("resources", [])
        ):
            return True
    return False


def covers(pattern: str, resource: str) -> bool:
    """Whether a resource of a policy covers a topic or filter: `*` is any run of characters, `+` and `#` are MQTT's."""
    if fnmatch.fnmatchcase(resource, pattern.replace("[", "[[]")):
        return True
    wanted, given = pattern.split("/"), resource.split("/")
    for at, part in enumerate(wanted):
        if part == "#":
            return True
        if at >= len(given) or part not in ("+", given[at]):
            return False
    return len(wanted) == len(given)
