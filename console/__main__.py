"""`python -m console`: a program of its own, which the local stack and `trainfold console` run."""

from console.command_line import main

main()
