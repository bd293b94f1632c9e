"""Greengrass: the transport contract over the genuine SDK and a real Unix socket, and what a nucleus does besides."""

import time
from collections.abc import Callable, Iterator

import pytest
from nucleus_stage import NAME, NucleusStage, nucleus_stage
from transport_contract import CHECKS, INFER, Stage, connected, done
from witness import wait_until

from streams.backoff import Backoff
from streams.errors import PayloadTooLarge, TransportError
from streams.transports import SubscriptionRefused
from streams.transports.greengrass import Greengrass
from streams.transports.nucleus import SOCKET, TOKEN, Nucleus

RETAINED = {  # the nucleus lite retains nothing, and says of nothing that it was
    "check_birth_and_farewell_are_said_and_kept",
    "check_a_subscription_hears_what_matches_it",
}


@pytest.fixture(scope="module", params=["classic", "lite"])
def stage(request: pytest.FixtureRequest) -> Iterator[NucleusStage]:
    with nucleus_stage(request.param) as made:
        yield made


@pytest.fixture
def lite() -> Iterator[NucleusStage]:
    with nucleus_stage("lite") as made:
        yield made


@pytest.fixture
def classic() -> Iterator[NucleusStage]:
    with nucleus_stage("classic") as made:
        yield made


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_greengrass_keeps_the_contract(stage: NucleusStage, check: Callable[[Stage], None]) -> None:
    if stage.server.rules.retains or check.__name__ not in RETAINED:
        check(stage)


def test_a_topic_that_the_recipe_does_not_grant_is_told_with_the_key_that_would(
    classic: NucleusStage,
) -> None:
    with connected(classic) as transport:
        with pytest.raises(TransportError, match="accessControl must grant it"):
            done(transport.publish("elsewhere/cam-1", b"{}", 1))
        with pytest.raises(SubscriptionRefused, match="UnauthorizedError"):
            done(transport.subscribe("elsewhere/#", lambda *_: None))
        done(transport.publish(INFER, b"{}", 1))


def test_what_would_close_the_connection_is_never_sent(lite: NucleusStage) -> None:
    with connected(lite) as transport:
        with pytest.raises(PayloadTooLarge, match="over the 4096 that lite allows"):
            done(transport.publish(INFER, bytes(9000), 1))
        done(transport.publish(INFER, bytes(4096), 1))
    assert lite.server.oversized == 0


def test_a_cloud_that_is_away_fails_at_once_on_lite_and_not_on_classic(
    lite: NucleusStage, classic: NucleusStage
) -> None:
    lite.server.online = classic.server.online = False
    with connected(lite) as transport, pytest.raises(TransportError, match="ServiceError"):
        done(transport.publish(INFER, b"{}", 1))
    with connected(classic) as transport:
        done(transport.publish(INFER, b"{}", 1))


def test_a_void_token_is_told_when_patience_is_over(lite: NucleusStage) -> None:
    told = lite.server.environment(NAME)
    nucleus = Nucleus(told[SOCKET], told[TOKEN], kind="lite", patience=0.5, backoff=Backoff(0.05, 0.1))
    losses: list[tuple[bool, str]] = []
    nucleus.start()
    assert nucleus.wait(5.0)
    nucleus.listen(lambda *said: losses.append(said))
    lite.server.kill()
    lite.server.start()  # every token is void now
    wait_until(lambda: nucleus.gone)
    assert [there for there, _ in losses] == [True, False, False]
    assert "only a new start of this process gets a new token" in losses[-1][1]
    nucleus.stop(2.0)


def test_a_nucleus_that_does_not_answer_is_given_up_on_in_time(classic: NucleusStage) -> None:
    nucleus = classic.connection()
    nucleus.start()
    assert nucleus.wait(5.0)
    with classic.server.lock:  # it stands still
        answer = nucleus.request("state", {"state": "RUNNING"}, timeout=0.2)
        with pytest.raises(TransportError, match="did not answer in time"):
            answer.result(5.0)
    nucleus.stop(2.0)


def test_answers_and_events_are_plain_mappings(classic: NucleusStage) -> None:
    classic.server.components[NAME].configuration = {"lensracer": {"thing": "cam-1", "n": 5}}
    nucleus = classic.connection()
    nucleus.start()
    assert nucleus.wait(5.0)
    got = nucleus.request("configuration", {"key_path": []}).result(5.0)
    assert got["value"] == {"lensracer": {"thing": "cam-1", "n": 5}}
    events: list[dict[str, object]] = []
    nucleus.subscribe("configuration", {"key_path": []}, events.append).result(5.0)
    assert classic.server.configure(NAME, {"lensracer": {"n": 6}})
    wait_until(lambda: len(events) == 1)
    event = {"component_name": NAME, "key_path": ["lensracer"]}
    assert events == [{"configuration_update_event": event}]
    with pytest.raises(TransportError, match="ResourceNotFoundError"):
        nucleus.request("configuration", {"key_path": ["no", "such"]}).result(5.0)
    nucleus.stop(2.0)


def test_an_operation_that_a_nucleus_lacks_is_a_refusal_and_no_more(lite: NucleusStage) -> None:
    nucleus = lite.connection()
    nucleus.start()
    assert nucleus.wait(5.0)
    with pytest.raises(SubscriptionRefused):
        nucleus.subscribe("updates", {}, lambda event: None).result(5.0)
    nucleus.request("state", {"state": "RUNNING"}).result(5.0)
    assert lite.server.components[NAME].states == ["RUNNING"]
    nucleus.stop(2.0)


def test_the_environment_tells_whether_there_is_a_nucleus_and_which(
    lite: NucleusStage, classic: NucleusStage
) -> None:
    assert Nucleus.of_environment({"HOME": "/"}) is None
    for stage in (lite, classic):
        nucleus = Nucleus.of_environment(stage.server.environment(NAME))
        assert nucleus is not None
        assert nucleus.kind == stage.server.rules.kind
        assert Greengrass(nucleus).budget.name == nucleus.kind


def test_nothing_of_an_answered_operation_stays(lite: NucleusStage) -> None:
    import gc

    from awsiot.eventstreamrpc import ClientOperation

    with connected(lite) as transport:
        for _ in range(300):
            done(transport.publish(INFER, b"{}", 1))
        time.sleep(0.2)  # the last closes are still under way
        gc.collect()
        assert sum(isinstance(each, ClientOperation) for each in gc.get_objects()) < 20
