"""From the configuration to the loaded model: which device, how many requests, out of which cache."""

import logging
from typing import Any

import inference
from edge import thresholds
from edge.config import Config
from edge.config.origin import DEFAULT
from inference import acceptance
from inference import profile as profiles
from inference.backends import Tuning
from inference.files import sha256_of
from inference.manifest import Manifest
from inference.model import Model
from inference.profile import Profile

log = logging.getLogger(__name__)
NAMED = ("backend", "requests", "hint", "threads")  # any of them written down goes before a profile


def load(config: Config, manifest: Manifest) -> Model:
    """The model, loaded as the configuration says, and where it says nothing, as was measured to be best.

    Raises what `inference.load` raises.
    """
    model = inference.load(manifest, **settings(config, manifest))
    thresholds.apply(config.spool.folder(config.thing), model)
    return model


def ready(config: Config, manifest: Manifest) -> Model:
    """The model, loaded and glanced at. Raises what `load` raises, and NotAccepted."""
    model = load(config, manifest)
    try:
        acceptance.glance(model)
    except BaseException:
        model.close()
        raise
    return model


def settings(config: Config, manifest: Manifest) -> dict[str, Any]:
    """The keywords of `inference.load`."""
    wanted = config.inference
    kept = {"cache": wanted.cache.folder, "cache_bytes": wanted.cache.max_bytes}
    found = profile(config, manifest)
    if found is None:
        return {
            "backend": wanted.backend,
            "device": wanted.device,
            "requests": wanted.requests,
            "tuning": Tuning(wanted.hint, wanted.threads),
            **kept,
        }
    return {
        "backend": found.backend,
        "device": f"{found.device},{wanted.device}",  # should the one it was measured on be gone
        "requests": found.requests,
        "tuning": found.tuning,
        **kept,
    }


def profile(config: Config, manifest: Manifest) -> Profile | None:
    """What `edge model bench` found for this model on these devices, if it may be used."""
    wanted, folder = config.inference, config.inference.cache.folder
    if not wanted.profile or folder is None or manifest.is_fake or not profiles.any_kept(folder):
        return None
    if not manifest.model.exists():
        return None
    found = profiles.find(folder, sha256_of(manifest.model), wanted.device)
    if found is None:
        return None
    named = [key for key in NAMED if config.origin(("inference", key)) != DEFAULT]
    if named:
        log.info(
            "%s has a profile, but %s is configured: it is left out",
            manifest.model.name,
            ", ".join(f"inference.{key}" for key in named),
        )
        return None
    log.info("%s runs as edge model bench found best for %s: %s", manifest.model.name, found.aim, found)
    return found
