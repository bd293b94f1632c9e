"""The devices that OpenVINO finds on this machine."""

import openvino as ov

import inference.backends.openvino  # noqa: F401 - raises BackendUnavailable where OpenVINO cannot be used


def devices() -> dict[str, str]:
    """Full names by short names: {"CPU": "Intel(R) Atom(TM) ..."}."""
    core = ov.Core()
    return {name: str(core.get_property(name, "FULL_DEVICE_NAME")) for name in core.available_devices}
