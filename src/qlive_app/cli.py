"""The command ``qlive``."""

import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import click

from qlive_app.command_line import configuration_file, give_up, in_use, load_or_exit
from qlive_app.config import Settings, render_markdown

ELSEWHERE = {
    "backup": ("qlive_app.backup", "Copy the store into FILE, while the server runs or not."),
    "bench": (
        "qlive_app.bench.command",
        "Measure qlive on this machine, beside the bare server stack that it runs on.",
    ),
    "demo": ("qlive_app.demo.command", "Watch two hosts fight a PK, step by step."),
    "fakes": ("qlive_app.fakes.command", "Run the clouds on this machine, to develop without internet."),
    "migrate": ("qlive_app.migrate.command", "Take over the MongoDB database of the original server."),
    "restore": ("qlive_app.backup", "Put the backup in FILE in the place of the store."),
}
"""Commands in modules of their own, with what ``--help`` says of each without loading it."""


class _Commands(click.Group):
    """Loads a command when it is asked for: neither the server nor ``--help`` waits for what the bench imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, _ = ELSEWHERE[cmd_name]
        command: click.Command = getattr(import_module(module), cmd_name)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = {name: summary for name, (_, summary) in ELSEWHERE.items()}
        rows |= {name: command.get_short_help_str(80) for name, command in self.commands.items()}
        with formatter.section("Commands"):
            formatter.write_dl(sorted(rows.items()))


@click.group(
    cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(version("qlive"), prog_name="qlive")
@configuration_file
@click.pass_context
def main(context: click.Context, path: Path) -> None:
    """qlive, a backend for interactive live streaming.

    Without a command it runs the server: the HTTP API on one port, signalling on another, with the store and
    the clouds that the configuration file names.

    \b
    qlive -f qlive.conf              run the server
    qlive check -f qlive.conf        say what is wrong with a configuration, without running it
    qlive demo                       watch two hosts fight a PK, step by step
    qlive migrate -f qlive.conf      take over the MongoDB database of the original server
    qlive backup FILE                copy the embedded store, also while the server runs
    qlive restore FILE               put such a copy in its place, while it does not
    qlive bench                      measure this machine
    qlive fakes                      run the clouds on this machine, to develop without internet

    Stop it with Ctrl-C or SIGTERM: connections are told, and nothing that was answered is lost.
    """  # noqa: D301 -- click reads the \b as "leave these lines as they are"
    if context.invoked_subcommand is None:
        _run(path)


@main.command()
@configuration_file
@click.option("--reference", is_flag=True, help="Print every key with its default and meaning instead.")
def check(path: Path, *, reference: bool) -> None:
    """Check a configuration file.

    Names every problem at once, each with the key and a remedy, and exits with 2 if there is one that stops
    the server. Unknown keys are warnings.
    """
    if reference:
        click.echo(render_markdown())
        return
    loaded = load_or_exit(path)
    for note in loaded.notes:
        click.echo(f"{path}: note: {note}", err=True)
    click.echo(f"{path}: good, with {len(loaded.warnings)} warnings" if loaded.warnings else f"{path}: good")


def _run(path: Path) -> None:
    # Imported late, so that --help and check answer at once.
    import structlog  # noqa: PLC0415
    import uvloop  # noqa: PLC0415

    from qlive_adapters.claims import InUse  # noqa: PLC0415
    from qlive_app.bootstrap import assemble  # noqa: PLC0415
    from qlive_app.runtime.descriptors import raise_limit  # noqa: PLC0415
    from qlive_app.runtime.logs import LogWriter, configure_logs  # noqa: PLC0415
    from qlive_app.runtime.metrics import Metrics  # noqa: PLC0415
    from qlive_app.server import CannotListen, listen, serve  # noqa: PLC0415
    from qlive_core.errors import StoreUnavailable  # noqa: PLC0415

    # The store's thread must get its turn soon; Python's default would let the event loop keep it for 5 ms.
    sys.setswitchinterval(0.0005)
    loaded = load_or_exit(path)
    settings = loaded.settings
    metrics = Metrics()
    logs = configure_logs(settings.debug_level, metrics.logs_dropped.inc)
    # Whoever started us may not read what we say there; the event loop must not wait for them.
    banner = LogWriter(sys.stdout, metrics.logs_dropped.inc)
    try:
        api = listen(settings.listen_addr, "listen_addr")
        signalling = listen(settings.websocket_conf.listen_addr, "websocket_conf.listen_addr")
        assembly = assemble(settings, metrics)

        def ready() -> None:
            # Only now: a start that fails says why in one line, and nothing else.
            raise_limit()
            for note in loaded.notes:
                structlog.get_logger("qlive").warning(
                    "open to strangers", key=note.path, problem=note.message
                )
            banner.write(_banner(settings, api.getsockname()[1], signalling.getsockname()[1]))

        uvloop.run(serve(assembly, api, signalling, ready))
    except InUse as error:
        key = "store.path" if settings.store.provider == "sqlite" else "mongo.database"
        give_up(in_use(path, key, error))
    except (CannotListen, StoreUnavailable) as error:
        give_up(str(error))
    finally:
        banner.close()
        logs.close()


def _banner(settings: Settings, api_port: int, signalling_port: int) -> str:
    host = settings.listen_addr.visitable_host
    ws_host = settings.websocket_conf.listen_addr.visitable_host
    store = settings.store.path if settings.store.provider == "sqlite" else settings.mongo.database
    return "\n".join(
        (
            f"qlive {version('qlive')} is ready",
            f"  API         http://{host}:{api_port}/v1",
            f"  try it      http://{host}:{api_port}/swagger/index.html",
            f"  signalling  ws://{ws_host}:{signalling_port}{settings.websocket_conf.serve_uri}",
            f"  metrics     http://{host}:{api_port}{settings.prometheus.metrics_path}",
            f"  store       {settings.store.provider} ({store})",
            f"  providers   sms {settings.sms.provider}, rtc {settings.rtc.provider}, im {settings.im.provider}",
        )
    )
