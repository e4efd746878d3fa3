# SPDX-License-Identifier: BSL-1.0
"""Counting instructions with callgrind, for whoever measures or checks them."""
import re
import subprocess
import sys

COMMAND = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]


def counted(said):
    """The number in what callgrind says at the end; None if it does not get there."""
    found = re.search(r"Collected : (\d+)", said)
    return int(found[1]) if found else None


def instructions(*command):
    """Of one run of the command, which has to end well."""
    done = subprocess.run([*COMMAND, *command], capture_output=True, text=True)
    count = counted(done.stderr)
    if done.returncode or count is None:
        sys.exit(f"{' '.join(command)}: status {done.returncode}\n{done.stderr[-500:]}")
    return count


def instructions_each(program, name, count):
    """Of one operation, from runs of `program name N` at two N, so that neither start nor set-up
    counts."""
    few, many = (instructions(program, name, str(n)) for n in (count, 2 * count))
    return (many - few) / count
