#!/usr/bin/env python3
"""Puts PyPI's pocketsphinx beside our speech model: both hear the same files in one run.

    benches/speech_against_pocketsphinx.py SET [--jsgf FILE] [--umwelt PROGRAM] [-- ARGUMENTS OF `umwelt eval speech`]

SET is a folder of speech with a manifest.csv (`umwelt eval speech --synthesise FILE --data SET` makes one). Without --jsgf
the peer's grammar is the list of all transcripts, which is also ours without --grammar. The peer runs as it comes.

Brings pocketsphinx 5.1.1 into a virtual environment of its own under target/pocketsphinx, once.
"""

import argparse
import collections
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import wave

ROOT = pathlib.Path(__file__).resolve().parent.parent
VERSION = "5.1.1"


def inside_its_environment():
    """Starts this script again where pocketsphinx is installed."""
    folder = ROOT / "target" / "pocketsphinx"
    python = folder / "bin" / "python3"
    if pathlib.Path(sys.prefix) == folder:
        return
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", f"pocketsphinx=={VERSION}"], check=True)
    os.execv(python, [python, __file__, *sys.argv[1:]])


def entries(folder):
    with open(folder / "manifest.csv", newline="", encoding="utf-8") as table:
        for row in csv.DictReader(table):
            path = folder / (row.get("file") or row["path"])
            voice = row.get("voice") or row.get("speaker") or ""
            yield path, row["transcript"].lower().strip(), voice, row.get("condition") or ""


def samples(path):
    """16 kHz, 16 bits, mono, as bytes; what is not WAV goes through sox."""
    if path.suffix != ".wav":
        command = ["sox", path, "-r", "16000", "-b", "16", "-c", "1", "-t", "raw", "-"]
        return subprocess.run(command, check=True, capture_output=True).stdout
    with wave.open(str(path)) as sound:
        return sound.readframes(sound.getnframes())


def grammar_of(transcripts):
    return "#JSGF V1.0;\ngrammar all;\npublic <all> = " + " | ".join(sorted(transcripts)) + ";\n"


def hear_with_pocketsphinx(files, jsgf):
    from pocketsphinx import Decoder

    decoder = Decoder(jsgf=jsgf, lm=None, samprate=16000, loglevel="FATAL")
    answers, started, seconds = [], time.process_time(), 0.0
    for path, *_ in files:
        data = samples(path)
        seconds += len(data) / 32000
        decoder.start_utt()
        decoder.process_raw(data, full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        answers.append(found.hypstr if found else "")
    return answers, (time.process_time() - started) / max(seconds, 1e-9)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=pathlib.Path)
    parser.add_argument("--jsgf", type=pathlib.Path)
    parser.add_argument("--umwelt", default=str(ROOT / "target/release/umwelt"))
    # What stands behind "--" is for `umwelt eval speech`; argparse would not keep it together behind an option.
    own, ours = sys.argv[1:], []
    if "--" in own:
        own, ours = own[: own.index("--")], own[own.index("--") + 1 :]
    arguments = parser.parse_args(own)

    files = [entry for entry in entries(arguments.set) if entry[1]]
    with tempfile.TemporaryDirectory() as folder:
        jsgf = arguments.jsgf
        if jsgf is None:
            jsgf = pathlib.Path(folder) / "all.gram"
            jsgf.write_text(grammar_of({transcript for _, transcript, _, _ in files}), encoding="utf-8")
        answers, cost = hear_with_pocketsphinx(files, str(jsgf))
    theirs = collections.defaultdict(list)
    for index, (_, transcript, _, condition) in enumerate(files):
        theirs[condition].append(answers[index] == transcript)

    command = [arguments.umwelt, "eval", "speech", "--data", str(arguments.set), "--json", *ours]
    figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    by_condition = {group["name"]: group["sentence_accuracy"] for group in figures["per_condition"]}
    print("| condition | files | umwelt | pocketsphinx |\n|---|---|---|---|")
    for condition, rights in theirs.items():
        share = sum(rights) / len(rights)
        print(f"| {condition or 'all'} | {len(rights)} | {by_condition.get(condition, 0.0):.3f} | {share:.3f} |")
    print(f"\nseconds of one core a second of sound: umwelt {figures['rtf']:.3f}, pocketsphinx {cost:.3f}")


if __name__ == "__main__":
    inside_its_environment()
    main()
