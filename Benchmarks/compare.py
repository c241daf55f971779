"""Compares our program with a peer and prints tables. run.sh says how to call it."""
import argparse
import datetime
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

import inputs
import measure
import moves

HEAD = ("| input | job | wall s | {0} | times | CPU s | {0} | times | MiB | {0} | times |\n"
        "|---|---|" + "--:|" * 9)
TOOLS = ["thin_check", "thin_dump", "thin_restore", "thin_repair", "thin_ls", "thin_rmap",
         "thin_delta", "thin_metadata_pack"]
# What can only be told by reading all mappings, and both programs know.
COUNTS = ("DEV,MAPPED_BLOCKS,EXCLUSIVE_BLOCKS,SHARED_BLOCKS,MAPPED,EXCLUSIVE,SHARED,TRANSACTION,"
          "CREATE_TIME,SNAP_TIME")


def tell(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Bench:
    def __init__(self, options):
        self.options = options
        self.runs = options.runs or (3 if options.mode == "quick" else 5)
        self.has_peer = os.access(options.peer, os.X_OK)
        self.peer_name = self.version(options.peer) if self.has_peer else "no peer"

    def version(self, program):
        done = subprocess.run(
            [program, "thin_check", "-V"], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def both(self, tool, *arguments):
        """The same command for both programs."""
        ours = [self.options.program, tool, *arguments]
        return [ours, [self.options.peer, tool, *arguments] if self.has_peer else None]

    def generate(self, text, path, kind="thin"):
        subprocess.run(
            [self.options.program, f"{kind}_generate_metadata", "-q", "--force", "-o", path,
             *shlex.split(text)],
            check=True)

    def jobs(self, folder, name, text, with_damage=True):
        """Makes an input and yields what is to be done with it: a name, commands, inputs."""
        tell(f"{name} in {folder}")
        image, xml, output, damaged, packed = (
            os.path.join(folder, file) for file in ("image", "xml", "output", "damaged", "packed"))
        self.generate(text, image)
        self.output, self.output_size = output, os.path.getsize(image)
        yield "thin_check", self.both("thin_check", "-q", image), [image]
        yield "thin_dump", self.both("thin_dump", image), [image]
        subprocess.run([self.options.program, "thin_dump", "-o", xml, image], check=True)
        yield "thin_restore", self.both("thin_restore", "-q", "-i", xml, "-o", output), [xml]
        os.remove(xml)
        yield "thin_repair", self.both("thin_repair", "-q", "-i", image, "-o", output), [image]
        if with_damage:
            shutil.copyfile(image, damaged)
            inputs.zero_block(damaged, inputs.find_leaf(damaged))
            yield ("thin_repair, a leaf lost",
                   self.both("thin_repair", "-q", "-i", damaged, "-o", output), [damaged])
            os.remove(damaged)
            yield from self.looks(image)
        yield ("thin_metadata_pack",
               self.both("thin_metadata_pack", "-f", "-i", image, "-o", packed), [image])
        # Ours, whoever packed last: the peer loses blocks of some sizes.
        subprocess.run(
            [self.options.program, "thin_metadata_pack", "-i", image, "-o", packed], check=True)
        yield ("thin_metadata_unpack",
               self.both("thin_metadata_unpack", "-f", "-i", packed, "-o", output), [packed])
        os.remove(packed)
        self.image = image

    def looks(self, image):
        """What only looks at a pool."""
        yield "thin_ls, all counts", self.both("thin_ls", "-o", COUNTS, image), [image]
        yield ("thin_rmap, a block",
               self.both("thin_rmap", "--region", "1000..1001", image), [image])
        everything = f"0..{inputs.data_blocks(image)}"
        commands = self.both("thin_rmap", "--region", everything, image)
        yield f"thin_rmap, everything, {self.line_counts(commands)}", commands, [image]
        yield ("thin_delta, neighbours",
               self.both("thin_delta", "--thin1", "0", "--thin2", "1", image), [image])

    def line_counts(self, commands):
        """How many lines each prints, where that tells how much each does: times are to be seen
        beside them."""
        counts = []
        for command in filter(None, commands):
            with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
                chunks = iter(lambda: process.stdout.read(1 << 20), b"")
                counts.append(sum(chunk.count(b"\n") for chunk in chunks))
        ours, *theirs = [f"{count:,}" for count in counts]
        if not theirs or theirs[0] == ours:
            return f"{ours} lines"
        return f"{ours} lines (peer: {theirs[0]})"

    def in_turn(self, *arguments, **settings):
        return measure.in_turn(self.options.launch, *arguments, **settings)

    def make_output(self, command):
        """Both write to a new file of the input's size, without blocks of its own."""
        if self.output in command:
            with open(self.output, "wb") as file:
                file.truncate(self.output_size)

    def table(self, folder, named, before=None, limits=None, **settings):
        """Measures all jobs on some inputs and prints a table of medians."""
        print(HEAD.format(self.peer_name))
        for name, text in named.items():
            for job, commands, files in self.jobs(folder, name, text):
                def prepare(command):
                    self.make_output(command)
                    if before:
                        before(files)
                results = self.in_turn(commands, self.runs, prepare, **settings)
                print(row(name, job, results), flush=True)
            if limits is not None:
                limit = [self.options.bench, "limit", self.image]
                limits[name] = self.in_turn([limit], self.runs)[0]
            self.clear(folder)

    def arrays(self, folder, named):
        """Measures what is done with caches and era devices; returns what writing takes."""
        print(HEAD.format(self.peer_name))
        writing = {}
        image, xml = (os.path.join(folder, file) for file in ("image", "xml"))
        self.output = os.path.join(folder, "output")
        for name, (kind, text) in named.items():
            tell(f"{name} in {folder}")
            self.generate(text, image, kind)
            self.output_size = os.path.getsize(image)
            subprocess.run([self.options.program, f"{kind}_dump", "-o", xml, image], check=True)
            jobs = [
                ("check", ["-q", image]), ("dump", [image]),
                ("restore", ["-q", "-i", xml, "-o", self.output]),
                ("repair", ["-i", image, "-o", self.output]),
            ]
            if kind == "era":
                jobs.append(("invalidate", ["--written-since", "20", image]))
            for job, arguments in jobs:
                tool = f"{kind}_{job}"
                results = self.in_turn(self.both(tool, *arguments), self.runs, self.make_output)
                print(row(name, tool, results), flush=True)
            copy = [shutil.which("dd"), f"if={image}", f"of={self.output}", "bs=1M", "conv=notrunc"]
            writing[name] = self.in_turn([copy], self.runs, self.make_output)[0]
            self.clear(folder)
        return writing

    def growth(self, folder, named):
        print(f"| pool | job | wall s | {self.peer_name} | times | CPU s | {self.peer_name} | times"
              f" | MiB | {self.peer_name} | times |")
        print("|---|---|" + "--:|" * 9)
        for name, text in named.items():
            for job, commands, _ in self.jobs(folder, name, text, with_damage=False):
                ours = self.in_turn(commands[:1], min(3, self.runs), self.make_output)
                wanted = self.devices(commands[0])
                theirs = self.in_turn(
                    commands[1:], 1, self.make_output, limit=60, warm_up=False)
                works = theirs[0] and theirs[0].status == 0
                found = self.devices(commands[1]) if works else wanted
                if found != wanted:
                    job += f" (peer: {found:,} of {wanted:,} devices)"
                print(row(name, job, ours + theirs, found == wanted), flush=True)
            self.clear(folder)

    def restored(self, folder, named):
        """Measures what is done with metadata that others wrote, and how it is written."""
        print(HEAD.format(self.peer_name))
        image, xml, old_xml = (os.path.join(folder, file) for file in ("image", "xml", "old.xml"))
        self.output = os.path.join(folder, "output")
        for name, text in named.items():
            tell(f"{name} in {folder}")
            self.generate(text, image)
            self.output_size = os.path.getsize(image)
            subprocess.run([self.options.program, "thin_dump", "-o", xml, image], check=True)
            restore = self.both("thin_restore", "-q", "-i", xml, "-o", self.output)
            print(row(name, "thin_restore", self.in_turn(restore, self.runs, self.make_output)))
            inputs.forget_snapshots(xml, old_xml)
            for source, note in (xml, ""), (old_xml, ", no device knows its snapshots"):
                writer = self.options.peer if self.has_peer else self.options.program
                restore = [writer, "thin_restore", "-q", "-i", source, "-o", self.output]
                self.make_output(restore)
                subprocess.run(restore, check=True)
                check = self.both("thin_check", "-q", self.output)
                print(row(name + note, "thin_check", self.in_turn(check, self.runs)), flush=True)
            self.clear(folder)

    def devices(self, command):
        """How many devices a command left in its output, if it has one."""
        if self.output not in command:
            return 0
        dump = [self.options.program, "thin_dump", "-q", "--skip-mappings", self.output]
        with subprocess.Popen(dump, stdout=subprocess.PIPE) as process:
            return sum(line.startswith(b"  <device ") for line in process.stdout)

    def clear(self, folder):
        for file in os.listdir(folder):
            os.remove(os.path.join(folder, file))

    def start_up(self):
        """Each tool's -V, beyond what it takes to start a program that does nothing."""
        nothing = shutil.which("true")
        programs = [[nothing]]
        for tool in TOOLS:
            programs += [command for command in self.both(tool, "-V") if command]
        times = [[] for _ in programs]
        for _ in range(50):
            for place, command in enumerate(programs):
                times[place].append(measure.run(self.options.launch, command).wall * 1000)
        base, *rest = [statistics.median(each) for each in times]
        step = 2 if self.has_peer else 1
        print(f"| tool | ms | {self.peer_name} |\n|---|--:|--:|")
        for index, tool in enumerate(TOOLS):
            cells = [f"{value - base:.2f}" for value in rest[step * index : step * (index + 1)]]
            print(f"| {tool} | {cells[0]} | {cells[1] if self.has_peer else '-'} |")
        floor = measure.run(self.options.launch, [nothing]).memory
        print(f"\n`true` takes {base:.2f} ms, and {floor:.1f} MiB.")


def row(name, job, results, is_same=True):
    """A line of a table: ours, the peer's, and how many times ours the peer's is."""
    ours, theirs = results
    # One that gives up, or makes something else, has not done the same.
    is_fair = is_same and theirs and theirs.status == ours.status
    cells = [name, job + ("" if ours.status == 0 else f" (ours: exit {ours.status})")]
    if theirs and theirs.status > 0:
        cells[1] += f" (peer: exit {theirs.status})"
    elif theirs and theirs.status < 0 and not theirs.timed_out:
        cells[1] += f" (peer: signal {-theirs.status})"
    for kind, digits in (("wall", 3), ("cpu", 3), ("memory", 0)):
        mine = getattr(ours, kind)
        cells.append(f"{mine:.{digits}f}")
        if theirs is None:
            cells += ["-", "-"]
        elif theirs.timed_out:
            cells += ["over 60" if kind == "wall" else "-", "-"]
        else:
            other = getattr(theirs, kind)
            cells += [f"{other:.{digits}f}", f"{other / mine:.1f}" if is_fair and mine else "-"]
    return "| " + " | ".join(cells) + " |"


def machine():
    """The processor, its cores, memory and kernel."""
    with open("/proc/cpuinfo") as file:
        model = next(
            (line.split(":")[1].strip() for line in file if line.startswith("model name")), "?")
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    cores = os.sysconf("SC_NPROCESSORS_ONLN")
    return f"{model}, {cores} cores, {memory:.0f} GiB of memory, Linux {os.uname().release}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=("quick", "full"))
    for name in ("program", "peer", "bench", "launch", "memory", "disk"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--runs", type=int)
    bench = Bench(parser.parse_args())
    options = bench.options
    is_full = options.mode == "full"
    os.makedirs(options.disk, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dmmeta-bench.", dir=options.memory) as memory, \
            tempfile.TemporaryDirectory(prefix="dmmeta-bench.", dir=options.disk) as disk:
        report(bench, memory, disk, is_full)


def report(bench, memory, disk, is_full):
    options = bench.options
    many = {**inputs.SMALL, **inputs.MEDIUM, **(inputs.LARGE if is_full else {})}
    every = {**many, **inputs.RESTORED, **(inputs.GROWTH if is_full else {})}
    print(f"# Speed of dmmeta {bench.version(options.program)} beside thin-provisioning-tools "
          f"{bench.peer_name}\n")
    print(f"{datetime.date.today()}, {machine()}.\n")
    print(f"`Benchmarks/run.sh {options.mode}`: medians of {bench.runs} runs after one that is not "
          "counted, both programs in turn. Wall time and CPU time (user and system) in seconds, "
          "peak memory in MiB; \"times\" is how many times ours the peer's is.\n")
    print("## In memory\n\nInput and output on tmpfs; thin_dump to `/dev/null`.\n")
    limits = {}
    bench.table(memory, many, limits=limits)
    print("\nThe least there is to do: reading all of the same file and checksumming every "
          "block, on all cores.\n\n| input | wall s | CPU s |\n|---|--:|--:|")
    for name, limit in limits.items():
        print(f"| {name} | {limit.wall:.3f} | {limit.cpu:.3f} |")
    print("\n### Restored\n\nWhat is checked was written by the peer, if there is one.\n", flush=True)
    bench.restored(memory, inputs.RESTORED)
    print("\n### Caches and era devices\n", flush=True)
    arrays = {**inputs.ARRAYS_SMALL, **(inputs.ARRAYS_LARGE if is_full else {})}
    writing = bench.arrays(memory, arrays)
    print("\nCopying the same file to one that is new, with `dd`, which is all that writing takes:"
          "\n\n| input | wall s | CPU s |\n|---|--:|--:|")
    for name, copy in writing.items():
        print(f"| {name} | {copy.wall:.3f} | {copy.cpu:.3f} |")
    print("\n## Moving and discarding data\n\nthin_shrink moves all data to the lower half of its "
          "device; dd copies as much there, 8 MiB at a time. Both flush.\n", flush=True)
    moves.report(bench, memory, disk)
    way = []

    def drop(files):
        way[:] = [measure.drop_caches(files)]

    print("\n## From a disk, nothing cached\n", flush=True)
    cold = many if is_full else inputs.MEDIUM
    bench.table(disk, cold, before=drop, warm_up=False)
    print(f"\nThe cache is emptied before each run, through {way[0]}.")
    if is_full:
        print("\n## Growth\n\nOurs: medians of 3. The peer: one run, of a minute at most.\n",
              flush=True)
        bench.growth(memory, inputs.GROWTH)
    print("\n## Start-up\n\n`-V`, beyond what a program takes that does nothing; medians of 50.\n",
          flush=True)
    bench.start_up()
    print("\n## Parts\n\nOne core, in memory; medians of 15.\n", flush=True)
    subprocess.run([options.bench, "parts", memory], check=True)
    print("\n## Inputs\n\nWhat `thin_generate_metadata` makes them of:\n")
    for name, text in every.items():
        print(f"- {name}: `{text}`")
    for name, (kind, text) in arrays.items():
        print(f"- {name}: `{text}`, of `{kind}_generate_metadata`")


main()
