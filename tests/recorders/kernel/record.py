#!/usr/bin/env python3
"""Plays random sequences of memory operations in nested memory cgroups and records what the kernel makes of them.

Usage: record.py OUT.jsonl.gz [--sequences 200] [--repeats 5] [--jobs 8] [--first-seed 1 | --seeds 79,118] [--work DIR]

A sequence is a node with a limit, `kubepods` in it, pods in that, a container in each pod, processes in the containers and a
daemon beside `kubepods`. A step is one operation by one process, or of the kubelet. After each step: which processes the kernel
has killed and at which cgroup's limit (from its log), and the bytes of each class in each cgroup. Nothing is computed here.
Each sequence is played several times, to see what the kernel itself decides now so and now so; from where it does, nothing is recorded.
Memory that the machine itself runs out of would be reclaimed from our cgroups too: such a run is no evidence and is played again.

Needs root (and CAP_SYS_RESOURCE for negative values of oom_score_adj), the memory controller of cgroup version 1, tmpfs, /dev/kmsg and a C compiler; says what is missing and ends with 77.
"""
import argparse, errno, functools, gzip, json, math, mmap, os, random, re, shutil, signal, subprocess, sys, time, traceback

ROOT = "/sys/fs/cgroup/memory"
PAGE = 4096
HERE = os.path.dirname(os.path.abspath(__file__))
ADJUSTMENTS = [-997, 0, 3, 500, 863, 900, 963, 999, 1000]
DAEMON = [-1000, -999, -999]
LEVELS = ["container", "pod", "kubepods", "node"]
# The kernel writes ten kills in five seconds to its log, and drops what is beyond.
BURST, INTERVAL = 5, 5.2
# Pages that are charged in advance for a cgroup, 64 for each CPU.
GRAIN = 64 * os.cpu_count()
# Free memory of the machine, KiB, below which no run begins, and as much as is made free then.
FREE_LOW, FREE_HIGH = 2 << 20, 4 << 20
# A run that is no evidence is played again so often.
TRIES = 30


class Lost(Exception):
    """The kernel's log does not tell all: this sequence is no evidence."""


def read(path):
    with open(path) as f:
        return f.read()


def write(path, value):
    with open(path, "w") as f:
        f.write(str(value))


class Log:
    """The kernel's log from now on."""

    def __init__(self):
        self.fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self.fd, 0, os.SEEK_END)
        self.at = []

    def kills(self):
        """New kills: the cgroup whose limit was reached, and the victim's pid."""
        found = []
        while True:
            try:
                line = os.read(self.fd, 8192).decode(errors="replace")
            except BlockingIOError:
                break
            except OSError as e:
                if e.errno == errno.EPIPE:
                    raise Lost("the log was overwritten") from e
                raise
            m = re.search(r"oom-kill:constraint=CONSTRAINT_MEMCG.*oom_memcg=([^,]*),task_memcg=[^,]*,task=[^,]*,pid=(\d+)", line)
            if m:
                found.append((m[1], int(m[2])))
                self.at.append(time.time())
        return found

    def pace(self):
        """Waits until the kernel would log another few kills."""
        while len([t for t in self.at if time.time() - t < INTERVAL]) >= BURST:
            time.sleep(0.1)
        self.at = [t for t in self.at if time.time() - t < INTERVAL]


class Process:
    """A worker in a cgroup."""

    size = (0, 0)

    def __init__(self, binary, cgroup, adj, pages):
        self.p = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=lambda: self._enter(cgroup, adj))
        # One that is killed before it has said how large it is was as large as the others.
        Process.size = self.do("s") or Process.size
        self.resident, self.tables = Process.size
        self.do(f"a {pages}")

    @staticmethod
    def _enter(cgroup, adj):
        write(cgroup + "/cgroup.procs", os.getpid())
        write("/proc/self/oom_score_adj", adj)

    def alive(self):
        return self.p.poll() is None

    def do(self, command):
        """Two numbers; None when the process was killed over it."""
        try:
            self.p.stdin.write((command + "\n").encode())
            self.p.stdin.flush()
            line = self.p.stdout.readline().split()
        except BrokenPipeError:
            line = []
        return (int(line[0]), int(line[1])) if len(line) == 2 else None

    def end(self):
        if self.alive():
            self.p.kill()
        self.p.wait()
        self.p.stdin.close()
        self.p.stdout.close()


class Pod:
    def __init__(self, world, index, spec):
        self.spec, self.cg = spec, f"{world.kubepods}/pod{index}"
        self.container, self.containers = None, 0
        self.dir = f"{world.work}/pod{index}"
        self.file, self.tmpfs = f"{self.dir}/disk/file", f"{self.dir}/tmpfs/file"
        self.gone = False
        os.makedirs(f"{self.dir}/disk")
        os.makedirs(f"{self.dir}/tmpfs")
        subprocess.check_call(["mount", "-t", "tmpfs", "-o", f"size={spec['mount'] * PAGE}", "tmpfs", f"{self.dir}/tmpfs"])
        cgroup(self.cg, spec["limit"])
        self.new_container()

    def new_container(self):
        self.container = f"{self.cg}/c{self.containers}"
        self.containers += 1
        cgroup(self.container, self.spec["container"])

    def unmount(self):
        if os.path.ismount(f"{self.dir}/tmpfs"):
            subprocess.check_call(["umount", f"{self.dir}/tmpfs"])


def cgroup(path, limit_pages):
    os.mkdir(path)
    if limit_pages:
        write(path + "/memory.limit_in_bytes", limit_pages * PAGE)


def remove(path):
    for _ in range(100):
        try:
            return os.rmdir(path)
        except OSError:
            time.sleep(0.01)
    raise Lost(f"{path} is busy")


@functools.cache
def lowest():
    """The lowest `oom_score_adj` that this user may set: going below needs CAP_SYS_RESOURCE."""
    mask = int(re.search(r"^CapEff:\s*(\w+)", read("/proc/self/status"), re.M)[1], 16)
    return -1000 if mask & 1 << 24 else 0


def state(path):
    """Pages: anonymous, shmem, file cache, dirty, all that is charged, and of that the kernel's own."""
    for attempt in range(600):
        s = dict(line.split() for line in read(path + "/memory.stat").splitlines())
        pages = lambda key: int(s["total_" + key]) // PAGE
        usage, in_kernel = (int(read(f"{path}/memory.{name}usage_in_bytes")) // PAGE for name in ("", "kmem."))
        # The classes are added up over the CPUs every two seconds or earlier, what is charged is exact: wait until they agree. Then what is left
        # are pages charged in advance, possibly for several cgroups.
        if abs(usage - in_kernel - pages("rss") - pages("cache")) <= (GRAIN if attempt < 550 else 2 * GRAIN):
            return [pages("rss"), pages("shmem"), pages("cache") - pages("shmem"), pages("dirty") + pages("writeback"), usage, in_kernel]
        time.sleep(0.005)
    raise Lost(f"the counters of {path} do not agree")


def disturbances():
    """Pages that the machine has scanned for want of memory of its own, or swapped out; reclaim at the limit of a cgroup is not among them."""
    counts = r"(pgscan_(kswapd|direct|khugepaged|proactive)|pswpout) "
    return sum(int(line.split()[1]) for line in read("/proc/vmstat").splitlines() if re.match(counts, line))


class World:
    def __init__(self, binary, work, log, seed):
        self.rng, self.log, self.binary = random.Random(seed), log, binary
        self.disturbances = disturbances()
        self.work = f"{work}/{os.getpid()}"
        shutil.rmtree(self.work, ignore_errors=True)
        self.node = f"{ROOT}/recorded_{os.getpid()}_{seed}"
        self.kubepods = self.node + "/kubepods"
        self.processes, self.steps, self.pods = [], [], []
        self.shape = self.draw_shape()

    def pages(self, low, high):
        """Even in the logarithm, MiB."""
        return int(math.exp(self.rng.uniform(math.log(low * 256), math.log(high * 256))))

    def draw_shape(self):
        r = self.rng
        node = self.pages(160, 640)
        pods = []
        for _ in range(r.randint(2, 4)):
            container = r.random() < 0.75 and self.pages(40, 160) or 0
            pod = container + r.choice([0, 0, 0, self.pages(4, 32)]) if container else 0
            mount = r.choice([pod or node, self.pages(24, 200)])
            pods.append(dict(container=container, limit=pod, mount=min(mount, pod or node)))
        return dict(node=node, kubepods=int(node * r.uniform(0.75, 0.95)) if r.random() < 0.7 else 0, pods=pods)

    def play(self, steps):
        cgroup(self.node, self.shape["node"])
        cgroup(self.kubepods, self.shape["kubepods"])
        self.pods = [Pod(self, i, spec) for i, spec in enumerate(self.shape["pods"])]
        self.start(-1)
        for pod in range(len(self.pods)):
            for _ in range(self.rng.randint(1, 3)):
                self.start(pod)
        for _ in range(steps):
            self.log.pace()
            self.step()
            if disturbances() != self.disturbances:
                raise Lost("the machine itself ran short of memory, or has swapped")

    def start(self, pod):
        adj = self.rng.choice([a for a in (DAEMON if pod < 0 else ADJUSTMENTS) if a >= lowest()] or [0])
        where = self.node if pod < 0 else self.pods[pod].container
        # All of different sizes, so that no choice between them hangs on a page.
        pages = 300 + 40 * len(self.processes)
        process = Process(self.binary, where, adj, pages)
        process.pod = pod
        self.processes.append(process)
        self.note(["start", pod, adj, process.resident, process.tables, pages])

    def step(self):
        r = self.rng
        alive = [i for i, p in enumerate(self.processes) if p.alive()]
        op = r.choices(["anon", "free", "tmpfs", "file", "read", "rmtmpfs", "rmfile", "kill", "restart", "teardown"], [38, 6, 20, 14, 6, 4, 3, 3, 4, 1])[0]
        if op in ("rmtmpfs", "rmfile", "restart", "teardown"):
            return self.kubelet(op, r.randrange(len(self.pods)))
        chosen = [i for i in alive if self.processes[i].pod >= 0] if op in ("tmpfs", "file", "read", "kill") else alive
        if not chosen:
            return self.kubelet("restart", r.randrange(len(self.pods)))
        i = r.choice(chosen)
        process = self.processes[i]
        pod = self.pods[process.pod] if process.pod >= 0 else None
        n = self.pages(1, 64)
        if op in ("file", "read") and self.is_brimful(pod):
            op = "anon"
        if op == "kill":
            process.end()
            self.note([op, i])
        elif op in ("anon", "free"):
            answer = process.do(f"{op[0]} {n}")
            self.note([op, i, answer[0] if answer else n])
        elif op == "read":
            size = os.path.getsize(pod.file) // PAGE if os.path.exists(pod.file) else 0
            process.do(f"r {pod.file}")
            self.note([op, i, size])
        else:
            answer = process.do(f"w {n} {pod.tmpfs if op == 'tmpfs' else pod.file}") or (-1, 0)
            self.note([op, i, n, answer[0], errno.errorcode.get(answer[1], "")])

    def is_brimful(self, pod):
        """Whether there is next to no room for page cache. Then a file's page kills as any other would, which is another question."""
        for path, limit in ((pod.container, pod.spec["container"]), (pod.cg, pod.spec["limit"]), (self.kubepods, self.shape["kubepods"]), (self.node, self.shape["node"])):
            _, _, file, _, usage, _ = state(path)
            if limit and limit - (usage - file) < 512:
                return True
        return False

    def kubelet(self, op, index):
        pod = self.pods[index]
        if pod.gone:
            return
        if op in ("rmtmpfs", "rmfile"):
            path = pod.tmpfs if op == "rmtmpfs" else pod.file
            if os.path.exists(path):
                os.unlink(path)
            return self.note([op, index])
        for process in self.processes:
            if process.pod == index:
                process.end()
        remove(pod.container)
        if op == "teardown":
            pod.gone = True
            pod.unmount()
            shutil.rmtree(pod.dir)
            remove(pod.cg)
            return self.note([op, index])
        pod.new_container()
        self.note([op, index])
        self.start(index)

    def note(self, step):
        kills = self.settle()
        cgroups = [self.node, self.kubepods] + [None if p.gone else p.cg for p in self.pods]
        self.steps.append(step + [kills, [state(c) if c else None for c in cgroups]])

    def settle(self):
        """Waits until the victims are gone; who they are and whose limit was reached."""
        kills, quiet = [], 0
        while quiet < 3:
            new = self.log.kills()
            for path, pid in new:
                index = next((i for i, p in enumerate(self.processes) if p.p.pid == pid), None)
                if index is None:
                    continue
                self.processes[index].p.wait(5)
                depth = path.split(os.path.basename(self.node), 1)[1].count("/")
                kills.append([index, LEVELS[3 - depth]])
            quiet = 0 if new else quiet + 1
            time.sleep(0.004)
        known = {k[0] for k in kills}
        for i, p in enumerate(self.processes):
            if p.p.poll() == -signal.SIGKILL and not hasattr(p, "noted"):
                p.noted = True
                if i not in known and p.p.stdin and not p.p.stdin.closed:
                    raise Lost(f"process {i} died without a record")
        return kills

    def close(self):
        for process in self.processes:
            process.end()
        for pod in self.pods:
            pod.unmount()
        shutil.rmtree(self.work, ignore_errors=True)
        for path, _, _ in os.walk(self.node, topdown=False):
            remove(path)


def missing():
    if os.geteuid() != 0:
        return "root"
    if not os.path.exists(ROOT + "/memory.limit_in_bytes"):
        return f"the memory controller of cgroup version 1 at {ROOT}"
    if "\ttmpfs" not in read("/proc/filesystems"):
        return "tmpfs"
    if not os.access("/dev/kmsg", os.R_OK):
        return "/dev/kmsg"
    if len(read("/proc/swaps").splitlines()) > 1:
        return "a machine without swap"
    return None if shutil.which("cc") else "a C compiler"


def free_kib():
    return int(re.search(r"^MemFree:\s*(\d+)", read("/proc/meminfo"), re.M)[1])


def make_room():
    """Has the machine give up caches for memory that is then given back: free memory, not cache, is what our cgroups grow into."""
    if os.fork() == 0:
        room = mmap.mmap(-1, FREE_HIGH << 10)
        for at in range(0, len(room), PAGE):
            room[at] = 1
        os._exit(0)
    os.wait()


def run(binary, out, a, seed):
    """One run in a process of its own; leaves it in a file. Exit status 1: no evidence."""
    world = None
    try:
        world = World(binary, os.path.abspath(a.work), Log(), seed)
        world.play(a.steps)
        with open(out + ".part", "w") as f:
            json.dump(dict(seed=seed, **world.shape, steps=world.steps), f, separators=(",", ":"))
        os.rename(out + ".part", out)
        status = 0
    except Lost as why:
        print(f"seed {seed} is played again: {why}", file=sys.stderr)
        status = 1
    finally:
        if world:
            world.close()
    return status


def play_all(binary, a, seeds):
    """All runs, so many at a time; those of a seed in order, where all of them are evidence. Runs that an earlier call has left are kept."""
    out = lambda task: f"{a.work}/run-{task[0]}-{task[1]}.json"
    todo = [(seed, repeat) for seed in seeds for repeat in range(a.repeats) if not os.path.exists(out((seed, repeat)))]
    tries, running = dict.fromkeys(todo, 0), {}
    while todo or running:
        if todo and len(running) < a.jobs and free_kib() > FREE_LOW:
            task = todo.pop(0)
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    status = run(binary, out(task), a, task[0])
                except Exception:
                    traceback.print_exc()
                finally:
                    os._exit(status)
            running[pid] = task
            continue
        if not running:
            make_room()
            continue
        pid, status = os.wait()
        task = running.pop(pid)
        tries[task] += 1
        if status and tries[task] < TRIES:
            todo.append(task)
    runs = {seed: [json.loads(read(out((seed, r)))) for r in range(a.repeats) if os.path.exists(out((seed, r)))] for seed in seeds}
    return {seed: found for seed, found in runs.items() if len(found) == a.repeats}


def asked(step):
    """What was asked for, and who was killed over it, without what was measured."""
    return ([step[i] for i in (0, 1, 2, 5)] if step[0] == "start" else step[:-2][:3]) + step[-2:-1]


def merged(runs):
    """The steps of the first run with the states of all: the first's, and by how much each of the others differs. Up to where they part."""
    steps, longest = [], max(len(run["steps"]) for run in runs)
    for same in zip(*(run["steps"] for run in runs)):
        if any(asked(step) != asked(same[0]) for step in same):
            break
        of_all = zip(*(step[-1] for step in same))
        states = [first and [first] + [[b - a for a, b in zip(first, other)] for other in others] for first, *others in of_all]
        steps.append(same[0][:-1] + [states])
    shape = {key: value for key, value in runs[0].items() if key != "steps"}
    return dict(shape, parted=len(steps) < longest, steps=steps)


def read_ahead_kib(path):
    """How far ahead the machine reads files in this directory: folios of a file that is read are as large as this, 2 MiB at most."""
    dev = os.stat(path).st_dev
    return int(read(f"/sys/class/bdi/{os.major(dev)}:{os.minor(dev)}/read_ahead_kb"))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out")
    p.add_argument("--sequences", type=int, default=200)
    p.add_argument("--repeats", type=int, default=5)
    p.add_argument("--jobs", type=int, default=8)
    p.add_argument("--steps", type=int, default=25)
    p.add_argument("--first-seed", type=int, default=1)
    p.add_argument("--seeds", help="these and no others")
    p.add_argument("--work", default="kernel-work")
    a = p.parse_args()
    lacks = missing()
    if lacks:
        print(f"skipped: needs {lacks}", file=sys.stderr)
        sys.exit(77)
    os.makedirs(a.work, exist_ok=True)
    binary = f"{os.path.abspath(a.work)}/worker"
    subprocess.check_call(["cc", "-O1", "-static", "-o", binary, f"{HERE}/worker.c"])
    subprocess.run([binary], stdin=subprocess.DEVNULL, check=True)  # its file pages are charged to us, not to a container
    seeds = [int(seed) for seed in a.seeds.split(",")] if a.seeds else list(range(a.first_seed, a.first_seed + a.sequences))
    runs = play_all(binary, a, seeds)
    for seed in sorted(set(seeds) - set(runs)):
        print(f"seed {seed} is left out", file=sys.stderr)
    lines = [json.dumps(merged(found), separators=(",", ":")) for found in runs.values()]
    head = json.dumps(dict(kernel=os.uname().release, cgroup="v1", page=PAGE, cpus=os.cpu_count(), lowest_adj=lowest(), read_ahead_kib=read_ahead_kib(a.work), repeats=a.repeats, columns=["anon", "shmem", "file", "dirty", "usage", "kernel"]))
    with open(a.out, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=9, mtime=0, filename="") as f:
        f.write("\n".join([head, *lines, ""]).encode())


if __name__ == "__main__":
    main()
