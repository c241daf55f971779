"""Runs programs and takes their time, CPU time and peak memory."""
import os
import signal
import statistics
import subprocess


class Run:
    """One run of a program, or the medians of several."""

    def __init__(self, wall, cpu, memory, status):
        self.wall = wall  # seconds
        self.cpu = cpu  # seconds, user and system
        self.memory = memory  # MiB, at the peak
        self.status = status  # negative: ended by that signal

    @property
    def timed_out(self):
        return self.status == -signal.SIGALRM


def run(launch, arguments, limit=0):
    """Runs a program without output; it is ended after `limit` seconds unless that is 0."""
    done = subprocess.run(
        [launch, str(limit), *arguments], capture_output=True, text=True, check=True)
    wall, cpu, memory, status = map(int, done.stdout.split())
    return Run(wall / 1e6, cpu / 1e6, memory / 1024, status)


def median(runs):
    """The medians of several runs; a status that is not 0 stands for all."""
    return Run(
        statistics.median(each.wall for each in runs),
        statistics.median(each.cpu for each in runs),
        statistics.median(each.memory for each in runs),
        next((each.status for each in runs if each.status != 0), 0),
    )


def in_turn(launch, commands, count, before=lambda command: None, limit=0, warm_up=True):
    """Runs each command `count` times, A B A B; returns their medians. `None` is left out.

    `before` is called with a command before each of its runs. A command that ran out of time
    once is not run again.
    """
    runs = [[] for _ in commands]
    for turn in range(-1 if warm_up else 0, count):
        for place, command in enumerate(commands):
            if command is None or (runs[place] and runs[place][-1].timed_out):
                continue
            before(command)
            result = run(launch, command, limit)
            # What is not measured tells at least that it takes too long.
            if turn >= 0 or result.timed_out:
                runs[place].append(result)
    return [median(each) if each else None for each in runs]


def drop_caches(paths):
    """Takes files out of the page cache; returns how."""
    os.sync()
    try:
        with open("/proc/sys/vm/drop_caches", "w") as control:
            control.write("3\n")
        return "`/proc/sys/vm/drop_caches`"
    except OSError:
        for path in paths:
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)
        return "`posix_fadvise` with `POSIX_FADV_DONTNEED` for each file"
