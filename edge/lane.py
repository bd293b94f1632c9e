"""The way of one source's frames out of the loop: its two streams, its pictures, and the message in between."""

import dataclasses
import functools
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Protocol

from edge.tap import Tap
from inference.results import Activity, Detections, Result, Row, Segmentation
from kernels import convert
from kernels.formats import Picture, PixelFormat
from streams.device import DeviceStream
from streams.frame import Frame
from streams.mould import Mould
from streams.project import ProjectStream
from streams.sinks.gallery import Gallery
from streams.whole import whole_picture

Message = dict[str, Any]
NEWS_AREA = 0.01  # of the picture: what a class must cover for its coming or going to be news


class ResultHook(Protocol):
    """What the user's hook looks like from here: an answer of False silences the message."""

    def on_result(self, frame: Frame, result: Result) -> Mapping[str, Any] | bool | None: ...


@dataclasses.dataclass(frozen=True)
class Subject:
    """What stays the same in each message of a run: the project, and the model that answers."""

    project: str
    task: str
    labels: tuple[str, ...]
    model: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Lane:
    """One source's way out. What is None is switched off."""

    subject: Subject
    project: ProjectStream | None
    device: DeviceStream | None
    pictures: Gallery | None
    hook: ResultHook | None
    on_message: Callable[[Message], None] | None = None
    tap: Tap | None = None

    def untouched(self, frame: Frame, now: float) -> None:
        """Offer the picture as it came to the device stream."""
        if self.device is not None:
            self.device.offer(frame, now)
        if self.pictures is not None:
            self.pictures.untouched(frame)

    def answered(self, frame: Frame, result: Result, now: float) -> bool:
        """Send what the model said of a picture, and show it; False if the hook silenced the message."""
        told = self._tell(frame, result, now)
        if self.pictures is not None and self.pictures.watched(frame.source):
            self.pictures.offer(frame, lambda: painted(frame, result, self.subject.labels))
        return told

    def _tell(self, frame: Frame, result: Result, now: float) -> bool:
        addition = self.hook.on_result(frame, result) if self.hook is not None else None
        if addition is False:
            return False
        if self.project is not None and self.project.wants(essence(result), now):
            self._publish(self.project, frame, result, addition, now)
        return True

    def _publish(
        self,
        project: ProjectStream,
        frame: Frame,
        result: Result,
        addition: Mapping[str, Any] | bool | None,
        now: float,
    ) -> None:
        listener = self.tap.listener if self.tap is not None else None
        rows = result.rows(self.subject.labels)
        unseen = self.on_message is None and listener is None and not isinstance(addition, Mapping)
        if unseen and project.say(self._mould, frame, now, result.timings, rows):
            return
        message = self._message(project, frame, result, rows)
        if isinstance(addition, Mapping):
            message.update(addition)
        number = project.send(message, frame.captured_at)
        if self.on_message is not None:
            self.on_message({**message, "seq": number})
        if listener is not None:
            listener.message({**message, "seq": number})

    @functools.cached_property
    def _mould(self) -> Mould:
        assert self.project is not None
        subject = self.subject
        return self.project.mould(project=subject.project, task=subject.task, model=subject.model)

    def _message(self, project: ProjectStream, frame: Frame, result: Result, rows: list[Row]) -> Message:
        return project.message(
            frame,
            project=self.subject.project,
            task=self.subject.task,
            model=self.subject.model,
            latency_ms=latency_ms(result),
            results=rows,
        )


def essence(result: Result) -> Hashable:
    """What must differ for a result to be news: the best class, or which classes were found how often.

    Of things that are followed it is which tracks live, so that births and deaths are news and a thing hidden for a
    moment is not; of a segmentation which classes cover more than NEWS_AREA; of an activity the class that is told.
    """
    if isinstance(result, Activity):
        return result.shown
    if isinstance(result, Segmentation):
        return tuple(sorted(result.label_ids[result.areas > NEWS_AREA].tolist()))
    ids: list[int] = result.label_ids.tolist()
    if isinstance(result, Detections):
        return tuple(sorted(ids) if result.alive is None else result.alive.tolist())
    return tuple(ids[:1])


def latency_ms(result: Result) -> dict[str, float]:
    """By stage; the message rounds them."""
    prepare, infer, interpret = result.timings
    return {
        "prepare": prepare * 1000,
        "infer": infer * 1000,
        "interpret": interpret * 1000,
        "total": (prepare + infer + interpret) * 1000,
    }


def painted(frame: Frame, result: Result, labels: tuple[str, ...]) -> Picture:
    """The frame as a BGR picture with the model's results drawn on it. Runs on the viewer's thread, not the loop's."""
    pixels, layout = whole_picture(frame)
    if layout is not PixelFormat.BGR:
        pixels = convert(pixels, layout)
    from inference import overlay  # cv2 is loaded by the first picture that somebody watches

    return overlay.paint(pixels, result, labels)
