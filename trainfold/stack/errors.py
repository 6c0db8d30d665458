"""What the local stack raises."""


class StackError(Exception):
    """Its message says what happened, what is left and what to do next."""
