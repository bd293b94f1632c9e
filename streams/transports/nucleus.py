"""The one connection to the Greengrass nucleus: requests, subscriptions, and what its loss means.

It speaks plain mappings. Each operation is closed after its answer: the nucleus lite never ends a stream by itself, and
the SDK's second client would keep every one of them for ever. Nothing here waits for the nucleus without an end.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from typing import Any, Literal

from awscrt import io
from awsiot import eventstreamrpc as rpc
from awsiot.greengrasscoreipc import client as ipc

from streams.backoff import Backoff
from streams.errors import StreamError, TransportError
from streams.transports import Listener, SubscriptionRefused
from streams.transports.nucleus_operations import (
    REQUESTS,
    SUBSCRIPTIONS,
    Ear,
    Mapped,
    Operation,
    as_ours,
    plain,
    said,
)

log = logging.getLogger(__name__)

Kind = Literal["classic", "lite"]

SOCKET = "AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT"
CLASSIC_SOCKET = "AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH"  # which the nucleus lite does not set
TOKEN = "SVCUID"
ANSWER_PATIENCE_S = 10.0
CONNECT_PATIENCE_S = 5.0
PATIENCE_S = 25.0  # without a connection, before the token must be taken for void
MOST_PENDING = 1024


class _Standing:
    """A subscription, which is asked for anew on every connection."""

    def __init__(
        self, name: str, fields: Mapping[str, Any], receiver: Callable[[Mapped], None], owner: object
    ) -> None:
        self.name, self.fields, self.receiver, self.owner = name, fields, receiver, owner
        self.granted: Future[None] = Future()
        self.operation: Any = None


class _Life(rpc.LifecycleHandler):  # type: ignore[misc]
    """Hears the end of one connection."""

    def __init__(self, ended: Callable[[str], None]) -> None:
        self._ended = ended

    def on_disconnect(self, reason: Exception | None) -> None:
        self._ended("The nucleus closed the connection" + (f": {said(reason)}." if reason else "."))

    def on_error(self, error: Exception) -> bool:
        return True


class Nucleus:
    """Keeps the connection up: again and again, and `gone` is true once that has failed for `patience` seconds.

    socket, token: as the nucleus gives them to a component. kind: which nucleus it is. A void token (the nucleus lite
    was started anew) looks like a nucleus that is away: only a start of the component brings a new one. clock:
    monotonic seconds. Callbacks run on the SDK's thread and must be quick.
    """

    def __init__(
        self,
        socket: str,
        token: str,
        *,
        kind: Kind = "classic",
        patience: float = PATIENCE_S,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.kind: Kind = kind
        self.restarts = 0  # connections after the first
        self.gone = False
        self.reason = "The nucleus has not been called yet."
        self._socket, self._token, self._patience, self._clock = socket, token, patience, clock
        self._backoff = backoff or Backoff(0.5, 5.0)
        self._lock = threading.Condition()
        self._client: Any = None
        self._lost = threading.Event()
        self._ending = threading.Event()
        self._pending: dict[Future[Any], float] = {}
        self._standing: list[_Standing] = []
        self._listeners: list[tuple[Listener, object]] = []
        self._group = io.EventLoopGroup(num_threads=1)
        self._thread: threading.Thread | None = None

    @classmethod
    def of_environment(
        cls, environment: Mapping[str, str] = os.environ, patience: float | None = None
    ) -> "Nucleus | None":
        """The nucleus that started this process; None where none did. patience: the usual when None."""
        socket, token = environment.get(SOCKET), environment.get(TOKEN)
        if not socket or not token:
            return None
        kind: Kind = "classic" if environment.get(CLASSIC_SOCKET) else "lite"
        return cls(socket, token, kind=kind, patience=PATIENCE_S if patience is None else patience)

    @property
    def connected(self) -> bool:
        return self._client is not None

    def start(self) -> None:
        """Connects, and keeps connected, by itself."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="nucleus", daemon=True)
            self._thread.start()

    def wait(self, timeout: float) -> bool:
        """Whether there is a connection within `timeout` seconds."""
        with self._lock:
            return self._lock.wait_for(lambda: self.connected, timeout)

    def listen(self, listener: Listener, owner: object = None) -> None:
        """Calls `listener` at once, and whenever the connection comes or goes. owner: see `leave`."""
        with self._lock:
            self._listeners.append((listener, owner))
        listener(self.connected, self.reason)

    def leave(self, owner: object) -> None:
        """Forget the listeners and subscriptions of an owner."""
        with self._lock:
            gone = [each for each in self._standing if each.owner is owner]
            self._standing = [each for each in self._standing if each.owner is not owner]
            self._listeners = [each for each in self._listeners if each[1] is not owner]
        for each in gone:
            if each.operation is not None:
                each.operation.close()

    def request(
        self, name: str, fields: Mapping[str, Any], timeout: float = ANSWER_PATIENCE_S
    ) -> "Future[Mapped]":
        """Ask for one of REQUESTS; the answer as a mapping. Never blocks, never raises.

        The future fails with TransportError (away, slow, refused) or TopicInvalid.
        """
        answer: Future[Mapped] = Future()
        try:
            operation = self._begun(REQUESTS[name], fields, answer, timeout)
        except Exception as error:
            self._settle(answer, None, as_ours(name, error))
            return answer
        operation.get_response().add_done_callback(lambda done: self._answered(name, operation, answer, done))
        return answer

    def subscribe(
        self, name: str, fields: Mapping[str, Any], receiver: Callable[[Mapped], None], owner: object = None
    ) -> "Future[None]":
        """Hear one of SUBSCRIPTIONS on this and every later connection. The future is done when it was granted first,
        and fails with SubscriptionRefused where the nucleus refuses or does not know it. owner: see `leave`."""
        standing = _Standing(name, fields, receiver, owner)
        with self._lock:
            self._standing.append(standing)
            client = self._client
        if client is not None:
            self._ask_for(client, standing)
        return standing.granted

    def stop(self, timeout: float) -> None:
        """Ends the connection and the thread."""
        self._ending.set()
        with self._lock:
            self._lock.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)

    # The thread that keeps the connection up.

    def _run(self) -> None:
        away_since = self._clock()
        while not self._ending.is_set():
            if self._connect():
                self._attend()
                away_since = self._clock()
            elif not self.gone and self._clock() - away_since >= self._patience:
                self._give_up()
            if not self._ending.is_set():
                self._ending.wait(self._backoff.next())

    def _connect(self) -> bool:
        """One try; whether there is a connection now."""
        self._lost = lost = threading.Event()
        connection = self._dialled()
        life = _Life(lambda reason: self._ended(lost, reason))
        try:
            connection.connect(life).result(CONNECT_PATIENCE_S)
        except Exception as error:
            connection.close()
            self.reason = f"The nucleus at {self._socket} cannot be reached: {said(error)}."
            return False
        client = ipc.GreengrassCoreIPCClient(connection)
        with self._lock:
            if lost.is_set():
                return False
            self.restarts += self._came_before
            self._came_before, self.gone = True, False
            self._client, self.reason = client, "Connected to the nucleus."
            standing = list(self._standing)
            self._lock.notify_all()
        self._backoff.reset()
        for each in standing:
            self._ask_for(client, each)
        log.info("%s", self.reason)
        self._tell(connected=True)
        return True

    _came_before = False

    def _dialled(self) -> Any:
        bootstrap = io.ClientBootstrap(self._group, io.DefaultHostResolver(self._group))
        options = io.SocketOptions()
        options.domain = io.SocketDomain.Local
        return rpc.Connection(
            host_name=self._socket,
            port=0,  # a Unix socket has none
            bootstrap=bootstrap,
            socket_options=options,
            connect_message_amender=rpc.MessageAmendment.create_static_authtoken_amender(self._token),
        )

    def _attend(self) -> None:
        """Waits for the end of the connection, and ends requests that have taken too long."""
        lost, client = self._lost, self._client
        while not lost.is_set() and not self._ending.is_set():
            with self._lock:
                late = self._late(self._clock())
                if not late:
                    self._lock.wait(0.5)
            for future in late:
                self._settle(future, None, TransportError("The nucleus did not answer in time."))
        if not lost.is_set() and client is not None:
            client.close()
            self._ended(lost, "The connection to the nucleus was closed.")

    def _late(self, now: float) -> list["Future[Any]"]:
        late = []
        for (
            future,
            until,
        ) in self._pending.items():  # in the order of asking, all with about the same patience
            if until > now:
                break
            late.append(future)
        return late

    def _ended(self, lost: threading.Event, reason: str) -> None:
        """On the SDK's thread, at once: whoever must act on a loss cannot wait for ours."""
        with self._lock:
            if lost.is_set():
                return
            lost.set()
            was, self._client = self._client, None
            self.reason = reason
            pending = list(self._pending)
            self._lock.notify_all()
        for future in pending:
            self._settle(future, None, TransportError(reason))
        if was is not None:
            if not self._ending.is_set():
                log.warning("%s It is tried again by itself.", reason)
            self._tell(connected=False)

    def _give_up(self) -> None:
        self.gone = True
        self.reason += (
            " Perhaps the nucleus was started anew: only a new start of this process gets a new token."
        )
        log.error("%s", self.reason)
        self._tell(connected=False)

    def _tell(self, *, connected: bool) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener, _ in listeners:
            try:
                listener(connected, self.reason)
            except Exception:
                log.exception("a listener failed on the connection to the nucleus")

    # Operations.

    def _begun(
        self, wanted: Operation, fields: Mapping[str, Any], answer: "Future[Mapped]", timeout: float
    ) -> Any:
        with self._lock:
            client = self._client
            if client is None:
                raise TransportError(self.reason)
            if len(self._pending) >= MOST_PENDING:
                raise TransportError(f"the nucleus is behind: {len(self._pending)} requests wait for it")
            self._pending[answer] = self._clock() + timeout
        operation = getattr(client, wanted.new)()
        operation.activate(wanted.request(**fields))
        return operation

    def _answered(self, name: str, operation: Any, answer: "Future[Mapped]", done: "Future[Any]") -> None:
        error = done.exception()
        operation.close()
        if error is None:
            self._settle(answer, plain(done.result()), None)
        else:
            self._settle(answer, None, as_ours(name, error))

    def _settle(self, future: "Future[Any]", result: Any, error: StreamError | None) -> None:
        with self._lock:
            self._pending.pop(future, None)
        try:
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
        except InvalidStateError:
            pass  # it took too long, and was told so

    def _ask_for(self, client: Any, standing: _Standing) -> None:
        wanted = SUBSCRIPTIONS[standing.name]
        try:
            standing.operation = operation = getattr(client, wanted.new)(Ear(standing.receiver))
            operation.activate(wanted.request(**standing.fields))
        except Exception as error:  # the connection is just closing: it is asked again on the next
            log.info("the subscription to %s waits for the next connection: %s", standing.name, error)
            return
        operation.get_response().add_done_callback(lambda done: self._granted(standing, operation, done))

    def _granted(self, standing: _Standing, operation: Any, done: "Future[Any]") -> None:
        error = done.exception()
        if error is None:
            self._settle(standing.granted, None, None)
            return
        operation.close()
        if isinstance(error, rpc.EventStreamOperationError):
            told = SubscriptionRefused(f"the nucleus does not grant {standing.name}: {said(error)}")
            self._settle(standing.granted, None, told)
