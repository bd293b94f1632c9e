"""From files, environment and command line to one checked Config."""

import dataclasses
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from edge import redaction, secrets, yamlfile
from edge.config import keys, layers
from edge.config.config import Config, default_thing
from edge.config.faults import faults_of
from edge.config.layers import Entry, Layer
from edge.config.meaning import understood
from edge.config.origin import DEFAULT, Key
from edge.config.place import settled
from edge.config.spool import state_home
from edge.config.values import FOREVER, Kind
from edge.errors import ConfigInvalid, Fault

USUAL = Path("edge.yaml")
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")


def load(
    path: Path | None = None,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Config:
    """The configuration of a file, the environment and the command line, each over the one before.

    path: the file; None reads ./edge.yaml where there is one. environ: None takes this process's.
    overrides: dotted keys with values, or with `Given`s (see `edge.config.overrides`).
    Secrets are resolved, and remembered for redaction.
    Raises ConfigInvalid with a Fault for every mistake at once.
    """
    environ = os.environ if environ is None else environ
    file = file_to_read(path)
    parts = [layers.of_file(yamlfile.load(file))] if file else []
    return checked(
        [*parts, layers.of_environment(environ), layers.of_overrides(overrides or {})], environ, file
    )


def load_deployed(
    deployed: Mapping[str, Any], usual: Mapping[str, Any], environ: Mapping[str, str] | None = None
) -> Config:
    """The configuration of a Greengrass component: what was deployed, below it what is usual there (dotted keys), above
    it the environment. A camera is waited for without end. Raises ConfigInvalid as `load`.
    """
    environ = os.environ if environ is None else environ
    above = [layers.of_deployment(deployed), layers.of_environment(environ)]
    return checked([layers.of_overrides(usual), *above], environ, None, patience=FOREVER)


def checked(
    parts: list[Layer], environ: Mapping[str, str], file: Path | None, patience: object = None
) -> Config:
    """One Config of several layers. patience: of a source that says none; None: the schema's."""
    merged = layers.laid_over(parts)
    values = resolved(merged, environ)
    with_defaults(values, merged, environ)
    if patience is not None:
        for name in {key[1] for key in values if key[0] == layers.SOURCES and len(key) > 2}:
            values.setdefault((layers.SOURCES, name, "patience"), patience)
    config = validated(values, merged)
    config._origins, config._file = merged.origins, file
    return config


def file_to_read(given: Path | None) -> Path | None:
    if given is not None:
        return given.absolute()
    return USUAL.absolute() if USUAL.is_file() else None


def resolved(merged: Layer, environ: Mapping[str, str]) -> dict[Key, Any]:
    """Every value with its secret in place and its path made absolute."""
    values: dict[Key, Any] = {}
    for key, entry in merged.entries.items():
        leaf = keys.find(key)
        kind = leaf.kind if isinstance(leaf, keys.Leaf) else None
        try:
            value = with_secret(key, kind, entry, merged, environ)
        except (secrets.SecretUnreadable, ValueError) as error:
            merged.faults.append(entry.origin.fault(str(error), ".".join(key)))
            continue
        remember(kind, value)
        values[key] = settled(kind, value, entry.origin)
    return values


def with_secret(key: Key, kind: Kind | None, entry: Entry, merged: Layer, environ: Mapping[str, str]) -> Any:
    """The value, or what the secret of that name holds; where a path belongs, the path of the secret's file."""
    name = secrets.named(entry.value)
    if name is None:
        return entry.value
    merged.origins[key] = dataclasses.replace(entry.origin, secret=name)
    if kind is Kind.PATH:
        return str(secrets.locate(name, environ))
    return understood(key, secrets.read(name, environ))


def remember(kind: Kind | None, value: Any) -> None:
    """What must never be shown, before the first word is said about it."""
    if isinstance(value, str) and kind is Kind.SECRET:
        redaction.remember(value)
    elif isinstance(value, str) and kind is Kind.ADDRESS:
        redaction.remember_address(value)


def with_defaults(values: dict[Key, Any], merged: Layer, environ: Mapping[str, str]) -> None:
    """Defaults that depend on the machine or on other values."""
    thing = values.setdefault(("thing",), default_thing())
    if ("transport", "kind") not in values and values.get(("transport", "endpoint")) is not None:
        values["transport", "kind"] = "iot_core"
    if values.get(("spool", "path")) is None and isinstance(thing, str):
        values["spool", "path"] = state_home(environ) / "lensracer" / thing
        merged.origins["spool", "path"] = DEFAULT
    if values.get(("transport", "tls")) is True and (bundle := authorities_for(values)):
        values["transport", "ca"] = bundle
        merged.origins["transport", "ca"] = DEFAULT


def authorities_for(values: Mapping[Key, Any]) -> Path | None:
    """What to trust where TLS is asked for and nothing else says whom: without it TLS would not be spoken."""
    known = any(values.get(("transport", name)) is not None for name in ("cert", "ca"))
    return None if known else system_authorities()


def system_authorities() -> Path | None:
    """The file of certificates that this system trusts."""
    known = ssl.get_default_verify_paths()
    found = next(
        (name for name in (known.cafile, known.openssl_cafile, *BUNDLES) if name and Path(name).is_file()),
        None,
    )
    return Path(found) if found else None


def validated(values: Mapping[Key, Any], merged: Layer) -> Config:
    tree, astray = nested(values)
    faults = list(merged.faults)
    faults += [
        merged.origins[key].fault("expected keys and values below it", ".".join(key)) for key in astray
    ]
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        known = {fault.key for fault in faults}  # a value that could not be had is not missing as well
        faults += [fault for fault in faults_of(error, merged.origins) if fault.key not in known]
    if faults:
        raise ConfigInvalid(*in_order(faults))
    return config


def nested(values: Mapping[Key, Any]) -> tuple[dict[str, Any], list[Key]]:
    """The values as a tree, and the keys that have a plain value where others have a section."""
    root: dict[str, Any] = {}
    astray: list[Key] = []
    for key in sorted(values):
        here = root
        for depth, part in enumerate(key[:-1], 1):
            below = here.setdefault(part, {})
            if not isinstance(below, dict):
                astray.append(key[:depth])
                break
            here = below
        else:
            here[key[-1]] = {} if values[key] == {} else values[key]  # a dict of its own: it is filled below
    return root, astray


def in_order(faults: list[Fault]) -> list[Fault]:
    """By file and line, each said once."""
    unique = list(dict.fromkeys(faults))
    return sorted(unique, key=lambda fault: (str(fault.where), fault.line or 0))
