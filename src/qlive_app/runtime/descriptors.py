"""File descriptors: as many as the system allows, and a word to the operator when there are none left.

The event loop accepts and closes whoever comes then, so that nobody waits in vain and the loop does not spin. It says
nothing about that; therefore this looks.
"""

import asyncio
import os
import resource
from collections.abc import Callable

import structlog

_LOOK_INTERVAL_S = 1.0
_SAY_AGAIN_S = 60.0


def raise_limit() -> int:
    """Raise the limit of open descriptors to the hard limit, log it, and return what is in force."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    raised, refusal = soft, ""
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            raised = hard
        except (ValueError, OSError) as error:  # some systems name a hard limit that they do not grant
            refusal = str(error)
    log = structlog.get_logger("qlive")
    log.info("descriptor limit", limit=raised, before=soft, **({"refused": refusal} if refusal else {}))
    return raised


async def watch_descriptors(count: Callable[[], None], report_trouble: Callable[[str, str], None]) -> None:
    """Look every second whether a descriptor is free until cancelled; count, report and log when there is none."""
    log = structlog.get_logger("qlive")
    loop = asyncio.get_running_loop()
    none_left, say_at = False, 0.0
    while True:
        free = _is_one_free()
        if not free:
            count()
            report_trouble("descriptors", "none left; new connections are closed at once")
            if loop.time() >= say_at:
                log.error("no file descriptor left", limit=resource.getrlimit(resource.RLIMIT_NOFILE)[0])
                say_at = loop.time() + _SAY_AGAIN_S
        elif none_left:
            report_trouble("descriptors", "")
            log.info("file descriptors are free again")
        none_left = not free
        await asyncio.sleep(_LOOK_INTERVAL_S)


def _is_one_free() -> bool:
    try:
        os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
