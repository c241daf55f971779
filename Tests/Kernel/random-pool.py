#!/usr/bin/env python3
"""random-pool.py DMMETA SEED [faulty]

Does random things to a pool in the machine that $KERNEL names (see build.sh), through three
activations, some of which end in a crash. Every few steps the metadata is kept; each of these
states, and what is left in the end, has to be sound, to be dumped as a plain model of the pool
(randompool.py) has it, and to be repaired without a loss. If the superblock is lost, no other state
may be taken for it in silence. In the end the data is read as well.

faulty: the kernel may give data blocks away that are in use. Then the tools have to name all whose
data is not what was written. Prints what is wrong; status 1 if anything is, 2 if nothing could be
judged. $RANDOM_KEEP keeps the folder.
"""
import copy
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import randompool

HERE = os.path.dirname(os.path.abspath(__file__))
METADATA, DATA, BLOCK = 4 << 20, 64 << 20, 64 << 10
STAGES, STEPS = 3, 36
# What a kernel that counts wrongly, or ends in a crash, may leave.
LEAKS = {"refCountTooHigh", "blockLeaked"}
MISCOUNTS = LEAKS | {"refCountTooLow", "snapshottedTimeTooLow", "allocatedCountWrong"}


class Fault(Exception):
    pass


def tool(*arguments):
    return subprocess.run([dmmeta, *arguments], capture_output=True, text=True, errors="replace")


def mappings(path):
    """{device: {virtual block: data block}} and the transaction id, of a dump."""
    dump = tool("thin_dump", path)
    if dump.returncode:
        raise Fault(f"thin_dump ended with {dump.returncode}: {dump.stderr.strip()}")
    root = xml.etree.ElementTree.fromstring(dump.stdout)

    def entries(element):
        for entry in element:
            if entry.tag == "single_mapping":
                yield int(entry.get("origin_block")), int(entry.get("data_block"))
            elif entry.tag == "range_mapping":
                for i in range(int(entry.get("length"))):
                    yield int(entry.get("origin_begin")) + i, int(entry.get("data_begin")) + i
            else:
                yield from shared[entry.get("name")]

    shared = {}
    for element in root.findall("def"):
        shared[element.get("name")] = list(entries(element))
    found = {int(it.get("dev_id")): dict(entries(it)) for it in root.findall("device")}
    return found, int(root.get("transaction"))


def ranges(found):
    return {block for it in found for block in range(it["first"], it["last"] + 1)}


class State:
    """One state of the metadata, and what the tools say of it."""

    def __init__(self, path, place):
        self.path, self.place = path, place
        run = tool("thin_check", "--format", "json", path)
        self.report = json.loads(run.stdout)
        self.status = run.returncode
        self.rules = {it["rule"] for it in self.report["findings"] if it["severity"] != "note"}
        self.certain, self.possible = set(), set()
        for it in self.report["overwritten_data"]:
            self.certain |= {(it["device"], block) for block in ranges(it["overwritten"])}
            self.possible |= {(it["device"], block) for block in ranges(it["may_be_overwritten"])}
        self.maps, self.transaction = mappings(path)

    def fail(self, text):
        raise Fault(f"{self.place}: {text}")

    def expect_verdict(self, allowed):
        if self.rules - allowed or (self.status != 0) != bool(self.rules):
            self.fail(f"thin_check ended with {self.status}: {sorted(self.rules)}")

    def expect_repair(self):
        output = self.path + ".new"
        with open(output, "wb") as file:
            file.truncate(METADATA)
        run = tool("thin_repair", "-i", self.path, "-o", output)
        if run.returncode or tool("thin_check", output).returncode:
            self.fail(f"thin_repair ended with {run.returncode}: {run.stderr}")
        if mappings(output) != (self.maps, self.transaction):
            self.fail("thin_repair changed mappings")
        count = len(self.maps)
        suffered = {device for device, _ in self.certain | self.possible}
        if f"{count - len(suffered)} of {count} devices are whole" not in run.stderr:
            self.fail(f"not as many are whole: {run.stderr}")
        os.unlink(output)

    def expect_found(self):
        """Without a superblock, this state is found, or what is found is called doubtful."""
        damaged, output = self.path + ".damaged", self.path + ".new"
        shutil.copyfile(self.path, damaged)
        with open(damaged, "r+b") as file:
            file.write(bytes(4096))
        with open(output, "wb") as file:
            file.truncate(METADATA)
        run = tool("thin_repair", "-i", damaged, "-o", output, "--data-block-size",
                   str(randompool.SECTORS), "--transaction-id", str(self.transaction))
        if run.returncode == 0 and "DOUBTFUL" not in run.stderr:
            if mappings(output)[0] != self.maps:
                self.fail(f"without a superblock another state is found: {run.stderr}")
        os.unlink(damaged)
        os.unlink(output)

    def expect_model(self, pool):
        """Same devices and blocks, each allocation on a data block of its own."""
        if self.transaction != pool.transaction:
            self.fail(f"transaction {self.transaction}, not {pool.transaction}")
        if set(self.maps) != set(pool.devices):
            self.fail(f"devices {sorted(self.maps)}, not {sorted(pool.devices)}")
        owners, places = {}, {}
        for id, device in pool.devices.items():
            if set(self.maps[id]) != set(device.blocks):
                other = sorted(set(self.maps[id]) ^ set(device.blocks))
                self.fail(f"device {id} has other blocks mapped: {other[:10]}")
            for block, (allocation, _) in device.blocks.items():
                data = self.maps[id][block]
                if places.setdefault(allocation, data) != data:
                    self.fail(f"device {id}, block {block}: no longer shared")
                owners.setdefault(data, {}).setdefault(allocation, set()).add((id, block))
        for data, them in owners.items():
            # Of all owners but one it has to be said.
            silent = [it for it in them.values() if it - self.certain - self.possible]
            if len(silent) > 1:
                self.fail(f"data block {data} is nobody's: {sorted(them.values(), key=sorted)}")

    def expect_data(self, data, allowed):
        """`allowed`: by device and block, the texts that may be there."""
        for (id, block), texts in allowed.items():
            text = data.text(self.maps[id][block])
            told = (id, block) in self.certain | self.possible
            if text not in texts and not told:
                self.fail(f"device {id}, block {block} has text {text}, not {texts}, unnoticed")
            if text in texts and (id, block) in self.certain:
                self.fail(f"device {id}, block {block} is as it was, and called overwritten")

    def expect_crash(self, pool, data):
        """Every block is as it was at some time since the last commit; the model becomes that."""
        if set(self.maps) != set(pool.devices):
            self.fail(f"devices {sorted(self.maps)}, not {sorted(pool.devices)}")
        allowed, names, maybe = {}, {}, {}
        for id, device in pool.devices.items():
            for block in set(self.maps[id]) | set(device.blocks):
                states = pool.open.get((id, block), [device.blocks.get(block)])
                if block not in self.maps[id]:
                    if None not in states:
                        self.fail(f"device {id}, block {block} was committed and is gone")
                    continue
                if not any(states):
                    self.fail(f"device {id}, block {block} was never mapped since the commit")
                # What was discarded since may have lost its data already.
                allowed[id, block] = {it[1] if it else 0 for it in states}
                allocations = {it[0] for it in states if it}
                place = self.maps[id][block]
                maybe[place] = maybe.get(place, allocations) & allocations
                if not maybe[place]:
                    self.fail(f"data block {place} is of two allocations")
        self.expect_data(data, allowed)
        for id, device in pool.devices.items():
            device.blocks = {
                block: (names.setdefault(place, -1 - place - pool.allocations), data.text(place))
                for block, place in self.maps[id].items()}


class Data:
    def __init__(self, path):
        self.path = path

    def text(self, block):
        """The step that wrote it; 0 where there is none."""
        with open(self.path, "rb") as file:
            file.seek(block * BLOCK)
            head = file.read(16)
        return int(head[3:15]) if head.startswith(b"op ") else 0


class Run:
    def __init__(self, folder, seed, is_faulty):
        self.folder, self.is_faulty = folder, is_faulty
        self.rng = random.Random(seed)
        self.pool = randompool.Pool(self.rng)
        self.disks = [os.path.join(folder, name) for name in ("metadata", "data", "kept")]
        for path, size in zip(self.disks, (METADATA, DATA, 0)):
            with open(path, "wb") as file:
                file.truncate(size)
        self.allowed = MISCOUNTS if is_faulty else set()
        self.judged = 0

    def stage(self, number):
        """Writes a script and makes the model follow it; then it is run, and judged."""
        pool, lines, kept, refused = self.pool, [], [], set()
        parameters = f"metadata={pool.metadata * 8} data={pool.data * randompool.SECTORS}"
        lines += [". /random.sh", "pool || exit 1"]
        lines += [f"step 0 {pool.activation(id)}" for id, it in pool.devices.items() if it.is_on]
        for index in range(1, STEPS + 1):
            step, line, is_refused = pool.next()
            lines.append(f"step {step} {line}")
            if is_refused:
                refused.add(step)
            if index % 6 == 0:
                lines.append(f"step 0 keep {len(kept)}")
                pool.forget()
                kept.append((f"after step {step}", copy.deepcopy(pool)))
        crashes = self.rng.random() < 0.5
        if crashes:
            for _ in range(self.rng.randrange(1, 5)):
                step, line, is_refused = pool.next()
                lines.append(f"step {step} {line}")
                if is_refused:
                    refused.add(step)
        lines += ["crash" if crashes else "teardown; dmsetup remove md"]
        self.boot(number, lines, parameters, len(kept), crashes)
        if not self.expect_steps(refused):
            return False
        goes_on = True
        for index, (place, model) in enumerate(kept):
            state = State(self.copy_kept(index), f"stage {number}, {place}")
            goes_on = self.judge(state, model) and goes_on
        state = State(self.disks[0], f"stage {number}, {'crash' if crashes else 'end'}")
        data = Data(self.disks[1])
        if not crashes:
            goes_on = self.judge(state, pool) and goes_on
            state.expect_data(data, {(id, block): {it[1]} for id, device in pool.devices.items()
                                     for block, it in device.blocks.items()})
        elif goes_on:
            state.expect_verdict(self.allowed | LEAKS)
            state.expect_repair()
            if not state.rules - LEAKS:
                state.expect_crash(pool, data)
            # Leaks stay, and hide nothing; the kernel is used to start on them.
            if state.rules and tool("thin_check", "--auto-repair", state.path).returncode:
                goes_on = False
        pool.forget()
        return goes_on

    def judge(self, state, model):
        """Returns whether the pool is sound, and the model can follow."""
        self.judged += 1
        state.expect_verdict(self.allowed)
        state.expect_model(model)
        if not self.is_faulty and (state.certain or state.possible):
            state.fail("false alarm")
        state.expect_repair()
        if not self.is_faulty:
            state.expect_found()
        return not state.rules

    def expect_steps(self, refused):
        """Whether all was done, and refused, as it should be; with a faulty kernel, it need not."""
        steps = [line.split()[1:] for line in self.output if line.startswith("@@STEP ")]
        for step, result in steps:
            if (result != "0") != (int(step) in refused):
                if self.is_faulty:
                    return False
                raise Fault(f"step {step} ended with {result}")
        return True

    def copy_kept(self, index):
        path = os.path.join(self.folder, "state")
        with open(self.disks[2], "rb") as kept, open(path, "wb") as file:
            kept.seek(index * METADATA)
            file.write(kept.read(METADATA))
            file.truncate(METADATA)
        return path

    def boot(self, number, lines, parameters, kept, crashes):
        script = os.path.join(self.folder, f"stage-{number}.sh")
        with open(script, "w") as file:
            file.write("\n".join(lines) + "\n")
        with open(self.disks[2], "wb") as file:
            file.truncate(max(1, kept) * METADATA)
        work = os.path.join(self.folder, "boot")
        os.makedirs(work, exist_ok=True)
        command = f'. "{HERE}/boot.sh"; boot "$@"'
        status = subprocess.run(
            ["bash", "-c", command, f"{HERE}/boot.sh", work, script, *self.disks],
            env={**os.environ, "PARAMETERS": parameters, "TIMEOUT": "600"}).returncode
        with open(os.path.join(work, "output.txt"), errors="replace") as file:
            self.output = file.read().splitlines()
        shutil.copy(os.path.join(work, "output.txt"),
                    os.path.join(self.folder, f"stage-{number}.txt"))
        wanted = "@@ crash" if crashes else "@@END status=0"
        if status or not any(line.startswith(wanted) for line in self.output):
            print(f"stage {number}: the machine ended with {status}, see {self.folder}")
            sys.exit(2)


dmmeta, seed = sys.argv[1], int(sys.argv[2])
folder = tempfile.mkdtemp(prefix="random.", dir=os.environ["RIG"])
run = Run(folder, seed, "faulty" in sys.argv[3:])
try:
    stages = 0
    while stages < STAGES and run.stage(stages):
        stages += 1
    seen = "" if stages == STAGES else ", then the kernel's fault showed"
    print(f"seed {seed}: {run.pool.step} steps, {run.judged} states{seen}")
except Fault as fault:
    print(f"seed {seed}: FAULT: {fault}")
    sys.exit(1)
finally:
    if not os.environ.get("RANDOM_KEEP"):
        shutil.rmtree(folder)
