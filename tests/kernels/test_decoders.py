"""What detectors say, read as boxes: each decoder against its definition, anchor by anchor, and against its twin."""

import math
from types import SimpleNamespace

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from kernel_pair import Guarded, at_once, frozen

from kernels import Candidates, candidates

INF, NAN = np.inf, np.nan
SIZE = (64, 96)  # height, width
CELLS = {8: 96, 16: 24, 32: 6}


def f32(value):
    return np.ascontiguousarray(value, np.float32)


def read(into, count, start=0):
    return [
        (float(into.scores[i]), int(into.labels[i]), *into.boxes[i].astype(float).tolist())
        for i in range(start, count)
    ]


def agree(found, wanted):
    assert len(found) == len(wanted)
    assert np.allclose(np.array(found, np.float64), np.array(wanted, np.float64), rtol=1e-4, atol=1e-3)


# ---- each head with random contents: (name, arguments, keywords) without threshold and into


def ssd(rng, count=40):
    rows = rng.uniform(0, 1, (count, 7))
    rows[:, 0] = 0
    rows[:, 1] = rng.integers(0, 21, count)
    return SimpleNamespace(
        name="decode_ssd", arrays=[f32(rows)], size=(SIZE,), stride=(), options={}, anchors=count
    )


def yolo(rng, transposed, objectness, count=133, classes=6):
    rows = np.hstack([rng.uniform(0, 90, (count, 4)), rng.uniform(0, 1, (count, classes + objectness))])
    rows = rows.T if transposed else rows
    options = {"transposed": transposed, "objectness": objectness}
    return SimpleNamespace(
        name="decode_yolo", arrays=[f32(rows)], size=(), stride=(), options=options, anchors=count
    )


def yolox(rng, classes=5):
    count = sum(CELLS.values())
    rows = np.hstack([rng.normal(0, 1, (count, 4)), rng.uniform(0, 1, (count, classes + 1))])
    return SimpleNamespace(
        name="decode_yolox",
        arrays=[f32(rows)],
        size=(SIZE,),
        stride=((8, 16, 32),),
        options={},
        anchors=count,
    )


def nanodet(rng, stride=16, bins=8, classes=7):
    count = CELLS[stride]
    arrays = [f32(rng.uniform(0, 1, (count, classes))), f32(rng.normal(0, 3, (count, 4 * bins)))]
    return SimpleNamespace(
        name="decode_nanodet", arrays=arrays, size=(SIZE,), stride=(stride,), options={}, anchors=count
    )


def yunet(rng, stride=16):
    count = CELLS[stride]
    arrays = [f32(rng.uniform(-0.1, 1.1, (count, 1))) for _ in range(2)]
    arrays += [f32(rng.normal(0, 1, (count, 4))), f32(rng.normal(0, 1, (count, 10)))]
    return SimpleNamespace(
        name="decode_yunet", arrays=arrays, size=(SIZE,), stride=(stride,), options={}, anchors=count
    )


def scored(rng, background=0, count=60, classes=4):
    arrays = [f32(rng.uniform(0, 1, (count, classes))), f32(rng.uniform(-0.1, 1.1, (count, 4)))]
    options = {"background": background}
    return SimpleNamespace(
        name="decode_scored", arrays=arrays, size=(SIZE,), stride=(), options=options, anchors=count
    )


HEADS = {
    "ssd": ssd,
    "yolov5": lambda rng: yolo(rng, transposed=False, objectness=True),
    "yolov5-transposed": lambda rng: yolo(rng, transposed=True, objectness=True),
    "yolov8": lambda rng: yolo(rng, transposed=True, objectness=False),
    "yolov8-rows": lambda rng: yolo(rng, transposed=False, objectness=False),
    "yolox": yolox,
    "nanodet": nanodet,
    "yunet": yunet,
    "scored": scored,
    "scored-no-background": lambda rng: scored(rng, background=None),
    "scored-last-background": lambda rng: scored(rng, background=3),
}


@pytest.fixture(params=list(HEADS))
def head(request, rng):
    return HEADS[request.param](rng)


def decode(kernel, head, threshold, into, start=0):
    """Call the head's decoder with its arguments in the order of its signature."""
    settings = [*head.size, *head.stride, threshold]
    if head.name == "decode_ssd":
        settings.reverse()
    return getattr(kernel, head.name)(*head.arrays, *settings, into, start, **head.options)


# ---- the definitions, one anchor at a time in float64


def around(x, y, width, height):
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def best(scores):
    label = int(np.argmax(scores))
    return float(scores[label]), label


def define_ssd(head, threshold):
    height, width = SIZE
    for image, label, score, x1, y1, x2, y2 in head.arrays[0].astype(float):
        if image < 0:
            return
        if score >= threshold:
            yield score, int(label), x1 * width, y1 * height, x2 * width, y2 * height


def define_yolo(head, threshold):
    rows = head.arrays[0].T if head.options["transposed"] else head.arrays[0]
    for row in rows.astype(float):
        objectness = row[4] if head.options["objectness"] else 1.0
        score, label = best(row[4 + head.options["objectness"] :])
        if score * objectness >= threshold:
            yield score * objectness, label, *around(*row[:4])


def define_yolox(head, threshold):
    places = [(x, y, s) for s in (8, 16, 32) for y in range(SIZE[0] // s) for x in range(SIZE[1] // s)]
    for row, (x, y, stride) in zip(head.arrays[0].astype(float), places, strict=True):
        score, label = best(row[5:])
        if score * row[4] >= threshold:
            size = math.exp(row[2]) * stride, math.exp(row[3]) * stride
            yield score * row[4], label, *around((row[0] + x) * stride, (row[1] + y) * stride, *size)


def define_nanodet(head, threshold):
    (stride,) = head.stride
    columns = SIZE[1] // stride
    for i, (scores, distances) in enumerate(zip(*head.arrays, strict=True)):
        score, label = best(scores)
        if score >= threshold:
            x, y = (each * stride + (stride - 1) / 2 for each in (i % columns, i // columns))
            sides = []
            for bins in distances.astype(float).reshape(4, -1):
                weights = np.exp(bins) / np.exp(bins).sum()
                sides.append(sum(weight * number for number, weight in enumerate(weights)) * stride)
            yield score, label, x - sides[0], y - sides[1], x + sides[2], y + sides[3]


def define_yunet(head, threshold):
    (stride,) = head.stride
    columns = SIZE[1] // stride
    for i, (cls, obj, box, _) in enumerate(zip(*head.arrays, strict=True)):
        score = math.sqrt(min(max(float(cls[0]), 0), 1) * min(max(float(obj[0]), 0), 1))
        if score >= threshold:
            x, y = (float(box[0]) + i % columns) * stride, (float(box[1]) + i // columns) * stride
            yield score, 0, *around(x, y, math.exp(box[2]) * stride, math.exp(box[3]) * stride)


def define_scored(head, threshold):
    background = head.options["background"]
    for scores, (x1, y1, x2, y2) in zip(*head.arrays, strict=True):
        named = [score for label, score in enumerate(scores) if label != background]
        score, label = best(named)
        if score >= threshold:
            yield score, label, x1 * SIZE[1], y1 * SIZE[0], x2 * SIZE[1], y2 * SIZE[0]


@pytest.mark.parametrize("threshold", [0.0, 0.35, 0.5, 0.9])
def test_it_reads_what_the_definition_reads(kernel, head, threshold):
    into = candidates(head.anchors)
    count = decode(kernel, head, threshold, into)
    agree(read(into, count), list(globals()[head.name.replace("decode_", "define_")](head, threshold)))


def test_it_writes_from_start_on_and_leaves_the_rows_before_alone(kernel, head):
    into, alone = candidates(head.anchors + 3), candidates(head.anchors)
    into.boxes[:3], into.scores[:3], into.labels[:3] = 7, 8, 9
    count = decode(kernel, head, 0.5, into, 3)
    assert count == 3 + decode(kernel, head, 0.5, alone)
    assert (into.boxes[:3] == 7).all()
    assert (into.scores[:3] == 8).all()
    assert (into.labels[:3] == 9).all()
    assert read(into, count, 3) == read(alone, count - 3)


def test_a_threshold_out_of_reach_leaves_nothing(kernel, head):
    assert decode(kernel, head, 1.5, candidates(head.anchors)) == 0


def test_room_for_one_anchor_too_few_is_refused(kernel, head):
    with pytest.raises(ValueError, match=f"2 are taken and {head.anchors} anchors follow"):
        decode(kernel, head, 0.5, candidates(head.anchors + 1), 2)


@pytest.mark.parametrize("start", [-1, 1000])
def test_a_start_outside_the_room_is_refused(kernel, head, start):
    with pytest.raises(ValueError, match=r"start must lie in 0\.\."):
        decode(kernel, head, 0.5, candidates(head.anchors), start)


@pytest.mark.parametrize("threshold", [NAN, INF])
def test_a_threshold_that_is_no_number_is_refused(kernel, head, threshold):
    with pytest.raises(ValueError, match="threshold must be a finite number"):
        decode(kernel, head, threshold, candidates(head.anchors))


def test_read_only_outputs_are_read(kernel, head):
    head.arrays = [frozen(array) for array in head.arrays]
    assert decode(kernel, head, 0.3, candidates(head.anchors)) > 0


def test_every_array_of_another_dtype_is_refused(kernel, head):
    for place, array in enumerate(head.arrays):
        wrong = SimpleNamespace(**vars(head) | {"arrays": [*head.arrays]})
        wrong.arrays[place] = array.astype(np.float64)
        with pytest.raises(TypeError, match="must be float32, not float64"):
            decode(kernel, wrong, 0.5, candidates(head.anchors))


def test_every_array_that_is_not_contiguous_is_refused(kernel, head):
    for place, array in enumerate(head.arrays):
        wrong = SimpleNamespace(**vars(head) | {"arrays": [*head.arrays]})
        wrong.arrays[place] = np.repeat(array, 2, axis=1)[:, ::2]
        with pytest.raises(ValueError, match="must be C-contiguous"):
            decode(kernel, wrong, 0.5, candidates(head.anchors))


def test_every_array_of_another_shape_is_refused(kernel, head):
    for place, array in enumerate(head.arrays):
        wrong = SimpleNamespace(**vars(head) | {"arrays": [*head.arrays]})
        wrong.arrays[place] = array[np.newaxis]
        with pytest.raises(ValueError, match=r"must have the shape .*, not \(1, "):
            decode(kernel, wrong, 0.5, candidates(head.anchors))


def test_nothing_is_written_past_the_columns(kernel, head):
    places = [Guarded((head.anchors, *rest), dtype) for rest, dtype in (((4,), "f4"), ((), "f4"), ((), "i4"))]
    places.append(Guarded((head.anchors, 5, 2), "f4"))
    decode(kernel, head, 0.0, Candidates(*(place.array for place in places)))
    for place in places:
        place.check()


def test_a_score_that_is_no_number_never_survives(kernel, head):
    for bad in (NAN, INF, -INF):
        head.arrays[0][:] = bad
        clipped = (head.name, bad) == ("decode_yunet", INF)  # which is 1, as every score above it
        assert clipped or decode(kernel, head, 0.01, candidates(head.anchors)) == 0


def test_two_threads_at_once_read_their_own(kernel, head):
    alone = candidates(head.anchors)
    wanted = read(alone, decode(kernel, head, 0.5, alone))

    def work(_):
        into = candidates(head.anchors)
        assert read(into, decode(kernel, head, 0.5, into)) == wanted

    at_once(work, rounds=5)


def spoiled(head, seed):
    """The same head with some numbers that are none, or enormous."""
    rng = np.random.default_rng(seed)
    for array in head.arrays:
        flat = array.reshape(-1)
        places = rng.integers(0, len(flat), max(1, len(flat) // 15))
        flat[places] = rng.choice([NAN, INF, -INF, 3e38, -3e38, 0, -1], len(places))
    return head


@hypothesis.given(
    st.sampled_from(list(HEADS)), st.integers(0, 500), st.floats(0, 1), st.booleans(), st.booleans()
)
@hypothesis.settings(max_examples=300)
def test_the_compiled_decoder_equals_its_twin(twins, name, seed, threshold, spoil, landmarks):
    head = HEADS[name](np.random.default_rng(seed))
    if spoil:
        spoiled(head, seed)
    ours, theirs = candidates(head.anchors, landmarks), candidates(head.anchors, landmarks)
    counts = [decode(twin, head, threshold, into) for twin, into in zip(twins, (ours, theirs), strict=True)]
    assert counts[0] == counts[1]
    assert (ours.labels[: counts[0]] == theirs.labels[: counts[0]]).all()
    assert np.allclose(ours.scores[: counts[0]], theirs.scores[: counts[0]], rtol=1e-6, atol=0)
    assert np.allclose(ours.boxes[: counts[0]], theirs.boxes[: counts[0]], rtol=1e-4, atol=1e-3)
    assert np.isfinite(ours.boxes[: counts[0]]).all()
    if landmarks and head.name == "decode_yunet":
        assert np.allclose(ours.landmarks[: counts[0]], theirs.landmarks[: counts[0]], rtol=1e-5, atol=1e-3)
        assert np.isfinite(ours.landmarks[: counts[0]]).all()


# ---- what only one of them promises


def test_ssd_rows_end_at_the_first_negative_image(kernel, rng):
    head = ssd(rng)
    head.arrays[0][:, 2] = 0.9
    head.arrays[0][7, 0] = -1
    assert decode(kernel, head, 0.5, candidates(40)) == 7


@pytest.mark.parametrize("label", [-1, NAN, INF, 2.0**31])
def test_an_ssd_row_whose_label_is_no_number_of_a_class_is_left_out(kernel, label):
    rows = f32([[0, label, 0.9, 0, 0, 1, 1], [0, 20, 0.8, 0, 0, 1, 1]])
    into = candidates(2)
    assert kernel.decode_ssd(rows, 0.5, SIZE, into) == 1
    assert into.labels[0] == 20


@pytest.mark.parametrize(
    ("name", "arguments", "options"),
    [
        ("decode_ssd", (np.zeros((0, 7), np.float32), 0.5, SIZE), {}),
        ("decode_yolo", (np.zeros((0, 85), np.float32), 0.5), {"transposed": False, "objectness": True}),
        ("decode_yolo", (np.zeros((84, 0), np.float32), 0.5), {"transposed": True, "objectness": False}),
    ],
)
def test_no_anchors_leave_the_count_as_it_was(kernel, name, arguments, options):
    assert getattr(kernel, name)(*arguments, candidates(0), **options) == 0
    assert getattr(kernel, name)(*arguments, candidates(5), 4, **options) == 4


def test_no_scored_anchors_leave_the_count_as_it_was(kernel):
    empty = np.zeros((0, 2), np.float32), np.zeros((0, 4), np.float32)
    assert kernel.decode_scored(*empty, SIZE, 0.5, candidates(2), 1) == 1


@pytest.mark.parametrize("transposed", [True, False])
@pytest.mark.parametrize("objectness", [True, False])
@pytest.mark.parametrize("count", [1, 63, 64, 65, 200])
def test_yolo_finds_every_anchor_of_any_number(kernel, rng, count, objectness, transposed):
    head = yolo(rng, transposed, objectness, count, 1)
    into = candidates(count)
    assert decode(kernel, head, 0.0, into) == count
    agree(read(into, count), list(define_yolo(head, 0.0)))


@pytest.mark.parametrize("transposed", [True, False])
def test_the_first_of_equal_classes_wins_and_a_nan_never_does(kernel, transposed):
    row = f32([[10, 10, 4, 4, NAN, 0.6, 0.9, 0.9, NAN]])
    into = candidates(1)
    output = f32(row.T) if transposed else row
    assert kernel.decode_yolo(output, 0.5, into, transposed=transposed, objectness=False) == 1
    assert into.labels[0] == 2


@pytest.mark.parametrize("transposed", [True, False])
def test_an_objectness_below_the_threshold_leaves_the_anchor_out(kernel, transposed):
    row = f32([[10, 10, 4, 4, 0.4, 1.9], [10, 10, 4, 4, 0.6, 0.9]])
    output = f32(row.T) if transposed else row
    into = candidates(2)
    assert kernel.decode_yolo(output, 0.5, into, transposed=transposed, objectness=True) == 1
    assert into.scores[0] == np.float32(0.6) * np.float32(0.9)


def test_a_score_of_exactly_the_threshold_survives(kernel):
    rows = f32([[0, 1, 0.35, 0, 0, 1, 1]])
    assert kernel.decode_ssd(rows, 0.35, SIZE, candidates(1)) == 1


def test_sizes_beyond_a_float_are_left_out(kernel, rng):
    head = yolox(rng)
    head.arrays[0][:, 4:] = 1
    head.arrays[0][::2, 2] = 200
    assert decode(kernel, head, 0.5, candidates(head.anchors)) == head.anchors // 2


def test_nanodet_distances_are_means_of_bins_from_the_cells_middle(kernel):
    distances = np.full((24, 4, 8), -50, np.float32)
    distances[:, [0, 1, 2, 3], [1, 2, 3, 4]] = 50
    scores = np.zeros((24, 2), np.float32)
    scores[8, 1] = 0.9  # column 2 of row 1
    into = candidates(24)
    assert kernel.decode_nanodet(scores, distances.reshape(24, 32), SIZE, 16, 0.5, into) == 1
    assert np.allclose(into.boxes[0], [39.5 - 16, 23.5 - 32, 39.5 + 48, 23.5 + 64], atol=1e-4)
    assert into.labels[0] == 1


def test_a_size_that_no_stride_divides_has_its_last_cell_counted(kernel):
    """As a network of padded convolutions makes it: 416 at stride 64 is 7 cells wide."""
    scores, distances = np.ones((49, 1), np.float32), np.zeros((49, 32), np.float32)
    assert kernel.decode_nanodet(scores, distances, (416, 416), 64, 0.5, candidates(49)) == 49


def test_yunet_landmarks_lie_at_their_cell(kernel):
    cls, obj = np.zeros((24, 1), np.float32), np.ones((24, 1), np.float32)
    cls[8] = 1
    into = candidates(24, landmarks=True)
    landmarks = np.tile(f32([0.5, 0.25]), (24, 5))
    assert kernel.decode_yunet(cls, obj, np.zeros((24, 4), np.float32), landmarks, SIZE, 16, 0.5, into) == 1
    assert (into.landmarks[0] == [(2 + 0.5) * 16, (1 + 0.25) * 16]).all()
    assert into.boxes[0].tolist() == [32 - 8, 16 - 8, 32 + 8, 16 + 8]


def test_yunet_leaves_out_a_face_whose_landmarks_are_no_numbers_where_they_are_asked_for(kernel, rng):
    head = yunet(rng)
    head.arrays[0][:], head.arrays[1][:] = 1, 1
    head.arrays[3][5, 3] = NAN
    assert decode(kernel, head, 0.5, candidates(24)) == 24
    assert decode(kernel, head, 0.5, candidates(24, landmarks=True)) == 23


WITHOUT = {"decode_yolo": {"transposed": False, "objectness": True}}


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        (
            "decode_ssd",
            (np.zeros((3, 6), np.float32), 0.5, SIZE),
            r"rows must have the shape \(N, 7\), not \(3, 6\)",
        ),
        ("decode_ssd", (np.zeros((3, 7), np.float32), 0.5, (0, 4)), r"input_size must be .* not \(0, 4\)"),
        (
            "decode_yolo",
            (np.zeros((3, 5), np.float32), 0.5),
            "5 values and at least one class score an anchor, not 5",
        ),
        (
            "decode_yolox",
            (np.zeros((126, 5), np.float32), SIZE, (8, 16, 32), 0.5),
            "at least one class score",
        ),
        (
            "decode_yolox",
            (np.zeros((125, 9), np.float32), SIZE, (8, 16, 32), 0.5),
            "output must have 126 rows .* not 125",
        ),
        (
            "decode_yolox",
            (np.zeros((126, 9), np.float32), SIZE, (8, 0, 32), 0.5),
            "strides must be whole numbers",
        ),
        ("decode_yolox", (np.zeros((126, 9), np.float32), SIZE, (), 0.5), "strides must be whole numbers"),
        (
            "decode_nanodet",
            (np.zeros((24, 3), np.float32), np.zeros((24, 30), np.float32), SIZE, 16, 0.5),
            r"4 \* bins columns, of 2 bins or more, not 30",
        ),
        (
            "decode_nanodet",
            (np.zeros((24, 3), np.float32), np.zeros((23, 32), np.float32), SIZE, 16, 0.5),
            r"\(24, 4 \* bins\), not \(23, 32\)",
        ),
        (
            "decode_nanodet",
            (np.zeros((24, 0), np.float32), np.zeros((24, 32), np.float32), SIZE, 16, 0.5),
            "at least one class score",
        ),
        (
            "decode_nanodet",
            (np.zeros((24, 3), np.float32), np.zeros((24, 32), np.float32), SIZE, 8, 0.5),
            "scores must have 96 rows for an input of 64 x 96 .* at stride 8, not 24",
        ),
        (
            "decode_yunet",
            (*(np.zeros((24, n), np.float32) for n in (1, 2, 4, 10)), SIZE, 16, 0.5),
            r"obj must have the shape \(24, 1\), not \(24, 2\)",
        ),
        (
            "decode_yunet",
            (*(np.zeros((24, n), np.float32) for n in (1, 1, 4, 8)), SIZE, 16, 0.5),
            r"landmarks must have the shape \(24, 10\), not \(24, 8\)",
        ),
        (
            "decode_scored",
            (np.zeros((9, 1), np.float32), np.zeros((9, 4), np.float32), SIZE, 0.5),
            "1 values and at least one class score an anchor, not 1",
        ),
        (
            "decode_scored",
            (np.zeros((9, 2), np.float32), np.zeros((8, 4), np.float32), SIZE, 0.5),
            r"boxes must have the shape \(9, 4\), not \(8, 4\)",
        ),
    ],
)
def test_what_is_not_this_heads_output_is_refused_with_a_sentence(kernel, name, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        getattr(kernel, name)(*arguments, candidates(200), **WITHOUT.get(name, {}))


@pytest.mark.parametrize("background", [-1, 4])
def test_a_background_that_is_no_class_is_refused(kernel, rng, background):
    with pytest.raises(ValueError, match=f"one of the 4 classes or None, not {background}"):
        decode(kernel, scored(rng, background), 0.5, candidates(60))
