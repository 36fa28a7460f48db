# SPDX-License-Identifier: MIT
"""python -m nopdb: the command of the same name."""
import os
import sys

from .launch import find_program


def main() -> None:
    """Becomes the command."""
    program = find_program("nopdb")
    if program is None:
        sys.exit("nopdb: the command is not found: install it, or name the "
                 "folder that has it in $NOPDB_BUILD")
    os.execv(program, [program] + sys.argv[1:])


if __name__ == "__main__":
    main()
