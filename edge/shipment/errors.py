"""What can go wrong when a shipment is made, one sentence each.

EdgeError
└── ShipmentFailed   (RuntimeError)  a wheel that cannot be had, a tool that failed
    ShipmentInvalid  (ValueError)    a target, version or recipe that no device would take
"""

from edge.errors import EdgeError


class ShipmentFailed(EdgeError, RuntimeError):
    """The shipment could not be made; the sentence says which part."""


class ShipmentInvalid(EdgeError, ValueError):
    """What was asked for can never be deployed."""
