"""A figure of capsules: where its joints are when each limb points somewhere. Lengths are shares of its height."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TORSO, HEAD, ARM_L, ARM_R, HAND_L, HAND_R, THIGH_L, THIGH_R, SHANK_L, SHANK_R = range(10)
LIMBS = 10

Pose = NDArray[np.float64]
"""(10, 2) degrees: how far each limb is turned forward and to its side, from straight up (torso, head) or down."""

Joints = NDArray[np.float64]
"""(10, 2, 3): begin and end of each limb; x to the figure's left, y forward, z up, from between its feet."""


class Body(NamedTuple):
    """Lengths and thicknesses as shares of the height, and colours (BGR)."""

    torso: float
    head: float
    arm: float
    hand: float
    thigh: float
    shank: float
    shoulders: float  # half their width
    hips: float
    girth: float  # of the torso; the limbs follow
    colours: NDArray[np.float32]  # (10, 3) of the limbs, then hair, shoes, palms: (13, 3)


def joints(body: Body, pose: Pose) -> Joints:
    """Begin and end of each limb; the lower foot stands on the ground."""
    up, down = _directions(pose, 1.0), _directions(pose, -1.0)
    neck = up[TORSO] * body.torso
    across = np.array([1.0, 0, 0])
    left, right = neck + across * body.shoulders, neck - across * body.shoulders
    begins = np.zeros((LIMBS, 3))
    ends = np.zeros((LIMBS, 3))
    begins[HEAD], ends[HEAD] = neck, neck + up[HEAD] * body.head
    ends[TORSO] = neck
    for arm, hand, shoulder in ((ARM_L, HAND_L, left), (ARM_R, HAND_R, right)):
        begins[arm], ends[arm] = shoulder, shoulder + down[arm] * body.arm
        begins[hand], ends[hand] = ends[arm], ends[arm] + down[hand] * body.hand
    for thigh, shank, side in ((THIGH_L, SHANK_L, 1), (THIGH_R, SHANK_R, -1)):
        hip = side * across * body.hips
        begins[thigh], ends[thigh] = hip, hip + down[thigh] * body.thigh
        begins[shank], ends[shank] = ends[thigh], ends[thigh] + down[shank] * body.shank
    feet = ends[[SHANK_L, SHANK_R]]
    ground = np.array([*feet[:, :2].mean(axis=0), feet[:, 2].min()])
    return np.stack([begins, ends], axis=1) - ground


def _directions(pose: Pose, up: float) -> NDArray[np.float64]:
    """(10, 3): unit vectors; `up` is 1 for what stands, -1 for what hangs. Aside is away from the body."""
    forward, aside = np.radians(pose).T
    outward = np.array([1, 1, 1, -1, 1, -1, 1, -1, 1, -1])
    return np.stack(
        [outward * np.sin(aside), np.sin(forward) * np.cos(aside), up * np.cos(forward) * np.cos(aside)],
        axis=1,
    )
