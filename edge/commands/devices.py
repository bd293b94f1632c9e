"""`edge devices`."""

from typing import Any

import click

from edge import logs
from edge.commands.output import as_json, say, say_json, table


@click.command("devices")
@as_json
def command(json_wanted: bool) -> None:
    """List the cameras and inference devices of this machine."""
    logs.setup("warning")
    from edge.devices import devices

    found = devices()
    if json_wanted:
        say_json(found)
        return
    say("Cameras")
    for camera in found["cameras"]:
        say(table(of_camera(camera)))
    if not found["cameras"]:
        say("  none; files, folders, rtsp:// and http:// streams and synthetic: work without")
    say("Inference devices")
    say(table(row for backend in found["inference"] for row in of_backend(backend)))
    say(of_auto(found["auto"]))


def of_camera(camera: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [(f"  {camera['uri']}", camera["name"])]
    rows += [("", link) for link in camera["links"]]
    for found in camera["formats"]:
        sizes = ", ".join(size_text(size) for size in found["sizes"])
        rows.append(("", f"{found['fourcc']}: {sizes}"))
    rows += [("", f"held by {holder}") for holder in camera["held_by"]]
    return [*rows, ("", camera["refusal"])] if camera["refusal"] else rows


def size_text(size: dict[str, Any]) -> str:
    rates = f" at {'/'.join(f'{rate:g}' for rate in size['rates'])}" if size["rates"] else ""
    return f"{size['width']}x{size['height']}{rates}"


def of_backend(backend: dict[str, Any]) -> list[tuple[str, str, str]]:
    if backend["error"]:
        return [(f"  {backend['backend']}", "-", backend["error"])]
    return [(f"  {backend['backend']}", name, full) for name, full in backend["devices"].items()]


def of_auto(auto: dict[str, Any]) -> str:
    here = [f"{each['backend']} {each['device']}" for each in auto["here"]]
    first = f"here {', then '.join(here)}" if here else "none of which is here"
    return f"inference.device: AUTO takes the first of {', '.join(auto['order'])} that can run the model: {first}"
