"""Prints what wandb's own message descriptions make of a .wandb file, as JSON: `read_wandb.py FILE`."""

import json
import pathlib
import struct
import sys
import zlib

import wandb
from wandb.proto import wandb_internal_pb2 as messages

BLOCK = 32768


def records(content):
    """The messages of a log in blocks, their checksums checked."""
    at, message = 7, b""
    while at < len(content):
        left = BLOCK - at % BLOCK
        if left < 7:
            at += left
            continue
        checksum, size, kind = struct.unpack("<IHB", content[at : at + 7])
        data = content[at + 7 : at + 7 + size]
        assert zlib.crc32(data, zlib.crc32(bytes([kind]))) == checksum, at
        at += 7 + size
        message += data
        if kind in (1, 4):
            yield messages.Record.FromString(message)
            message = b""


def values(items):
    return {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items}


def main(file):
    content = pathlib.Path(file).read_bytes()
    assert content[:7] == b":W&B\xe1\xbe\x00"
    told = {"wandb": wandb.__version__, "history": [], "config": {}, "summary": {}, "kinds": []}
    for record in records(content):
        kind = record.WhichOneof("record_type")
        told["kinds"].append(kind)
        if kind == "run":
            told["run"] = [record.run.run_id, record.run.project, record.run.display_name]
            told["config"] = values(record.run.config.update)
        elif kind == "history":
            told["history"].append([record.history.step.num, values(record.history.item)])
        elif kind == "summary":
            told["summary"].update(values(record.summary.update))
    print(json.dumps(told))


main(sys.argv[1])
