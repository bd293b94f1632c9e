"""A hundred thousand messages through a nucleus lite: what stays in memory, and what went over budget."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from nucleus import Nucleus, short_folder
from nucleus_stage import ACCESS, NAME

MESSAGES = 100_000
MOST_SLOPE = 1.024  # bytes a message: 1 KB a thousand
IN_FLIGHT = 8
SIZES = (400, 1200, 4000)  # bytes of a message, one after the other


def memory(folder: Path, messages: int = MESSAGES) -> tuple[bool, dict[str, Any]]:
    """Publishes from a process of its own, since the nucleus' memory is not what is asked for."""
    place = short_folder()
    server = Nucleus(place, "lite", keep=10)
    server.install(NAME, ACCESS)
    server.start()
    try:
        environ = os.environ | server.environment(NAME) | {"PYTHONPATH": os.pathsep.join(sys.path)}
        child = [sys.executable, __file__, str(messages)]
        done = subprocess.run(child, env=environ, capture_output=True, text=True, timeout=900, check=False)
    finally:
        server.stop()
        shutil.rmtree(place)
    if done.returncode != 0:
        return False, {"error": done.stderr[-500:]}
    told = json.loads(done.stdout)
    figures = {
        "received": server.count,
        "over_budget": server.oversized,
        "largest_bytes": server.largest,
        "slope_bytes_a_message": round(told["slope"], 3),
        "messages_a_second": round(told["rate"]),
        "refused": told["refused"],
    }
    whole = server.count == messages and not told["refused"] and not server.oversized
    held = whole and told["slope"] < MOST_SLOPE
    return held, figures


def publish(messages: int) -> dict[str, float]:
    """In the child: as fast as the nucleus answers, at most IN_FLIGHT at once."""
    import threading
    import time
    from concurrent.futures import Future

    from edge.memory import Growth
    from streams.transports.greengrass import Greengrass
    from streams.transports.nucleus import Nucleus as Connection

    nucleus = Connection.of_environment()
    assert nucleus is not None
    transport = Greengrass(nucleus)
    transport.start()
    assert nucleus.wait(10.0)
    room = threading.Semaphore(IN_FLIGHT)
    growth, began = Growth(), time.monotonic()
    refused: list[object] = []

    def landed(done: "Future[None]") -> None:
        refused.extend([done.exception()] if done.exception() else [])
        room.release()

    for number in range(messages):
        assert room.acquire(timeout=10.0)
        payload = bytes(SIZES[number % len(SIZES)])
        sent = transport.publish("dt/lensracer/cam-1/main/infer", payload, 1)
        sent.add_done_callback(landed)
        if number % 500 == 0:
            growth.sample(number)
    for _ in range(IN_FLIGHT):
        assert room.acquire(timeout=10.0)
    seconds = time.monotonic() - began
    transport.stop(5.0)
    return {"slope": growth.slope() or 0.0, "rate": messages / seconds, "refused": len(refused)}


DRILLS = {"greengrass-memory": memory}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(publish(int(sys.argv[1]))))
