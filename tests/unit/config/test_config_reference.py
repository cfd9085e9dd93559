"""The configuration reference."""

import re

from qlive_app.config import reference_rows, render_markdown


def test_every_key_is_described() -> None:
    """Each key has a type, a default and a sentence, and appears once."""
    rows = reference_rows()
    assert len({row.path for row in rows}) == len(rows)
    assert all(row.type and row.default and re.fullmatch(r"[A-Z].+\.", row.doc) for row in rows)


def test_facts_that_readers_look_up() -> None:
    """A row has the path, type with unit, default and, where there is one, the environment variable."""
    rows = {row.path: row for row in reference_rows()}
    assert rows["websocket_conf.pong_timeout_s"][1:3] == ("number, s", "20")
    assert rows["listen_addr"].default == '":8080"'
    assert rows["feedback_mail.from"].type == "text"
    assert rows["prometheus.push_interval_s"].doc.endswith("0 and less mean the default.")
    assert "`QINIU_SECRET_KEY`" in rows["rtc.key_pair.secret_key"].doc
    assert "`secert_key`" in rows["rtc.key_pair.secret_key"].doc


def test_markdown() -> None:
    """The table has a line for each key, and no cell breaks it."""
    lines = render_markdown().splitlines()
    assert len(lines) == len(reference_rows()) + 2
    assert {line.count("|") for line in lines} == {5}
