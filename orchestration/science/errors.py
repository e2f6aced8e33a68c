"""The two ways in which statistics refuse: bad input, and a fit that must not be used."""


class DataError(ValueError):
    """The input breaks what a function asks for; the message says what was found."""


class NotConverged(RuntimeError):
    """A prediction was asked of a fit whose verdict forbids it; the message is that verdict."""
