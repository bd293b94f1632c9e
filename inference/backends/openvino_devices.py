"""The devices that OpenVINO finds on this machine."""

import inference.backends.openvino  # noqa: F401 - first: how OpenVINO is imported; may raise BackendUnavailable


def devices() -> dict[str, str]:
    """Full names by short names: {"CPU": "Intel(R) Atom(TM) ..."}."""
    import openvino as ov

    core = ov.Core()
    return {name: str(core.get_property(name, "FULL_DEVICE_NAME")) for name in core.available_devices}
