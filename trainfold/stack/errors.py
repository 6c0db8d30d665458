"""The error of the local stack."""


class StackError(Exception):
    """The message says what happened, what is left behind and what to do next."""
