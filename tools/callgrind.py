# SPDX-License-Identifier: BSL-1.0
"""Counting with callgrind, for whoever measures or checks what something costs."""
import re
import subprocess
import sys
import tempfile

COMMAND = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
ALLOCATES = ("malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign")


def counted(said):
    """The number in what callgrind says at the end, of all its processes; None if it does not get there."""
    found = re.findall(r"Collected : (\d+)", said)
    return sum(map(int, found)) if found else None


def allocations(profile):
    """How often what callgrind has written says that the heap was asked."""
    names, callee, calls = {}, "", 0
    for line in profile:
        if found := re.match(r"c?fn=\((\d+)\)(?: (.*))?", line):
            number, name = found.groups()
            names.setdefault(number, name)
            if line.startswith("cfn"):
                callee = names[number]
        elif line.startswith("calls=") and callee in ALLOCATES:
            calls += int(line[6:].split()[0])
    return calls


def counts(*command):
    """Instructions and allocations of one run of the command, which has to end well."""
    with tempfile.NamedTemporaryFile("r", suffix=".callgrind") as profile:
        done = subprocess.run([*COMMAND, f"--callgrind-out-file={profile.name}", *command], capture_output=True,
                              text=True)
        count = counted(done.stderr)
        if done.returncode or count is None:
            sys.exit(f"{' '.join(command)}: status {done.returncode}\n{done.stderr[-500:]}")
        return count, allocations(profile)


def instructions(*command):
    return counts(*command)[0]


def counts_each(program, name, count):
    """Of one operation, from runs of `program name N` at two N, so that neither start nor set-up
    counts."""
    few, many = (counts(program, name, str(n)) for n in (count, 2 * count))
    return tuple((m - f) / count for f, m in zip(few, many))
