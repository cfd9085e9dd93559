"""``qlive fakes``: the clouds on this machine."""

import asyncio
import json
import re
import signal
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import click

from qlive_app.command_line import give_up
from qlive_app.fakes.configuration import clouds, whole
from qlive_app.fakes.qiniu import FakeQiniu
from qlive_app.fakes.rongcloud import Delivery, FakeRongCloud
from qlive_app.fakes.serving import Call, Fake

_Command = TypeVar("_Command", bound=Callable[..., Any])
# What is said every few seconds to and by everybody who is there.
_HEARTBEAT = re.compile(r"\S+ to \S+: p[io]ng={}( \(and \d+ more\))?")
_WRITTEN_BY_US = "# Written by `qlive fakes`; it is written anew each time.\n"


def _port(name: str, default: int, what: str) -> Callable[[_Command], _Command]:
    return click.option(
        name, type=click.IntRange(0, 65535), default=default, show_default=True, help=f"Port of {what}."
    )


@click.command()
@_port("--qiniu-port", 8091, "the fake of Qiniu")
@_port("--rongcloud-port", 8092, "the fake of RongCloud")
@_port("--rongcloud-backup-port", 8093, "its second address")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address that they listen on.")
@click.option(
    "--application",
    default="http://127.0.0.1:8080",
    show_default=True,
    help="The qlive that the fake of RongCloud calls back.",
)
@click.option(
    "--write-config",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a whole configuration that uses the fakes here.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of faults that come by chance.")
def fakes(
    *,
    qiniu_port: int,
    rongcloud_port: int,
    rongcloud_backup_port: int,
    host: str,
    application: str,
    file: Path | None,
    seed: int,
) -> None:
    """Run the clouds on this machine, to develop without internet.

    Qiniu (short messages, RTC, live streaming, file storage) and RongCloud (chat) as servers that check
    signatures as the vendors do, keep what they are told, and say of each call what they made of it. Port 0
    takes a free one.

    \b
    qlive fakes --write-config fakes.conf      in one terminal
    qlive -f fakes.conf                        in another
    qlive demo --url http://127.0.0.1:8080     in a third, to see what a PK asks of the clouds
    curl -X POST http://127.0.0.1:8080/v1/send_sms_code?phone_number=13900000001
                                               the code appears in the first

    Each call is told in one line, but for heartbeats that go well. The start pages of the fakes show what they
    hold, the last calls, and all that can be done to them with curl:

    \b
    FAKE=http://127.0.0.1:8091
    curl $FAKE/_fake/sms?mobile=13900000001
    curl -d '{"kind": "answer", "path": "/v1/*", "status": 503, "times": 2}' $FAKE/_fake/faults
    curl -d '{"kind": "reset", "probability": 0.1, "times": null}' $FAKE/_fake/faults
    curl -d '{"sms_interval_s": 60}' $FAKE/_fake/knobs
    curl -d '{"ahead_s": 3600}' $FAKE/_fake/clock
    curl -d '{"token": "..."}' $FAKE/_fake/rtc/join

    The fake of RongCloud has clients too; what they send makes it call --application back:

    \b
    FAKE=http://127.0.0.1:8092
    curl -d '{"token": "...", "auto_pong": true}' $FAKE/_fake/clients
    curl -d 'start-pk={"pkRoomID": "ROOM"}' $FAKE/_fake/clients/USER/signal
    curl -d '{"room": "ROOM", "text": "hello"}' $FAKE/_fake/clients/USER/say
    curl "$FAKE/_fake/clients/USER/receive?wait_s=5"
    curl -d '{"copies": 2, "signature": "wrong"}' $FAKE/_fake/callbacks
    """  # noqa: D301 -- click reads the \b as "leave these lines as they are"
    if file is not None and file.exists() and not file.read_text().startswith(_WRITTEN_BY_US):
        give_up(f"{file} exists and was not written by this command; name another file")
    qiniu = FakeQiniu(host=host, port=qiniu_port, seed=seed)
    rongcloud = FakeRongCloud(
        host=host, ports=(rongcloud_port, rongcloud_backup_port), seed=seed, application=application
    )
    asyncio.run(_run(qiniu, rongcloud, application, file))


async def _run(qiniu: FakeQiniu, rongcloud: FakeRongCloud, application: str, file: Path | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    for fake in (qiniu, rongcloud):
        fake.calls.watch = _teller(fake)
    rongcloud.callbacks.watch = _tell_delivery
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(qiniu)
            await stack.enter_async_context(rongcloud)
        except OSError as error:
            give_up(f"{error.strerror}; choose other ports, or 0 for free ones")
        if file is not None:
            _write(file, whole(qiniu, rongcloud, application))
        click.echo(_banner(qiniu, rongcloud, application, file))
        await stop.wait()


def _write(file: Path, configuration: dict[str, Any]) -> None:
    file.write_text(f"{_WRITTEN_BY_US}{json.dumps(configuration, indent=4)}\n")


def _banner(qiniu: FakeQiniu, rongcloud: FakeRongCloud, application: str, file: Path | None) -> str:
    first, second = (each.url for each in rongcloud.listeners)
    lines = [
        "The fakes are ready",
        f"  Qiniu      {qiniu.url}   access key {qiniu.keys.key}, secret key {qiniu.keys.secret}",
        f"  RongCloud  {first}   app key {rongcloud.keys.key}, secret {rongcloud.keys.secret}",
        f"  its backup {second}",
        f"  called back: {application}",
    ]
    if file is not None:
        return "\n".join([*lines, f"  configuration: qlive -f {file}", ""])
    pasted = json.dumps(clouds(qiniu, rongcloud), indent=4)[1:-1].strip("\n")
    return "\n".join(
        [*lines, "", "To use them, put this into qlive.conf, in the place of its sections:", "", pasted, ""]
    )


def _teller(fake: Fake) -> Callable[[Call], None]:
    def tell(call: Call) -> None:
        why = call.answer.why if call.answer is not None else ""
        if call.outcome == "200" and _is_heartbeat(why):
            return
        fault = f" ({call.fault.kind} on request)" if call.fault is not None else ""
        listener = f"#{call.listener}" if len(fake.listeners) > 1 else ""
        _tell(
            f"{fake.NAME}{listener}",
            f"{call.request.method} {call.request.target} {call.outcome}{fault} {call.took_s * 1000:.1f} ms  {why}",
        )

    return tell


def _tell_delivery(delivery: Delivery) -> None:
    if delivery.tries == ("200",) and _is_heartbeat(delivery.event.about):
        return
    _tell("rongcloud", f"called back: {delivery.event.about}  {', '.join(delivery.tries)}")


def _is_heartbeat(what: str) -> bool:
    return _HEARTBEAT.fullmatch(what) is not None


def _tell(who: str, what: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')} {who:11} {what.rstrip()}")
