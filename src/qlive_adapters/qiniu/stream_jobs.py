"""Streams that the RTC cloud composes or forwards.

Source: the vendor's pages on stream jobs (v4).
"""

from collections.abc import Callable
from urllib.parse import quote

from attrs import frozen

from qlive_adapters.outgoing import Answer, Operation, Vendor
from qlive_adapters.qiniu.api import done, post, vendors_words
from qlive_adapters.qiniu.rtc_rooms import is_nobody_there
from qlive_core.ports.clouds import StreamJob, StreamJobKind, StreamJobs

# Jobs have ids of our choosing, so starting one again does not make another.
_START = Operation("start_job", idempotent=True)
_STOP = Operation("stop_job", idempotent=True)

_WIDTH = 720
_FPS = 25
_KBPS = 1500


@frozen
class QiniuStreamJobs:
    """The jobs of the RTC application ``app_id``; ``publish_url`` tells where a host's stream goes."""

    vendor: Vendor
    app_id: str
    publish_url: Callable[[str], str]

    async def start(self, job: StreamJob) -> None:
        """Start the job, if it does not run."""
        kind = _merge(job) if job.kind is StreamJobKind.MERGE else _forward(job)
        outputs = [{"type": "rtmp", "url": self.publish_url(job.host_id)}]
        body = {"id": job.id, **kind, "outputs": outputs}
        await self.vendor.call(_START, post(self._path(job), body), _started)

    async def stop(self, job: StreamJob) -> None:
        """Stop the job, if it runs."""
        await self.vendor.call(_STOP, post(f"{self._path(job)}/stop", {"id": job.id}), _stopped)

    def _path(self, job: StreamJob) -> str:
        return f"/v4/apps/{self.app_id}/rooms/{quote(job.room_id, safe='')}/jobs"


def _forward(job: StreamJob) -> dict[str, object]:
    return {"type": "simple", "inputs": [{"kind": "media", "userId": user} for user in job.user_ids]}


def _merge(job: StreamJob) -> dict[str, object]:
    """Put people side by side, each in a column as high as a telephone held upright; the vendor wants even sizes."""
    width = _even(_WIDTH / len(job.user_ids))
    height = _even(width * 16 / 9)
    return {
        "type": "basic",
        "inputs": [
            {
                "kind": "media",
                "userId": user,
                "position": {"x": column * width, "y": 0, "w": width, "h": height, "z": 0},
            }
            for column, user in enumerate(job.user_ids)
        ],
        "config": {
            "fps": _FPS,
            "kbps": _KBPS,
            "width": width * len(job.user_ids),
            "height": height,
            "stretchMode": "aspectFill",
        },
    }


def _even(pixels: float) -> int:
    return int(pixels) // 2 * 2


def _started(answer: Answer) -> None:
    # What the vendor says to an id that is in use is not documented; 614 is its status for what exists.
    if answer.status not in (409, 614) and "already" not in vendors_words(answer):
        done(answer)


def _stopped(answer: Answer) -> None:
    if answer.status != 404 and not is_nobody_there(answer):
        done(answer)


_jobs: type[StreamJobs] = QiniuStreamJobs
