"""`edge bundle PROJECT`."""

from pathlib import Path

import click

from edge.commands.folder_option import writable
from edge.commands.output import as_json, say, say_json


@click.command("bundle")
@click.argument("project")
@click.option(
    "--key",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="Private key, PEM (ECDSA, P-256); `openssl ecparam -name prime256v1 -genkey -noout` makes one.",
)
@click.option(
    "--version",
    "version",
    required=True,
    metavar="N",
    help="Version of the bundle: numbers parted by dots, greater than the last one's.",
)
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    callback=writable,
    default=".",
    metavar="FOLDER",
    help="Where to write it.  [default: .]",
)
@as_json
def command(project: str, key: Path, version: str, into: Path, json_wanted: bool) -> int:  # fmt: skip
    """Pack PROJECT into one signed file that other devices take.

    Writes NAME-VERSION.tar.gz, and its signature beside it (.sig). A device takes the bundle if `swap.keys` names the
    public key.
    """
    from edge import bundle, signing
    from edge import project as projects

    found = projects.load(projects.find(project))
    archive, signature = bundle.write(found, version, signing.private_key(key), into)
    if json_wanted:
        say_json({"archive": str(archive), "signature": signature})
    else:
        say(f"{archive} ({archive.stat().st_size:,} bytes), signed by {signature['key']}")
    return 0
