# SPDX-License-Identifier: BSL-1.0
"""What a request costs in instructions and in system calls, from runs of two lengths: neither start nor
set-up counts."""
import re
import subprocess
import tempfile

from callgrind import COMMAND as CALLGRIND
from callgrind import counted as instructions_in

STRACE = ["strace", "-f", "-c", "-U", "calls,name"]
# By what is counted: the tool, and the number in what it says at its end.
TOOLS = {
    "instructions": (CALLGRIND, instructions_in),
    "system calls": (STRACE, lambda said: int(re.search(r"^\s*(\d+)\s+total$", said, re.M)[1])),
}


def of_command(what, command, sizes, **options):
    """For one operation of `command(N)`, at two N."""
    tool, number_in = TOOLS[what]
    few, many = (number_in(subprocess.run([*tool, *command(size)], capture_output=True, text=True, timeout=600,
                                          **options).stderr) for size in sizes)
    return (many - few) / (sizes[1] - sizes[0])


def of_server(what, server, load, durations):
    """For one request to `server(before, said)`; `load(process, port, seconds)` says how many it made."""
    tool, number_in = TOOLS[what]

    def run(seconds):
        with tempfile.TemporaryFile("w+") as said:
            with server(tool, said) as (process, port):
                requests = load(process, port, seconds)
            said.seek(0)
            return requests, number_in(said.read())

    (few, first), (many, second) = map(run, durations)
    return (second - first) / (many - few)
