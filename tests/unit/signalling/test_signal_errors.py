"""Every request and every error: what is the user's fault is told, and what is not lets every app go on."""

import pytest

from qlive_app.signalling.errors import CODES, code_of
from qlive_core.errors import QliveError, Refused, Stale
from qlive_core.signalling import AnswerPk, EndPk, Request, SignalCode, StartPk, message_types

REQUESTS = [cls for cls in message_types().values() if issubclass(cls, Request)]
ENDS_NO_LIVE = {10011, 10012, 10013}
"""The first Android app ends its live on every other code to a request about a PK."""
KNOWN_TO_ANDROID = ENDS_NO_LIVE | {10016, 10031}


def subclasses(of: type[QliveError]) -> list[type[QliveError]]:
    return [of, *(each for child in of.__subclasses__() for each in subclasses(child))]


def made(cls: type[Exception]) -> Exception:
    error = cls.__new__(cls)
    Exception.__init__(error)
    return error


REFUSALS = subclasses(Refused)
FAILURES: list[type[Exception]] = [cls for cls in subclasses(QliveError) if not issubclass(cls, Refused)] + [
    TimeoutError,
    KeyError,
]


@pytest.mark.parametrize("failure", FAILURES)
def test_the_first_apps_go_on_after_a_failure(failure: type[Exception]) -> None:
    """They hear a code that they know, and about a PK one on which none of them ends its live."""
    for request_class in REQUESTS:
        code = code_of(made(failure), request_class, has_announced=False)
        about_pk = request_class in (StartPk, AnswerPk, EndPk)
        assert code in (ENDS_NO_LIVE if about_pk else KNOWN_TO_ANDROID), request_class


@pytest.mark.parametrize("failure", FAILURES)
def test_new_apps_are_told_to_try_again(failure: type[Exception]) -> None:
    """Whatever failed."""
    codes = {code_of(made(failure), request_class, has_announced=True) for request_class in REQUESTS}
    assert codes == {SignalCode.TRY_AGAIN}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_what_is_refused_has_one_code_for_everybody(refusal: type[Exception]) -> None:
    """It is the code of the nearest class, and never that of a failure."""
    codes = {
        code_of(made(refusal), request_class, has_announced=each)
        for request_class in REQUESTS
        for each in (False, True)
    }
    assert codes == {next(CODES[cls] for cls in refusal.__mro__ if cls in CODES)}
    assert SignalCode.TRY_AGAIN not in codes


def test_a_lost_race_is_a_failure() -> None:
    """Nobody has done anything wrong."""
    assert code_of(Stale("Pk", "x"), StartPk, has_announced=False) is SignalCode.ROOM_IN_PK
