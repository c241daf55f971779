"""A pool that nothing is wrong with, and random things to do to it: the model of random-pool.py.

Every block of every device stands for an allocation and a text. Blocks that share an allocation are
on one data block, others never are; the text is the number of the step that wrote it.
"""
import copy

SECTORS = 128  # in a data block
VIRTUAL = 600  # blocks that a device starts with
IDS = [*range(15), 16777215]


class Device:
    def __init__(self, size, external=False):
        self.size, self.external, self.is_on = size, external, True
        self.blocks = {}  # virtual block: (allocation, text)


class Pool:
    def __init__(self, rng):
        self.rng, self.devices = rng, {}
        self.data, self.metadata = 768, 512  # blocks of 64 KiB and of 4 KiB
        self.transaction, self.held, self.step = 0, None, 0
        self.allocations = 0
        self.plan = []  # steps that come next
        self.forget()

    def forget(self):
        """What was committed can't be undone by a crash: nothing is open any more."""
        self.open = {}  # (device, block): states that it may come back to

    def used(self):
        used = {one for it in self.devices.values() for one, _ in it.blocks.values()}
        return len(used | (self.held or set()))

    def note(self, device, block, state):
        before = self.devices[device].blocks.get(block)
        self.open.setdefault((device, block), [before]).append(state)

    # Each step returns a line for the machine, and whether the kernel has to refuse it.

    def next(self):
        """One step: (number, line, is it refused?)."""
        kinds = [(self.create, 2), (self.snapshot, 5), (self.write, 9), (self.mark, 5),
                 (self.discard, 6), (self.prune, 4), (self.delete, 1), (self.switch, 2),
                 (self.extend, 1), (self.grow, 1), (self.hold, 2), (self.name, 1),
                 (self.nonsense, 2)]
        while True:
            kind = self.rng.choices([kind for kind, _ in kinds], [it for _, it in kinds])[0]
            if self.plan:
                kind = self.plan.pop(0)
            self.step += 1
            line = kind()
            if line:
                refused = kind == self.nonsense
                if line.startswith(("message", "snapshot", "thin_new", "thin_delete", "transaction",
                                    "grow")) and not refused:
                    self.forget()
                return self.step, line, refused

    def any_on(self):
        on = [id for id, it in self.devices.items() if it.is_on]
        return self.rng.choice(on) if on else None

    def free_id(self):
        free = [id for id in IDS if id not in self.devices]
        return self.rng.choice(free) if free else None

    def create(self):
        id = self.free_id()
        if id is None or len(self.devices) > 6:
            return None
        external = self.rng.random() < 0.2
        self.devices[id] = Device(VIRTUAL, external)
        return f"thin_new {id} {VIRTUAL * SECTORS}{' /dev/mapper/zero' if external else ''}"

    def snapshot(self, origin=None):
        id = self.free_id()
        if id is None or not self.devices:
            return None
        if origin is None:
            origin = self.rng.choice(list(self.devices))
        made = copy.deepcopy(self.devices[origin])
        made.is_on = self.rng.random() < 0.7
        self.devices[id] = made
        external = " /dev/mapper/zero" if made.external else ""
        return f"snapshot {id} {origin}" + (f" {made.size * SECTORS}{external}" if made.is_on else "")

    def write(self):
        id, count = self.any_on(), self.rng.choice([1, 3, 20, 60, 300, 300])
        if id is None or self.used() + count > self.data - 40:
            return None
        first = self.rng.choice([0, self.rng.randrange(self.devices[id].size - count)])
        self.put(id, range(first, first + count))
        return f"fill {id} {first} {count} {self.step}"

    def mark(self):
        id = self.any_on()
        if id is None or self.used() + 1 > self.data - 40:
            return None
        mapped = list(self.devices[id].blocks)
        block = self.rng.choice(mapped or [0]) if self.rng.random() < 0.7 \
            else self.rng.randrange(self.devices[id].size)
        self.put(id, [block])
        return f"mark {id} {block} {self.step}"

    def put(self, id, blocks):
        for block in blocks:
            self.allocations += 1
            state = (self.allocations, self.step)
            self.note(id, block, state)
            self.devices[id].blocks[block] = state

    def discard(self):
        id, count = self.any_on(), self.rng.choice([1, 1, 2, 10, 100])
        if id is None:
            return None
        mapped = sorted(self.devices[id].blocks)
        first = self.rng.choice([*mapped[:1], self.rng.randrange(self.devices[id].size - count)])
        return self.drop(id, first, count)

    def prune(self):
        """Leaves a tree of two leaves with hardly more than fits into one. Often, what more goes
        does so between snapshots: the way in which kernels have counted wrongly."""
        id = self.any_on()
        mapped = sorted(self.devices[id].blocks) if id is not None else []
        if not 253 <= len(mapped) <= 450:
            return None
        count = len(mapped) - self.rng.randrange(169, 172)
        first = self.rng.randrange(1, len(mapped) - count)
        if self.rng.random() < 0.8:
            rest = mapped[:first] + mapped[first + count:]
            for block in self.rng.sample(rest, 5):
                self.plan += [lambda: self.snapshot(id), lambda at=block: self.drop(id, at, 1)]
        return self.drop(id, mapped[first], mapped[first + count - 1] - mapped[first] + 1)

    def drop(self, id, first, count):
        count = min(count, self.devices[id].size - first)
        for block in range(first, first + count):
            if block in self.devices[id].blocks:
                self.note(id, block, None)
                del self.devices[id].blocks[block]
        return f"discard {id} {first} {count}"

    def delete(self):
        if len(self.devices) < 3:
            return None
        id = self.rng.choice(list(self.devices))
        del self.devices[id]
        return f"thin_delete {id}"

    def switch(self):
        """Activates a device, or the other way round."""
        if not self.devices:
            return None
        id = self.rng.choice(list(self.devices))
        self.devices[id].is_on = not self.devices[id].is_on
        return self.activation(id) if self.devices[id].is_on else f"thin_off {id}"

    def activation(self, id):
        it = self.devices[id]
        return f"thin_on {id} {it.size * SECTORS}{' /dev/mapper/zero' if it.external else ''}"

    def extend(self):
        id = self.any_on()
        if id is None or self.devices[id].external:
            return None
        it = self.devices[id]
        it.size += self.rng.randrange(1, 200)
        return f"change thin{id} '{it.size * SECTORS} thin /dev/mapper/pool {id}'"

    def grow(self):
        if self.rng.random() < 0.5 and self.data < 1024:
            self.data += 128
            return f"grow_data {self.data * SECTORS}"
        if self.metadata < 1024:
            self.metadata += 256
            return f"grow_metadata {self.metadata * 8}"
        return None

    def hold(self):
        if self.held is None:
            self.held = {one for it in self.devices.values() for one, _ in it.blocks.values()}
            return "message reserve_metadata_snap"
        self.held = None
        return "message release_metadata_snap"

    def name(self):
        self.transaction += 1
        return f"transaction {self.transaction - 1} {self.transaction}"

    def nonsense(self):
        """What the kernel has to refuse: messages in the wrong order, and about wrong devices."""
        known = list(self.devices)
        choices = [f"transaction {self.transaction + 1} {self.transaction + 2}", "message delete 99",
                   "message create_snap 98 99",
                   "message release_metadata_snap" if self.held is None
                   else "message reserve_metadata_snap"]
        if known:
            choices += [f"message create_thin {self.rng.choice(known)}",
                        f"message create_snap {self.rng.choice(known)} {self.rng.choice(known)}"]
        on = self.any_on()
        if on is not None:
            choices.append(f"message delete {on}")
        return self.rng.choice(choices)
