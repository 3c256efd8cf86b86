"""python -m dubgate."""

from dubgate.cli.main import main

main()
