"""A component's configuration: what a deployment says below `lensracer:`, as one checked Config."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge import config as configuration
from edge.config import Config, layers
from edge.errors import ConfigInvalid, Fault

log = logging.getLogger(__name__)

SECTION = "lensracer"  # beside it stand accessControl and what else the nucleus keeps
USUAL_SOURCE = "camera:0"
Values = Mapping[str, Any]


def ours(deployed: object) -> Values:
    """Our part of a component's whole configuration. Raises ConfigInvalid where it is no mapping."""
    values = deployed.get(SECTION, {}) if isinstance(deployed, Mapping) else {}
    if not isinstance(values, Mapping):
        raise ConfigInvalid(
            Fault(f"expected keys and values below it, got {values!r}", SECTION, layers.DEPLOYMENT)
        )
    return values


def load(values: Values, environ: Mapping[str, str], work: Path, kind: str) -> Config:
    """The configuration of a component. work: its folder, where its state lies unless said otherwise. kind: of the
    nucleus; by way of lite no pictures are sent unless they are asked for, since none fits through it.

    Texts are taken for what they mean at their key, since the nucleus lite makes texts of numbers. A key that this
    version does not know is reported, and no mistake: deployments merge, and keys of older versions stay for ever.
    Raises ConfigInvalid with a Fault for every mistake at once.
    """
    known, unknown = layers.known(values)
    for key in unknown:
        log.warning("the deployment's key %s.%s is not known to this version, and is ignored", SECTION, key)
    usual: dict[str, Any] = {"transport.kind": "greengrass", "spool.path": str(work / "state")}
    if thing := environ.get("AWS_IOT_THING_NAME"):
        usual["thing"] = thing
    if kind == "lite":
        usual["streams.device.enabled"] = False
    if not {"source", "sources"} & set(known):
        usual["source"] = USUAL_SOURCE
    return configuration.load_deployed(known, usual, environ)
