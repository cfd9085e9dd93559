"""The way from a configuration file to settings that can be relied on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Never

import attrs

from qlive_app.config.consistency import check_consistency
from qlive_app.config.parse import ParseError, parse
from qlive_app.config.problems import ConfigError, Problem, Report
from qlive_app.config.reading import Reader
from qlive_app.config.settings import Settings


@attrs.frozen
class Loaded:
    """Settings that passed every check, and what the operator should still know about them.

    `warnings` are odd; `notes` are fine for trying out, and a danger where strangers are.
    """

    settings: Settings
    warnings: tuple[Problem, ...]
    notes: tuple[Problem, ...] = attrs.field(default=(), eq=False)


def load_settings(path: Path, environ: Mapping[str, str]) -> Loaded:
    """Read the configuration file at `path`; raise `ConfigError` with all problems at once.

    `environ` fills credentials that the file leaves empty (the keys' descriptions name the variables).
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        _give_up(str(path), "", f"cannot be read: {error.strerror}", "name a readable file with -f")
    except UnicodeDecodeError as error:
        _give_up(str(path), "", f"is not UTF-8 text, at byte {error.start}", "save it as UTF-8")
    return read_settings(text, environ, source=str(path))


def read_settings(text: str, environ: Mapping[str, str], *, source: str) -> Loaded:
    """Do as `load_settings` with the text of a file that errors call `source`."""
    try:
        document = parse(text)
    except ParseError as error:
        place = f"line {error.line}, column {error.column}"
        _give_up(source, place, error.reason, "correct the file there or just before")
    if not isinstance(document, dict):
        _give_up(source, "", "is not a configuration", "put all keys between { and }")
    report = Report()
    settings = _checked(Reader(environ, report), document)
    warnings = tuple(sorted(report.warnings, key=lambda warning: warning.path))
    if report.problems:
        raise ConfigError(source, report.problems, warnings)
    return Loaded(settings, warnings, tuple(report.notes))


def _checked(reader: Reader, document: object) -> Settings:
    settings = _with_store(reader.read(Settings, document), reader)
    check_consistency(settings, reader.report)
    return settings


def _with_store(settings: Settings, reader: Reader) -> Settings:
    """Let a MongoDB server that is given without a word about the store be the store."""
    if "store.provider" in reader.given:
        return settings
    if settings.mongo.uri:
        return attrs.evolve(settings, store=attrs.evolve(settings.store, provider="mongo"))
    if "mongo.database" in reader.given:
        reader.report.warn("mongo", "has no uri and is not used", "give mongo.uri or remove the section")
    return settings


def _give_up(source: str, path: str, message: str, remedy: str) -> Never:
    # `from None`: what went wrong before may quote the file, secrets included.
    raise ConfigError(source, [Problem(path, message, remedy)]) from None
