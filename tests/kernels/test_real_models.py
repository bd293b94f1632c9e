"""Decoders on real models and pictures: what they read is what is to be seen."""

from functools import cache

import cv2
import numpy as np
import onnxruntime
import pytest

from kernels import PixelFormat, candidates

BGR, RGB = PixelFormat.BGR, PixelFormat.RGB
STRIDES = (8, 16, 32)
PERSON, BOTTLE = 0, 39  # COCO
NANODET = {"mean": (103.53, 116.28, 123.675), "scale": (57.375, 57.12, 58.395)}


@cache
def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@cache
def frames(path, step, count):
    clip = cv2.VideoCapture(str(path))
    found = []
    for number in range(step * count):
        there, frame = clip.read()
        if there and number % step == 0:
            found.append(frame)
    clip.release()
    return found


def run(model, picture):
    """The outputs by name, without the batch."""
    names = [output.name for output in model.get_outputs()]
    return {
        name: each[0]
        for name, each in zip(names, model.run(None, {model.get_inputs()[0].name: picture}), strict=True)
    }


@pytest.fixture
def faces(shared_data):
    return frames(shared_data / "videos" / "head-pose-face-detection-female.gif", 1, 23)


@pytest.fixture
def bottles(shared_data):
    return frames(shared_data / "videos" / "bottle-detection.mp4", 300, 3)


def ultralight(kernel, shared_data, frame):
    """The frame's faces as boxes of 0..1 and scores."""
    tensor = np.empty((1, 3, 240, 320), np.float32)
    place = kernel.prepare(frame, tensor[0], mean=(127,) * 3, scale=(128,) * 3)
    said = run(session(shared_data / "models" / "ultralight-face" / "version-RFB-320.onnx"), tensor)
    into = candidates(4420)
    count = kernel.decode_scored(said["scores"], said["boxes"], (240, 320), 0.7, into)
    kept = kernel.nms(into, count, 0.5)
    return kernel.boxes_to_frame(into.boxes[kept], place), into.scores[kept]


def yunet(kernel, shared_data, tensor, threshold):
    """Every face as FaceDetectorYN tells it: x, y, width, height, five landmarks and the score, in input pixels."""
    said = run(session(shared_data / "models" / "yunet" / "yunet_n_320_320.onnx"), tensor)
    into = candidates(2100, landmarks=True)
    count = 0
    for stride in STRIDES:
        level = (said[f"{name}_{stride}"] for name in ("cls", "obj", "bbox", "kps"))
        count = kernel.decode_yunet(*level, (320, 320), stride, threshold, into, count)
    kept = kernel.nms(into, count, 0.3)
    corner, size = into.boxes[kept, :2], into.boxes[kept, 2:] - into.boxes[kept, :2]
    return np.hstack([corner, size, into.landmarks[kept].reshape(-1, 10), into.scores[kept, np.newaxis]])


def nanodet(kernel, shared_data, frame):
    """The frame's objects as boxes of 0..1 and COCO labels."""
    tensor = np.empty((1, 3, 416, 416), np.float32)
    place = kernel.prepare(frame, tensor[0], color=BGR, resize="letterbox", pad=0, **NANODET)
    said = run(session(shared_data / "models" / "nanodet" / "nanodet_m.onnx"), tensor).values()
    scores = sorted((each for each in said if each.shape[1] == 80), key=len, reverse=True)
    distances = sorted((each for each in said if each.shape[1] == 32), key=len, reverse=True)
    into = candidates(3549)
    count = 0
    for level in zip(scores, distances, STRIDES, strict=True):
        count = kernel.decode_nanodet(*level[:2], (416, 416), level[2], 0.35, into, count)
    kept = kernel.nms(into, count, 0.6)
    return kernel.boxes_to_frame(into.boxes[kept], place), into.labels[kept]


def test_the_face_detector_finds_the_one_face_of_every_frame(kernel, shared_data, faces):
    found = [ultralight(kernel, shared_data, frame) for frame in faces]
    assert [len(boxes) for boxes, _ in found].count(1) >= 22
    for boxes, _ in found:
        assert (boxes[:, 0] > 0.2).all()
        assert (boxes[:, 2] < 0.7).all()


def test_the_face_detector_finds_no_face_among_bottles(kernel, shared_data, bottles):
    for frame in bottles:
        assert len(ultralight(kernel, shared_data, frame)[0]) == 0


def test_yunet_reads_what_opencv_reads_from_the_same_model(kernel, shared_data, faces):
    path = shared_data / "models" / "yunet" / "yunet_n_320_320.onnx"
    detector = cv2.FaceDetectorYN.create(str(path), "", (320, 320), 0.6, 0.3, 5000)
    for frame in faces[::4]:
        picture = cv2.copyMakeBorder(cv2.resize(frame, (320, 180)), 0, 140, 0, 0, cv2.BORDER_CONSTANT)
        tensor = np.ascontiguousarray(picture.transpose(2, 0, 1)[np.newaxis], np.float32)
        ours, theirs = yunet(kernel, shared_data, tensor, 0.6), detector.detect(picture)[1]
        assert ours.shape == theirs.shape == (1, 15)
        assert np.abs(ours - theirs).max() < 0.05


def test_yunet_places_the_eyes_above_the_mouth_inside_the_face(kernel, shared_data, faces):
    tensor = np.empty((1, 3, 320, 320), np.float32)
    kernel.prepare(faces[0], tensor[0], color=BGR, resize="letterbox", anchor="top-left", pad=0)
    ((x, y, width, height, *rest),) = yunet(kernel, shared_data, tensor, 0.6)
    points = np.reshape(rest[:10], (5, 2))
    assert (points >= (x, y)).all()
    assert (points <= (x + width, y + height)).all()
    assert points[:2, 1].max() < points[2, 1] < points[3:, 1].min()


def test_nanodet_finds_the_person_in_every_frame_of_the_face_clip(kernel, shared_data, faces):
    for frame in faces[::6]:
        boxes, labels = nanodet(kernel, shared_data, frame)
        box = boxes[labels == PERSON][0]
        assert 0.1 < box[0] < 0.4
        assert box[1] < 0.3
        assert 0.6 < box[2] < 0.85
        assert box[3] > 0.95


def test_nanodet_finds_bottles_that_stand_upright(kernel, shared_data, bottles):
    for frame in bottles:
        boxes, labels = nanodet(kernel, shared_data, frame)
        found = boxes[labels == BOTTLE]
        width, height = (
            (found[:, 2] - found[:, 0]) * frame.shape[1],
            (found[:, 3] - found[:, 1]) * frame.shape[0],
        )
        assert len(found) >= 1
        assert (height > 2 * width).all()


def test_both_implementations_see_the_same(twins, shared_data, bottles):
    for frame in bottles:
        (ours, our_labels), (theirs, their_labels) = (nanodet(twin, shared_data, frame) for twin in twins)
        assert our_labels.tolist() == their_labels.tolist()
        assert np.abs(ours - theirs).max() < 0.01
