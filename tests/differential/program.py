# SPDX-License-Identifier: BSL-1.0
"""The little language of the differential run: its text, and random numbers to write it with.

A program is a list of statements, one a line. Some have blocks, which end in "end":

    lock L0
    body 0                    what a task, or an inline await, runs; body 0 is the main one
      spawn T1 1              T1 = create_task(body 1)
      try
        timeout X1 2
          await T1
        end
      except error            or: cancelled, all
        state T1
        reraise
      finally
        release L0
      end
    end

reference.py and actor.cpp say what each statement does; both print the same lines about it.
"""

OPENERS = {"body", "try", "timeout", "group", "with", "repeat", "soon", "later"}
SECTIONS = {"except", "finally"}


class Statement:
    """An operation with its words; `sections` are its blocks, each with the words it begins with."""

    __slots__ = ("op", "args", "sections", "line")

    def __init__(self, op, *args, sections=None, line=0):
        self.op = op
        self.args = [str(arg) for arg in args]
        self.sections = sections if sections is not None else ([([], [])] if op in OPENERS else [])
        self.line = line

    @property
    def block(self):
        return self.sections[0][1]


def emit(statements, indent=""):
    """The lines of a program."""
    lines = []
    for statement in statements:
        lines.append(indent + " ".join([statement.op, *statement.args]))
        for number, (header, block) in enumerate(statement.sections):
            if number > 0:
                lines.append(indent + " ".join(header))
            lines += emit(block, indent + "  ")
        if statement.sections:
            lines.append(indent + "end")
    return lines


def parse(lines):
    """The statements of a program; each knows the number of its line."""
    top = []
    open_blocks = [top]
    owners = []
    for number, text in enumerate(lines, 1):
        words = text.split()
        if not words:
            continue
        if words[0] == "end":
            owners.pop()
            open_blocks.pop()
        elif words[0] in SECTIONS:
            block = []
            owners[-1].sections.append((words, block))
            open_blocks[-1] = block
        else:
            statement = Statement(words[0], *words[1:], line=number)
            open_blocks[-1].append(statement)
            if statement.sections:
                owners.append(statement)
                open_blocks.append(statement.block)
    return top


class Random:
    """SplitMix64: the same numbers in every version of Python."""

    MASK = (1 << 64) - 1

    def __init__(self, seed):
        self.state = seed & self.MASK

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & self.MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & self.MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & self.MASK
        return z ^ (z >> 31)

    def below(self, end):
        return self.next() % end

    def one_in(self, n):
        return self.below(n) == 0

    def pick(self, choices):
        return choices[self.below(len(choices))]

    def weighted(self, choices):
        """The second of one of the pairs, which come as often as their first says."""
        number = self.below(sum(weight for weight, _ in choices))
        for weight, choice in choices:
            if number < weight:
                return choice
            number -= weight
        raise AssertionError("not reached")
