"""``qlive demo``: watch the main job happen."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import click
import httpx
from rich.console import Console

from qlive_app.children import ChildFailed
from qlive_app.demo.client import PATIENCE_S, Api, Unexpected, Unreachable
from qlive_app.demo.own_server import made_up_phones, own_server
from qlive_app.demo.story import Person, Story, names
from qlive_app.demo.telling import Telling, without_secrets

_HOSTS = 2
_PAUSE_S = 0.7
_OWN_VIEWERS = 3


def _phones(_context: click.Context, _parameter: click.Parameter, value: str) -> list[str]:
    phones = list(dict.fromkeys(each.strip() for each in value.split(",")))
    if len(phones) <= _HOSTS:
        raise click.BadParameter("at least three: two hosts and a viewer")
    return phones


@click.command()
@click.option("--url", help="Play against this server, for example http://localhost:8080.")
@click.option(
    "--phones",
    callback=_phones,
    default="13800000001,13800000002,13800000003",
    show_default=True,
    help="With --url: phones that the server has a fixed code for. The first two are the hosts.",
)
@click.option("--code", default="123456", show_default=True, help="With --url: their fixed code.")
@click.option(
    "--viewers",
    type=click.IntRange(1, 100),
    help="How many people watch.  [default: 3; with --url the rest of the phones]",
)
@click.option("--fast", is_flag=True, help="Do not pause between the steps.")
def demo(*, url: str | None, phones: list[str], code: str, viewers: int | None, fast: bool) -> None:
    """Watch two hosts fight a PK, step by step.

    Ada and Bo log in, go live before an audience, fight a PK and go home. Each step is told as it happens, with
    what went over the wire: → to the server, ← from it. Tokens are shortened.

    It starts a server of its own, on free ports and with nothing on disk that stays. With --url it plays against
    one that runs; the defaults fit the qlive.conf of a fresh clone:

    \b
    qlive -f qlive.conf &
    qlive demo --url http://localhost:8080

    Exits with 1 at the first answer that is not as it should be.
    """  # noqa: D301 -- click reads the \b as "leave these lines as they are"
    telling = Telling(Console(highlight=False), pause_s=0 if fast else _PAUSE_S)
    if url is not None and "://" not in url:
        url = f"http://{url}"
    if url is None:
        play = _on_own_server(_OWN_VIEWERS if viewers is None else viewers, code, telling)
    else:
        play = _on(url, _chosen(phones, viewers), code, telling)
    try:
        asyncio.run(play)
    except Unexpected as exc:
        raise click.ClickException(without_secrets(f"{telling.now}: {exc}")) from exc
    except (Unreachable, ChildFailed) as exc:
        raise click.ClickException(str(exc)) from exc
    telling.end()


def _chosen(phones: list[str], viewers: int | None) -> list[str]:
    if viewers is not None and viewers > len(phones) - _HOSTS:
        raise click.UsageError(
            f"--viewers {viewers} takes {viewers + _HOSTS} --phones, here are {len(phones)}"
        )
    return phones if viewers is None else phones[: viewers + _HOSTS]


async def _on_own_server(viewers: int, code: str, telling: Telling) -> None:
    phones = made_up_phones(viewers + _HOSTS)
    telling.chapter("A server of the demo's own")
    async with AsyncExitStack() as stack:
        async with telling.step("Server", "starts"):
            server = await stack.enter_async_context(own_server(phones, code))
            telling.trace(f"{server.url}, store :memory:, all providers test")
        await _on(server.url, phones, code, telling)
        async with telling.step("Server", "is stopped with SIGTERM"):
            exit_code = await server.child.stop()
            if exit_code:
                raise Unexpected("exit code 0", f"exit code {exit_code}")
            telling.trace("exit code 0")


async def _on(url: str, phones: Sequence[str], code: str, telling: Telling) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S, trust_env=False) as http:
        await _check_ready(http, url)
        people = [
            Person(name, phone, Api(http, telling.trace))
            for name, phone in zip(names(len(phones)), phones, strict=True)
        ]
        await Story(people, code, telling).play()


async def _check_ready(http: httpx.AsyncClient, url: str) -> None:
    try:
        response = await http.get("/readyz")
    except (httpx.TransportError, httpx.InvalidURL) as exc:
        raise Unreachable(f"no server at {url}: {exc}") from exc
    if not response.is_success:
        raise Unreachable(f"no qlive that is ready at {url}: /readyz answers {response.status_code}")
