"""`edge model pull`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge import logs
from edge.commands.folder_option import writable
from edge.commands.model_options import may_replace
from edge.commands.output import as_json, say, say_json, table
from inference.manifest import TASKS

if TYPE_CHECKING:
    from edge.pull import Pulled, Wanted


@click.command("pull")
@click.argument("model", required=False, metavar="NAME|URI")
@click.option("--sha256", metavar="HEX", help="What the file must be; needed for an address.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    callback=writable,
    metavar="DIR",
    help="Where it shall lie.  [default: a folder of its name]",
)
@click.option("--from", "mirror", metavar="URI", help="Ask this address for a model of the catalogue.")
@click.option("--task", type=click.Choice(TASKS), help="What a bare model does: a project.yaml is written.")
@click.option("--insecure", is_flag=True, help="Allow http: addresses. The digest decides all the same.")
@may_replace
@click.option("--list", "list_wanted", is_flag=True, help="Show the catalogue.")
@as_json
def command(
    model: str | None,
    sha256: str | None,
    output: Path | None,
    mirror: str | None,
    task: str | None,
    insecure: bool,
    force: bool,
    list_wanted: bool,
    json_wanted: bool,
) -> None:
    """Fetch a model of the catalogue by NAME, or what lies at an address (https:, s3:, file:) by its digest.

    What is fetched is kept, and a transfer that was cut off is gone on with. An archive (.zip, .tar.gz) is
    unpacked. Models of the catalogue become projects that run.
    """
    logs.setup("warning")
    if list_wanted:
        show_catalogue(json_wanted=json_wanted)
        return
    if model is None:
        raise click.UsageError(
            "name a model of the catalogue (--list shows them), or an address with --sha256"
        )
    wanted = wanted_of(model, sha256, mirror, task)
    from edge.pull import pull

    tell(pull(wanted, output or Path(wanted.name), insecure=insecure, force=force), json_wanted=json_wanted)


def wanted_of(model: str, sha256: str | None, mirror: str | None, task: str | None) -> "Wanted":
    """What the arguments mean. Raises click.UsageError, AddressRefused."""
    from edge.pull import of_address, of_entry
    from inference import catalogue

    if ":" in model:
        if sha256 is None:
            raise click.UsageError("an address needs --sha256: what the file must be")
        if mirror is not None:
            raise click.UsageError("--from is another address for a model of the catalogue; one is enough")
        return of_address(model, sha256, task)
    found = catalogue.entry(model)
    for option, value in (("--sha256", sha256), ("--task", task)):
        if value is not None:
            raise click.UsageError(f"the catalogue says what {model} is; {option} is for addresses")
    return of_entry(found, mirror)


def tell(pulled: "Pulled", *, json_wanted: bool) -> None:
    if json_wanted:
        say_json(
            {
                "folder": str(pulled.folder),
                "project": None if pulled.project is None else str(pulled.project),
                "sha256": pulled.sha256,
                "bytes": pulled.size,
            }
        )
    elif pulled.project is not None:
        say(f"{pulled.folder} is a project now; `edge validate {pulled.folder}` tries it")
    else:
        say(f"the model lies in {pulled.folder}; with --task a project.yaml is written for it")


def show_catalogue(*, json_wanted: bool) -> None:
    from inference.catalogue import entries
    from inference.fetch_partial import human

    if json_wanted:
        say_json([shown(entry._asdict()) for entry in entries()])
        return
    rows = [(each.name, each.task, human(each.size), each.licence, each.title) for each in entries()]
    say(table([("NAME", "TASK", "SIZE", "LICENCE", ""), *rows]))


def shown(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry as JSON: without its labels, which may be a thousand."""
    return {key: value for key, value in entry.items() if key != "labels"}
