"""JPEG bytes of 720p into a tensor: decoded at the nearest smaller scale that still holds what is needed."""

import agreement
import cv2
import numpy as np
import peers
import scenes
import simplejpeg
from case import FASTEST, Case, Target
from cases_prepare import SCALES

import kernels
from streams.sources.mjpeg import decode_shrunk
from streams.sources.pool import Pool

SIZE = (720, 1280)
# A decoder that halves sees other pixels than one that scales afterwards: levels, on the average.
ERROR = 4.0


def cases() -> list[Case]:
    return [_jpeg(side) for side in (224, 640)]


def _jpeg(side: int) -> Case:
    data = simplejpeg.encode_jpeg(scenes.soft(*SIZE), quality=85, colorspace="BGR", colorsubsampling="420")
    encoded = np.frombuffer(data, np.uint8)
    box = peers.Letterbox(*SIZE, side, stretch=True)
    out = np.empty((3, side, side), np.float32)
    pool = Pool()
    decoded = np.empty((*SIZE, 3), np.uint8)

    def by_opencv() -> peers.Pixels:
        return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))

    def by_simplejpeg() -> peers.Pixels:
        return np.asarray(simplejpeg.decode_jpeg(data, colorspace="BGR", buffer=decoded))

    others = {
        "imdecode+blobFromImage": (peers.blob(by_opencv, side), None),
        "imdecode+chain": peers.lookup(by_opencv, box, side),
        "simplejpeg+chain": peers.lookup(by_simplejpeg, box, side),
    }

    def ours() -> object:
        return kernels.prepare(decode_shrunk(data, (side, side), pool), out, mean=peers.MEAN, scale=SCALES)

    return Case(
        f"JPEG 720p to {side}",
        ours,
        peers.steady(others),
        agreement.within(ours, out, others, ERROR / peers.SCALE, average=True),
        (Target(FASTEST, 1.7, 1.5),),
        apart=peers.unsteady(others),
    )
