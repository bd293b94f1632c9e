"""What goes wrong in awscrt, as sentences that say what to check."""

from awscrt import mqtt, mqtt5

from streams.errors import PayloadTooLarge, StreamError, TransportError
from streams.transports import SubscriptionRefused

_CREDENTIALS = (
    "the broker ended the TLS handshake: does it know transport.cert, and is it active; "
    "does transport.ca hold the authority that signed the broker's own certificate?"
)
_BROKER_CERTIFICATE = (
    "the broker's certificate is not to be trusted: transport.ca must hold the authority that signed it, "
    "it must name transport.endpoint, and this device's clock must be right"
)
_HUNG_UP = (
    "the broker hung up: at AWS IoT that means that the policy does not allow the client id or a topic, or "
    "another client came with the same transport.client_id"
)
_REFUSED = (  # awscrt's MQTT 3.1.1 tells no more than this
    "it refused the connection, or speaks something else: check transport.username, transport.password, "
    "the broker's policy for transport.client_id, transport.protocol and transport.port"
)
_NAME = "the host name is not known: check transport.endpoint and the network's name server"
_SILENT = "it does not answer: check the network, a firewall, and transport.port"

TABLE = {
    "AWS_IO_SOCKET_CONNECTION_REFUSED": "nothing listens there: does the broker run, is transport.port right?",
    "AWS_IO_SOCKET_TIMEOUT": _SILENT,
    "AWS_IO_SOCKET_NO_ROUTE_TO_HOST": _SILENT,
    "AWS_IO_SOCKET_NETWORK_DOWN": "the network is down",
    "AWS_IO_SOCKET_CLOSED": "the connection was cut",
    "AWS_IO_BROKEN_PIPE": "the connection was cut",
    "AWS_IO_DNS_INVALID_NAME": _NAME,
    "AWS_IO_DNS_NO_ADDRESS_FOR_HOST": _NAME,
    "AWS_IO_DNS_QUERY_FAILED": _NAME,
    "AWS_IO_DNS_QUERY_AGAIN": _NAME,
    "AWS_IO_TLS_ERROR_NEGOTIATION_FAILURE": _BROKER_CERTIFICATE,
    "AWS_IO_TLS_UNKNOWN_ROOT_CERTIFICATE": _BROKER_CERTIFICATE,
    "AWS_IO_TLS_NO_ROOT_CERTIFICATE_FOUND": _BROKER_CERTIFICATE,
    "AWS_IO_TLS_INVALID_CERTIFICATE_CHAIN": _BROKER_CERTIFICATE,
    "AWS_IO_TLS_HOST_NAME_MISMATCH": _BROKER_CERTIFICATE,
    "AWS_IO_TLS_PEER_CERTIFICATE_EXPIRED": _BROKER_CERTIFICATE,
    "AWS_IO_TLS_BAD_PEER_CERTIFICATE": _BROKER_CERTIFICATE,
    "AWS_IO_TLS_ERROR_ALERT_RECEIVED": _CREDENTIALS,
    "AWS_IO_TLS_CLOSED_GRACEFUL": _CREDENTIALS,
    "AWS_IO_TLS_CLOSED_ABORT": _CREDENTIALS,
    "AWS_IO_TLS_ERROR_READ_FAILURE": _CREDENTIALS,
    "AWS_IO_TLS_ERROR_WRITE_FAILURE": _CREDENTIALS,
    "AWS_IO_TLS_ALERT_NOT_GRACEFUL": _CREDENTIALS,
    "AWS_IO_TLS_NEGOTIATION_TIMEOUT": "it does not speak TLS: is transport.port the one for it?",
    "AWS_IO_MISSING_ALPN_MESSAGE": "it does not know AWS IoT's protocol name: set transport.alpn to false",
    "AWS_ERROR_MQTT_UNEXPECTED_HANGUP": _HUNG_UP,
    "AWS_ERROR_MQTT_TIMEOUT": "it took too long to answer: check the network",
    "AWS_ERROR_MQTT5_CONNACK_TIMEOUT": "it says nothing: is it an MQTT broker, and does it want TLS?",
    "AWS_ERROR_MQTT5_PING_RESPONSE_TIMEOUT": "it no longer answers: check the network",
    "AWS_ERROR_MQTT5_DECODE_PROTOCOL_ERROR": "it does not speak MQTT 5: set transport.protocol to 3.1.1",
    "AWS_ERROR_MQTT_PROTOCOL_ERROR": _REFUSED,
    "AWS_ERROR_MQTT_CANCELLED_FOR_CLEAN_SESSION": "the connection was cut",
    "AWS_ERROR_MQTT_NOT_CONNECTED": "there is no connection",
    "AWS_ERROR_MQTT5_OPERATION_FAILED_DUE_TO_OFFLINE_QUEUE_POLICY": "the connection was cut",
    "AWS_ERROR_MQTT5_USER_REQUESTED_STOP": "the connection was closed",
    "AWS_ERROR_MQTT_CONNECTION_DESTROYED": "the connection was closed",
    "AWS_ERROR_MQTT5_CLIENT_TERMINATED": "the connection was closed",
}

_REFUSED_USER = "it refused the user: check transport.username and transport.password"
_REFUSED_CLIENT = "it refused the client id: check transport.client_id"
_NOT_ALLOWED = (
    "it does not allow this client: check transport.username, transport.password, the certificate, "
    "and the broker's policy for transport.client_id"
)
_NO_MQTT_5 = "it does not speak this version of MQTT: change transport.protocol"

REFUSALS: dict[object, str] = {
    mqtt.ConnectReturnCode.UNACCEPTABLE_PROTOCOL_VERSION: _NO_MQTT_5,
    mqtt.ConnectReturnCode.IDENTIFIER_REJECTED: _REFUSED_CLIENT,
    mqtt.ConnectReturnCode.SERVER_UNAVAILABLE: "it is not available at the moment",
    mqtt.ConnectReturnCode.BAD_USERNAME_OR_PASSWORD: _REFUSED_USER,
    mqtt.ConnectReturnCode.NOT_AUTHORIZED: _NOT_ALLOWED,
}
REFUSALS_5: dict[object, str] = {
    mqtt5.ConnectReasonCode.UNSUPPORTED_PROTOCOL_VERSION: _NO_MQTT_5,
    mqtt5.ConnectReasonCode.CLIENT_IDENTIFIER_NOT_VALID: _REFUSED_CLIENT,
    mqtt5.ConnectReasonCode.BAD_USERNAME_OR_PASSWORD: _REFUSED_USER,
    mqtt5.ConnectReasonCode.NOT_AUTHORIZED: _NOT_ALLOWED,
    mqtt5.ConnectReasonCode.BANNED: _NOT_ALLOWED,
    mqtt5.ConnectReasonCode.SERVER_UNAVAILABLE: "it is not available at the moment",
    mqtt5.ConnectReasonCode.SERVER_BUSY: "it is busy",
    mqtt5.ConnectReasonCode.CONNECTION_RATE_EXCEEDED: "too many connections came at once",
    mqtt5.ConnectReasonCode.RETAIN_NOT_SUPPORTED: "it keeps no retained messages, which the last will needs",
}
CUTS_5: dict[object, str] = {
    mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER: "another client came with the same transport.client_id",
    mqtt5.DisconnectReasonCode.NOT_AUTHORIZED: "its policy does not allow what was done: check the topics",
    mqtt5.DisconnectReasonCode.SERVER_SHUTTING_DOWN: "it is shutting down",
    mqtt5.DisconnectReasonCode.KEEP_ALIVE_TIMEOUT: "it heard nothing for too long: check the network",
    mqtt5.DisconnectReasonCode.PACKET_TOO_LARGE: "a message was too large for it: set transport.budget",
    mqtt5.DisconnectReasonCode.MESSAGE_RATE_TOO_HIGH: "messages came too fast for it: set transport.budget",
    mqtt5.DisconnectReasonCode.QUOTA_EXCEEDED: "a quota of it was exceeded: set transport.budget",
}


def explain(error: BaseException) -> StreamError:
    """An error of awscrt as one of ours: what to check, and awscrt's own name for it in brackets."""
    if isinstance(error, StreamError):
        return error
    if isinstance(error, mqtt.SubscribeError):
        return SubscriptionRefused("check the broker's policy for it")
    code = error.args[0] if error.args else None
    if isinstance(code, mqtt.ConnectReturnCode):
        return TransportError(f"{REFUSALS.get(code, 'it refused the connection')} ({code.name})")
    name = getattr(error, "name", None) or type(error).__name__
    if name == "AWS_ERROR_MQTT5_PACKET_VALIDATION":
        return PayloadTooLarge("the broker does not take messages of this size")
    message = getattr(error, "message", None) or str(error) or "it failed"
    return TransportError(f"{TABLE.get(name, str(message).rstrip('.'))} ({name})")


def explain_5(error: BaseException, packet: object) -> StreamError:
    """The same, where the broker gave its own reason in a CONNACK or DISCONNECT packet of MQTT 5."""
    code = getattr(packet, "reason_code", None)
    said = getattr(packet, "reason_string", None)
    if code is None:
        return explain(error)
    known = REFUSALS_5.get(code) or CUTS_5.get(code) or "it ended the connection"
    return TransportError(f"{known} ({code.name}{f': {said}' if said else ''})")
