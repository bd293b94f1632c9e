"""What figures do: the pose at each moment of an activity. Every actor does it in its own way and time."""

from typing import NamedTuple

import figure_body as b
import numpy as np
from figure_body import Pose

LABELS = ("still", "walking", "waving", "jumping", "sitting-down", "standing-up")
STILL, WALKING, WAVING, JUMPING, SITTING, RISING = range(6)

LEFT, RIGHT = (b.ARM_L, b.HAND_L), (b.ARM_R, b.HAND_R)


class Manner(NamedTuple):
    """How one actor moves: angles in degrees, times in seconds, the height of a jump as a share of its own."""

    standing: Pose
    seated: Pose
    stride: float  # seconds for two steps
    reach: float  # of the thighs
    swing: float  # of the arms
    bend: float  # of the knees
    pace: float  # heights a second
    wave: tuple[float, float, float, float]  # seconds a swing, its angle, arm aside, arm forward
    arms: tuple[bool, bool]  # which arms wave: left, right
    hop: tuple[float, float, float, float]  # seconds a jump, its height, arms forward, arms and legs aside
    sink: float  # seconds to sit down
    bow: float  # how far the torso leans on the way
    sway: float


class Moment(NamedTuple):
    pose: Pose
    lift: float  # heights above the ground
    pace: float  # heights a second, forward


def manner(rng: np.random.Generator) -> Manner:
    arms = [(True, False), (False, True), (True, True)][int(rng.choice(3, p=(0.4, 0.4, 0.2)))]
    return Manner(
        held(rng),
        seated(rng),
        rng.uniform(0.75, 1.3),
        rng.uniform(18, 34),
        rng.uniform(5, 38),
        rng.uniform(28, 60),
        rng.uniform(0.3, 0.75) if rng.random() < 0.75 else 0.0,
        (rng.uniform(0.45, 1.0), rng.uniform(20, 45), rng.uniform(60, 130), rng.uniform(-10, 50)),
        arms,
        (
            rng.uniform(0.6, 1.0),
            rng.uniform(0.07, 0.2),
            rng.uniform(-20, 120),
            rng.uniform(15, 120) if rng.random() < 0.4 else 0.0,
        ),
        rng.uniform(0.9, 1.7),
        rng.uniform(15, 50),
        rng.uniform(0.3, 1.6),
    )


def held(rng: np.random.Generator) -> Pose:
    """A way to stand: arms down or on the hips, folded, raised, a step that is not finished, knees that give."""
    pose = upright(rng)
    legs = rng.random()
    if legs < 0.25:
        reach = rng.uniform(8, 30)
        pose[b.THIGH_L, 0], pose[b.THIGH_R, 0] = reach, -reach
        pose[b.SHANK_L, 0], pose[b.SHANK_R, 0] = reach - 5, -reach - rng.uniform(0, 35)
    elif legs < 0.4:
        _crouch(pose, rng.uniform(15, 55))
    elif legs < 0.55:
        pose[[b.THIGH_L, b.THIGH_R, b.SHANK_L, b.SHANK_R], 1] = rng.uniform(8, 25)
    for arm, hand in (LEFT, RIGHT):
        _arm(rng, pose, arm, hand)
    return pose


def seated(rng: np.random.Generator) -> Pose:
    pose = upright(rng)
    pose[b.TORSO, 0] = rng.uniform(-12, 14)
    pose[[b.THIGH_L, b.THIGH_R], 0] = rng.uniform(76, 92)
    pose[[b.SHANK_L, b.SHANK_R], 0] = rng.uniform(-12, 10)
    for arm, hand in (LEFT, RIGHT):
        pose[arm], pose[hand] = (rng.uniform(10, 40), 8), (rng.uniform(50, 90), 0)
    return pose


def upright(rng: np.random.Generator) -> Pose:
    pose = np.zeros((b.LIMBS, 2))
    pose[b.TORSO], pose[b.HEAD] = (rng.normal(2, 3), rng.normal(0, 2)), (rng.normal(4, 6), rng.normal(0, 4))
    pose[[b.THIGH_L, b.THIGH_R, b.SHANK_L, b.SHANK_R], 1] = rng.uniform(1, 6)
    return pose


def _arm(rng: np.random.Generator, pose: Pose, arm: int, hand: int) -> None:
    kind = rng.random()
    if kind < 0.5:
        pose[arm], pose[hand] = (rng.normal(0, 8), rng.uniform(3, 14)), (rng.uniform(0, 25), 5)
    elif kind < 0.65:
        pose[arm], pose[hand] = (-10, 45), (10, -40)
    elif kind < 0.75:
        pose[arm], pose[hand] = (20, 5), (100, -30)
    else:
        aside, forward = rng.uniform(50, 150), rng.uniform(-10, 60)
        pose[arm], pose[hand] = (forward, aside), (forward, aside + rng.uniform(-10, 80))


def _crouch(pose: Pose, knees: float) -> None:
    pose[[b.THIGH_L, b.THIGH_R], 0] += knees
    pose[[b.SHANK_L, b.SHANK_R], 0] -= 0.8 * knees
    pose[b.TORSO, 0] += 0.45 * knees


def moment(manner: Manner, activity: int, sitting: bool, t: float) -> Moment:
    """The pose `t` seconds into an activity; `sitting`: whether it is done on the chair (still and waving only)."""
    base = (manner.seated if sitting else manner.standing).copy()
    base[:6] += manner.sway * np.sin(1.7 * t + np.arange(12).reshape(6, 2))
    if activity == WALKING:
        return Moment(_walk(manner, t), 0.02 * abs(np.sin(2 * np.pi * t / manner.stride)), manner.pace)
    if activity == WAVING:
        return Moment(_wave(manner, base, t), 0.0, 0.0)
    if activity == JUMPING:
        return _jump(manner, t)
    if activity == SITTING:
        return Moment(_sink(manner, t / manner.sink), 0.0, 0.0)
    if activity == RISING:
        return Moment(_sink(manner, 1 - t / manner.sink), 0.0, 0.0)
    return Moment(base, 0.0, 0.0)


def _walk(manner: Manner, t: float) -> Pose:
    pose = np.zeros((b.LIMBS, 2))
    phase = 2 * np.pi * t / manner.stride
    pose[b.TORSO], pose[b.HEAD, 0] = (4, 2 * np.sin(phase)), 4
    for thigh, shank, arm, hand, at in (
        (b.THIGH_L, b.SHANK_L, *LEFT, phase),
        (b.THIGH_R, b.SHANK_R, *RIGHT, phase + np.pi),
    ):
        forward = manner.reach * np.sin(at)
        pose[thigh], pose[shank] = (forward, 3), (forward - manner.bend * max(0.0, np.cos(at)) - 4, 2)
        pose[arm], pose[hand] = (-manner.swing * np.sin(at), 7), (18 - 1.2 * manner.swing * np.sin(at), 4)
    return pose


def _wave(manner: Manner, pose: Pose, t: float) -> Pose:
    swing, angle, aside, forward = manner.wave
    now = angle * np.sin(2 * np.pi * t / swing)
    for (arm, hand), waves in zip((LEFT, RIGHT), manner.arms, strict=True):
        if waves:
            pose[arm] = (forward, aside + 0.3 * now)
            pose[hand] = (forward * 0.5, 165 + now)
    return pose


def _jump(manner: Manner, t: float) -> Moment:
    period, height, forward, aside = manner.hop
    at = (t / period) % 1
    pose = np.zeros((b.LIMBS, 2))
    pose[[b.ARM_L, b.ARM_R, b.HAND_L, b.HAND_R], 1] = 8
    air = max(0.0, np.sin(np.pi * (at - 0.4) / 0.45)) if 0.4 < at < 0.85 else 0.0
    knees = (
        50 * np.sin(np.pi * at / 0.4) if at < 0.4 else 30 * np.sin(np.pi * (at - 0.85) / 0.15) * (at > 0.85)
    )
    _crouch(pose, float(knees))
    spread = aside * air
    pose[[b.ARM_L, b.ARM_R, b.HAND_L, b.HAND_R], 1] += spread
    pose[[b.THIGH_L, b.THIGH_R, b.SHANK_L, b.SHANK_R], 1] += 2 + 0.2 * spread
    pose[[b.ARM_L, b.ARM_R], 0] += forward * air - 0.6 * float(knees)
    pose[[b.HAND_L, b.HAND_R], 0] += 15 + forward * air - 0.4 * float(knees)
    return Moment(pose, height * air, 0.0)


def _sink(manner: Manner, share: float) -> Pose:
    """From standing to the chair: the torso bows on the way."""
    share = min(1.0, max(0.0, share))
    eased = share * share * (3 - 2 * share)
    pose = manner.standing * (1 - eased) + manner.seated * eased
    pose[b.TORSO, 0] += manner.bow * np.sin(np.pi * eased)
    pose[[b.ARM_L, b.ARM_R], 0] += 0.5 * manner.bow * np.sin(np.pi * eased)
    return pose
