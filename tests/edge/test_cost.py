"""What messages would cost is counted over all topics, each message in its own units, and told in words."""

from pathlib import Path
from typing import Any

import pytest
from projects import colour_sorter, quiet_environ

from edge import config, project
from edge.cost import DAYS_A_WEEK, Sent, expected, lines, measured
from streams.budget import units

DAY = 86_400


@pytest.mark.parametrize(("size", "billed"), [(0, 1), (1, 1), (5120, 1), (5121, 2), (131_072, 26)])
def test_each_message_is_rounded_up_by_itself(size: int, billed: int) -> None:
    assert units(size) == billed


def test_a_run_is_scaled_to_a_day_over_all_topics() -> None:
    sent = {"project stream": Sent(10, 20), "device stream": Sent(60, 600), "health": Sent(1, 1)}
    told = measured(sent, 60.0, paced={"health": 30.0})
    assert told["streams"]["project stream"] == {"messages_per_day": 14_400, "billable_units_per_day": 28_800}
    assert told["streams"]["health"] == {"messages_per_day": 2_880, "billable_units_per_day": 2_880}
    assert told["messages_per_day"] == 14_400 + DAY + 2_880
    assert told["billable_units_per_day"] == 28_800 + 10 * DAY + 2_880
    assert told["billable_units_per_week"] == DAYS_A_WEEK * told["billable_units_per_day"]


def test_a_long_run_shows_how_often_health_is_told() -> None:
    assert (
        measured({"health": Sent(40, 80)}, 1200.0, paced={"health": 30.0})["billable_units_per_day"] == 5760
    )


def test_a_run_that_sent_nothing_costs_nothing() -> None:
    assert measured({"project stream": Sent()}, 0.0)["billable_units_per_day"] == 0
    assert measured({}, 10.0)["messages_per_day"] == 0


def of(folder: Path, text: str, publish: str = "") -> dict[str, Any]:
    sorter = folder / "sorter"
    colour_sorter(sorter)
    file = sorter / "project.yaml"
    kept = [line for line in file.read_text().splitlines() if not line.startswith("publish")]
    file.write_text("\n".join([*kept, publish]) + "\n")
    (folder / "edge.yaml").write_text(text)
    return expected(config.load(folder / "edge.yaml", quiet_environ(), {}), project.load(sorter))


AWS = "transport: {endpoint: a.iot.eu-west-1.amazonaws.com, port: 8883}\n"
NO_PICTURES = "streams: {device: {enabled: false}}\n"


def test_the_default_policy_lies_between_its_heartbeat_and_its_interval(tmp_path: Path) -> None:
    told = of(tmp_path, "source: camera:0\n" + NO_PICTURES)
    assert told["streams"]["project stream"]["messages_per_day"] == {"least": DAY // 60, "most": DAY}
    assert told["streams"]["project stream"]["billable_units_per_day"] == {"least": DAY // 60, "most": DAY}
    assert told["streams"]["device stream"]["messages_per_day"]["most"] == 0
    assert told["messages_per_day"] == {"least": DAY // 60 + DAY // 30, "most": DAY + DAY // 30}
    assert told["billable_units_per_week"]["most"] == 7 * (DAY + DAY // 30)


def test_every_nth_result_follows_the_rate_of_each_source(tmp_path: Path) -> None:
    two = "sources: {a: {uri: camera:0, rate: 10}, b: {uri: camera:1, rate: 20}}\n" + NO_PICTURES
    told = of(tmp_path, two, "publish: {every: 5}")
    assert told["streams"]["project stream"]["messages_per_day"] == {"least": 6 * DAY, "most": 6 * DAY}
    assert told["assumed_rate"] is None


def test_pictures_are_counted_at_their_rate_and_as_large_as_the_budget_lets_them_be(tmp_path: Path) -> None:
    told = of(tmp_path, "source: camera:0\n" + AWS)["streams"]["device stream"]
    assert told["messages_per_day"] == {"least": DAY, "most": DAY}
    assert told["billable_units_per_day"] == {"least": DAY, "most": 26 * DAY}


def test_the_words_name_messages_units_and_a_week_and_no_price(tmp_path: Path) -> None:
    said = lines(of(tmp_path, "source: camera:0\n" + NO_PICTURES))
    assert said[0].startswith("cost: at most 89,280 messages a day, 89,280 billable units of 5 KB")
    assert "(624,960 a week); at least 4,320 messages" in said[0]
    assert "$" not in "".join(said)
    assert said[1] == "  project stream: 1,440 to 86,400 messages a day, 1,440 to 86,400 units a day"
    assert said[2] == "  health: 2,880 messages a day, 2,880 units a day"
    assert said[3] == "  a source that names no rate counts as 30 pictures a second"
