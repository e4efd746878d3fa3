# SPDX-License-Identifier: BSL-1.0
"""What bench_peers has measured, as a Markdown table and as a plot."""

from statistics import median

from programs import LOOP_WORKLOADS, TITLES


# What bounds a workload, and is no rival: a bare loop in C, answers that were made before.
BOUNDS = ("epoll", "libuv, fixed bytes")
MEMORY = ("M1m", "M6m", "M7m")


def is_rate(workload):
    if workload == "M8 rate":  # what is measured is the client's time: its rate is of the same runs
        return True
    return workload.startswith(("M6", "M7")) and workload not in MEMORY and not is_cpu(workload)


def is_cpu(workload):
    """What a request costs the server, where the rate may be the generator's: of the same runs."""
    return workload.endswith(" cpu")


def with_parts(runs):
    """Time and rate of what has both, and each figure of a round trip."""
    times = {f"{workload} cpu": by_name for workload, by_name in runs.items() if is_rate(workload)}
    others = {name: runs[name.split()[0]] for name in ("M8 rate", "M10b mean", "M10b p99") if name.split()[0] in runs}
    return dict(runs) | times | others


def unit(workload):
    if is_rate(workload):
        return "thousand requests a second"
    if is_cpu(workload):
        return "µs of CPU"
    if workload in MEMORY:
        return "bytes"
    if workload.startswith("M10b"):
        return "µs"
    return "µs of CPU" if workload == "M8" else "ns of CPU"


def figure(workload, run):
    if workload == "M8 rate":
        return run["n"] / run["wall"] / 1000
    if "count" in run:
        return run["count"]
    if is_rate(workload):
        return run["rps"] / 1000
    if workload in MEMORY:
        return run["bytes"]
    if workload == "M10b mean":
        return run["wall"] / run["n"] * 1e6
    if workload.startswith("M10b"):
        return run["p99" if workload.endswith("p99") else "p50"] * 1e6
    scale = 1e6 if workload == "M8" or is_cpu(workload) else 1e9
    return run["cpu"] / (run["n"] * (run.get("rounds", 10) if workload == "M5" else 1)) * scale


def title(workload):
    if is_cpu(workload):
        return title(workload.removesuffix(" cpu")) + ", the server's part"
    if workload == "M8 rate":
        return title("M8") + ", its rate"
    if not workload.startswith("M6-"):
        return f"{workload.split()[0]} {TITLES[workload]}"
    _, size, connections = workload.split("-")
    size = "16 KiB" if size == "16384" else f"{size} B"
    return f"M6 TCP echo, {size}, {connections} connection{'s' if connections != '1' else ''}"


def order(runs):
    echoes = [w for w in runs if w.startswith("M6-")]
    served = [w + end for w in ("M7", "M7j", "M7w") for end in ("", " cpu")]
    known = [*LOOP_WORKLOADS, "M10b mean", "M10b p99", *served, "M7m", "M8", "M8 rate", *echoes, "M6m"]
    return [w for w in known if w in runs]


class Row:
    """Medians of a workload by name, ours and rivals', the best of each first."""

    def __init__(self, workload, by_name, ours):
        self.workload = workload
        figures = {name: median(figure(workload, run) for run in runs) for name, runs in by_name.items()}
        ranked = sorted(figures.items(), key=lambda item: item[1], reverse=is_rate(workload))
        self.ours = [(name, value) for name, value in ranked if name.split()[0] in ours]
        self.rivals = [(name, value) for name, value in ranked if name.split()[0] not in ours]

    def best_rival(self):
        """Its name and figure."""
        return next((rival for rival in self.rivals if rival[0] not in BOUNDS), None)

    def times_as_fast(self, compiler):
        """As the best rival, on epoll, in the best of our styles by this compiler; more is better."""
        ours = [value for name, value in self.ours if name.split()[0] == compiler and not name.endswith("io_uring")]
        if not ours or not self.best_rival():
            return None
        ratio = ours[0] / self.best_rival()[1]
        return ratio if is_rate(self.workload) else 1 / ratio


def short(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def listed(figures):
    return ", ".join(f"{name} {short(value)}" for name, value in figures)


def ratios(row, ours):
    found = (row.times_as_fast(compiler) for compiler in ours)
    return " | ".join(f"{ratio:.2f}" if ratio else "" for ratio in found)


def heading(first, ours):
    names = "".join(f" {name} is times as fast |" for name in ours)
    return f"| {first} | unit | ours | rivals, the best first |{names}\n| --- | --- | --- | --- |" + " ---: |" * len(ours)


def table(runs, ours):
    """The ratios are to the best rival: of time, of a rate, of bytes."""
    all_runs = with_parts(runs)
    lines = [heading("workload", ours)]
    for row in (Row(workload, all_runs[workload], ours) for workload in order(all_runs)):
        lines.append(f"| {title(row.workload)} | {unit(row.workload)} | {listed(row.ours)} | {listed(row.rivals)} | "
                     f"{ratios(row, ours)} |")
    for what in ("instructions", "system calls"):
        rows = [Row(w, runs[w], ours) for w in runs if w.startswith(what)]
        lines += ["", heading(f"{what} for one", ours)] if rows else []
        lines += [f"| {title(row.workload.removeprefix(what + ' '))} | {what} | {listed(row.ours)} | "
                  f"{listed(row.rivals)} | {ratios(row, ours)} |" for row in rows]
    return "\n".join(lines) + "\n"


def plot(runs, ours):
    """A bar for each workload: how many times as fast as the best rival, by our first compiler, on a
    logarithmic scale."""
    from math import log10

    rows = [(title(row.workload), row.times_as_fast(ours[0]), row.best_rival()[0])
            for row in (Row(w, runs[w], ours) for w in order(runs)) if row.times_as_fast(ours[0])]
    left, width, step = 330, 420, 22
    height = 50 + step * len(rows)

    def x(ratio):
        return left + width * (log10(min(max(ratio, 0.1), 100)) + 1) / 3

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 150}" height="{height}" '
           'font-family="sans-serif" font-size="12">', '<rect width="100%" height="100%" fill="white"/>']
    for mark in (0.1, 1, 10, 100):
        colour = "black" if mark == 1 else "#ccc"
        out.append(f'<line x1="{x(mark):.0f}" y1="10" x2="{x(mark):.0f}" y2="{height - 30}" stroke="{colour}"/>')
        out.append(f'<text x="{x(mark):.0f}" y="{height - 14}" text-anchor="middle">{mark:g}</text>')
    for i, (name, ratio, rival) in enumerate(rows):
        y = 14 + step * i
        begin, end = sorted((x(1), x(ratio)))
        colour = "#2a7" if ratio >= 1 else "#c63"
        out.append(f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{name.replace("&", "&amp;")}</text>')
        out.append(f'<rect x="{begin:.1f}" y="{y}" width="{end - begin:.1f}" height="15" fill="{colour}"/>')
        out.append(f'<text x="{end + 5:.1f}" y="{y + 12}">{ratio:.2f} {rival}</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"
