"""Numbers of things, as people write them."""


def counted(number: int, noun: str) -> str:
    """Return the number and its noun, which takes an -s: 1 conversation, 2,000 conversations."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
