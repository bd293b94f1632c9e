"""What is asked of a Greengrass nucleus, by the SDK's names, and what comes back as plain mappings and our errors."""

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from awsiot import eventstreamrpc as rpc
from awsiot.greengrasscoreipc import model

from streams.errors import StreamError, TopicInvalid, TransportError

log = logging.getLogger(__name__)

Mapped = dict[str, Any]


class Operation(NamedTuple):
    """How the SDK makes an operation, and its request out of our fields."""

    new: str
    request: Callable[..., Any]


def _validity(**fields: Any) -> Any:
    report = model.ConfigurationValidityReport(**fields)
    return model.SendConfigurationValidityReportRequest(configuration_validity_report=report)


REQUESTS: dict[str, Operation] = {
    "publish": Operation("new_publish_to_iot_core", model.PublishToIoTCoreRequest),
    "configuration": Operation("new_get_configuration", model.GetConfigurationRequest),
    "state": Operation("new_update_state", model.UpdateStateRequest),
    "defer": Operation("new_defer_component_update", model.DeferComponentUpdateRequest),
    "validity": Operation("new_send_configuration_validity_report", _validity),
}
SUBSCRIPTIONS: dict[str, Operation] = {
    "messages": Operation("new_subscribe_to_iot_core", model.SubscribeToIoTCoreRequest),
    "configuration": Operation(
        "new_subscribe_to_configuration_update", model.SubscribeToConfigurationUpdateRequest
    ),
    "validation": Operation(
        "new_subscribe_to_validate_configuration_updates",
        model.SubscribeToValidateConfigurationUpdatesRequest,
    ),
    "updates": Operation("new_subscribe_to_component_updates", model.SubscribeToComponentUpdatesRequest),
}


class Ear(rpc.StreamResponseHandler):  # type: ignore[misc]  # the SDK has no types
    """Hands the events of a subscription on, as mappings."""

    def __init__(self, receiver: Callable[[Mapped], None]) -> None:
        self._receiver = receiver

    def on_stream_event(self, event: Any) -> None:
        try:
            self._receiver(plain(event))
        except Exception:
            log.exception("a receiver failed on an event of the nucleus")

    def on_stream_error(self, error: Exception) -> bool:
        log.warning("the nucleus ended a subscription: %s", said(error))
        return True


def as_ours(name: str, error: BaseException) -> StreamError:
    """The SDK's errors, and Python's, as ours. Texts are for people alone: the nucleus lite sends none."""
    if isinstance(error, StreamError):
        return error
    if isinstance(error, model.UnauthorizedError):
        return TransportError(
            f"the nucleus does not allow {name}: the recipe's accessControl must grant it for this topic"
        )
    if isinstance(error, model.InvalidArgumentsError):
        return TopicInvalid(f"the nucleus does not take this {name}: {said(error)}")
    return TransportError(f"the nucleus refused {name}: {said(error)}")


def said(error: BaseException) -> str:
    """What an error says of itself; its name where it says nothing."""
    told = str(getattr(error, "message", None) or error).rstrip(".")
    return f"{type(error).__name__}: {told}" if told else type(error).__name__


def plain(shape: Any) -> Any:
    """A shape of the SDK as plain mappings; what is None is left out."""
    if isinstance(shape, rpc.Shape):
        return {key: plain(value) for key, value in vars(shape).items() if value is not None}
    if isinstance(shape, list):
        return [plain(each) for each in shape]
    return shape
