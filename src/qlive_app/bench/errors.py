"""The one way in which a measurement fails."""


class MeasurementError(Exception):
    """The load met an answer, or a silence, that makes the figures worthless.

    Its notes say what else is known, such as the last words of the server.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.__notes__: list[str] = []
