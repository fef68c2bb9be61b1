#!/usr/bin/env python3
"""Records the configuration keys of Spark releases and writes them as the catalogue's data files.

record.py dump JARS OUT.tsv            what one release says: JARS is the folder `jars` of a PySpark installation
record.py merge OUT_DIR VERSION=OUT.tsv ...   spark-keys.tsv and spark-old-names.tsv, from dumps, oldest first

`dump` needs Java 17 with javac. Spark's texts stay in the dumps: no sentence of them goes into the catalogue.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROWS = ("entry", "transport", "old", "dropped")
SIZES = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
TIMES = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000))
# Read by name, without an entry that could be recorded: kind, default, since.
NAMED = {
    "spark.app.id": ("text", "*", (1, 0)),
    "spark.app.name": ("text", "*", (0, 9)),
    "spark.driver.defaultJavaOptions": ("text", "?", (3, 0)),
    "spark.executor.defaultJavaOptions": ("text", "?", (3, 0)),
    "spark.jars.ivySettings": ("text", "?", (2, 2)),
    "spark.local.dir": ("text", "/tmp", (0, 5)),
    "spark.master": ("text", "?", (0, 9)),
    "spark.python.worker.memory": ("size-m", "512m", (1, 1)),
    "spark.shuffle.service.index.cache.size": ("size-b", "100m", (2, 3)),
}
# What a machine puts in is no default of Spark.
OF_THE_MACHINE = {"spark.sql.session.timeZone"}


def dump(jars, out):
    with tempfile.TemporaryDirectory() as classes:
        path = f"{jars}/*"
        subprocess.run(["javac", "-nowarn", "-cp", path, "-d", classes, HERE / "ConfRecorder.java"], check=True, stderr=subprocess.DEVNULL)
        ran = subprocess.run(["java", "-cp", f"{classes}:{path}", "ConfRecorder", jars], check=True, capture_output=True, text=True)
    # Spark's log may share standard output.
    rows = [line for line in ran.stdout.splitlines() if line.split("\t", 1)[0] in ROWS]
    pathlib.Path(out).write_text("\n".join(sorted(rows)) + "\n")


def minor(version):
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else None


def whole(number, units):
    """A number in the largest unit that leaves it whole."""
    for unit, size in units:
        if number and number % size == 0:
            return f"{number // size}{unit}"
    return None


def plain(value, kind):
    """A default as people write it: 5242880b is 5m, 3000ms is 3s."""
    if kind == "size-b" and (found := re.fullmatch(r"(\d+)b?", value)):
        return whole(int(found[1]), reversed(SIZES.items())) or found[1]
    if kind == "time-ms" and (found := re.fullmatch(r"(\d+)ms", value)):
        return whole(int(found[1]), TIMES) or value
    return value


def cell(key, kind, value):
    """`?` unset, `*` computed, `=KEY` falls back; a literal that begins like these gets a quote."""
    if key in OF_THE_MACHINE or value == "<default function>":
        return "*"
    if value == "<undefined>":
        return "?"
    if found := re.fullmatch(r"<value of (\S+)>", value):
        return "=" + found[1]
    value = plain(value, kind)
    return "'" + value if value[:1] in tuple("?*=!'@") else value


def guess(value):
    """The kind of a transport key, from its default."""
    if value in ("true", "false"):
        return "bool"
    if re.fullmatch(r"-?\d+", value):
        return "int"
    if re.fullmatch(r"\d+s", value):
        return "time-s"
    return "size-b" if re.fullmatch(r"\d+[kmg]", value) else "text"


def read(path):
    """Entries as key -> (kind, default, since), old names as old -> (new, sample, since), dropped keys."""
    entries, transport, old, dropped = {}, {}, {}, {}
    for line in pathlib.Path(path).read_text().splitlines():
        cells = line.split("\t")
        if cells[0] == "entry":
            _, key, kind, value, since, others, *_ = cells + [""] * 8
            entries[key] = (kind, cell(key, kind, value), minor(since))
            for name in filter(None, others.split(",")):
                old[name] = (key, "7", None)
        elif cells[0] == "transport":
            kind = guess(cells[2])
            transport[cells[1]] = (kind, cell(cells[1], kind, cells[2]) or "?", None)
        elif cells[0] == "old":
            old[cells[1]] = (cells[2], cells[3], minor(cells[4]))
        elif cells[0] == "dropped":
            dropped[cells[1]] = minor(cells[2])
    return {**NAMED, **transport, **entries}, old, dropped


def text(version):
    return f"{version[0]}.{version[1]}" if version else ""


def key_row(key, releases):
    """Kind, first version, and each step of the default."""
    steps, last, kind, first, since = [], None, "text", None, None
    for version, entries in releases:
        found = entries.get(key)
        if found:
            kind, value, since = found[0], found[1], found[2] or since
            first = first or version
        else:
            value = "!" if first else None
        if value is not None and value != last:
            steps.append(value if version == first and last is None else f"@{text(version)} {value}")
            last = value
    # Spark's own word goes before the first record: some keys were read by name before they became entries.
    if first != releases[0][0]:
        since = min(since or first, first)
    return "\t".join([key, kind, text(since), *steps])


def old_row(name, releases):
    """A name that is read for another one, and in which releases; or one that was dropped and is no entry."""
    reading = [(version, names_of[name]) for version, _, names_of, _ in releases if name in names_of]
    since = next((dropped[name] for _, _, _, dropped in releases if name in dropped), None)
    if not reading:
        entry = any(name in entries for _, entries, _, _ in releases)
        return None if entry else "\t".join([name, "", "", text(since), "", ""])
    new, sample, deprecated = reading[-1][1]
    form = sample.replace("7", "{}", 1) if "7" in sample else "{}"
    first = "" if reading[0][0] == releases[0][0] else text(reading[0][0])
    after = [version for version, *_ in releases if version > reading[-1][0]]
    return "\t".join([name, new, "" if form == "{}" else form, text(deprecated or since), first, text(after[0]) if after else ""])


def merge(out, dumps):
    read_all = [(minor(version), *read(path)) for version, path in dumps]
    releases = [(version, entries) for version, entries, _, _ in read_all]
    keys = sorted({key for _, entries in releases for key in entries})
    names = ", ".join(version for version, _ in dumps)
    head = f"# Recorded from Spark {names} (PySpark of the Python package index) by tests/recorders/spark_conf.\n"
    rows = [key_row(key, releases) for key in keys]
    form = "# key, kind, first version, then defaults: from the first version on, and after each @VERSION.\n"
    form += "# ? unset, * computed, =KEY that key's value, ! removed; ' before a literal that begins like these.\n"
    pathlib.Path(out, "spark-keys.tsv").write_text(head + form + "\n".join(rows) + "\n")
    head += "# old name, name now (none: never read), what the value becomes ({} is the number), deprecated since, read from, read until before.\n"
    rows = [old_row(name, read_all) for name in sorted({name for _, _, names_of, dropped in read_all for name in {**names_of, **dropped}})]
    pathlib.Path(out, "spark-old-names.tsv").write_text(head + "\n".join(filter(None, rows)) + "\n")


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "dump":
        dump(sys.argv[2], sys.argv[3])
    elif len(sys.argv) > 3 and sys.argv[1] == "merge":
        merge(sys.argv[2], [argument.split("=", 1) for argument in sys.argv[3:]])
    else:
        sys.exit(__doc__)
