"""Records what Feast's own feature server answers, so that ours can be held against it without Feast.

Run it with a Python that has feast: `.peers-feast/bin/python record_feast.py > feast-exchanges.json`.
A feature repository is made in a temporary folder, with two feature views fed by push sources and a SQLite online store.
"""

import datetime
import importlib.metadata
import json
import pathlib
import sys
import socket
import tempfile
import threading
import time
import warnings

warnings.filterwarnings("ignore")

import pandas as pd
import requests
import uvicorn
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, PushSource, RepoConfig
from feast.feature_server import get_app
from feast.types import Float64
from feast.value_type import ValueType

EVENT = "2024-09-30T20:00:00"


def make_store(folder: pathlib.Path) -> FeatureStore:
    config = RepoConfig(
        project="recorded",
        provider="local",
        registry=str(folder / "registry.db"),
        online_store={"type": "sqlite", "path": str(folder / "online.db")},
        offline_store={"type": "file"},
        entity_key_serialization_version=3,
    )
    store = FeatureStore(config=config)
    entity = Entity(name="instrument", join_keys=["instrument"], value_type=ValueType.STRING)
    objects = [entity]
    for name, fields, ttl in [
        ("news", ["tone", "count"], datetime.timedelta(days=36500)),
        ("brief", ["mood"], datetime.timedelta(days=1)),
    ]:
        frame = pd.DataFrame({"instrument": ["AAA"], "event_timestamp": [pd.Timestamp(EVENT, tz="UTC")]})
        for field in fields:
            frame[field] = [0.0]
        path = folder / f"{name}.parquet"
        frame.to_parquet(path)
        batch = FileSource(name=f"{name}_batch", path=str(path), timestamp_field="event_timestamp")
        source = PushSource(name=name, batch_source=batch)
        schema = [Field(name=field, dtype=Float64) for field in fields]
        view = FeatureView(name=name, entities=[entity], ttl=ttl, schema=schema, source=source, online=True)
        objects += [view]
        if name == "news":
            objects += [FeatureService(name="news", features=[view])]
    store.apply(objects)
    return store


def exchanges():
    both = ["AAA", "BBB"]
    yield "/push", {
        "push_source_name": "news",
        "df": {"instrument": both, "event_timestamp": [EVENT, EVENT], "tone": [0.25, None], "count": [3.0, 4.5]},
        "to": "online",
    }
    yield "/push", {
        "push_source_name": "brief",
        "df": {"instrument": ["AAA"], "event_timestamp": [EVENT], "mood": [1.0]},
        "to": "online",
    }
    entities = {"instrument": ["AAA", "BBB", "ZZZ"]}
    news = ["news:tone", "news:count"]
    yield "/get-online-features", {"features": news, "entities": entities}
    yield "/get-online-features", {"features": news, "entities": entities, "full_feature_names": True}
    yield "/get-online-features", {"features": ["news:count", "brief:mood"], "entities": {"instrument": ["BBB", "AAA"]}}
    yield "/get-online-features", {"feature_service": "news", "entities": {"instrument": ["AAA"]}}
    yield "/get-online-features", {"features": ["nobody:tone"], "entities": {"instrument": ["AAA"]}}


def serve(store: FeatureStore):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(get_app(store), host="127.0.0.1", port=port, log_level="error"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    return f"http://127.0.0.1:{port}", server


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        store = make_store(pathlib.Path(name))
        recorded = []
        url, server = serve(store)
        for path, request in exchanges():
            reply = requests.post(url + path, json=request, timeout=30)
            answer = reply.json() if reply.status_code == 200 and reply.text else None
            recorded.append({"path": path, "request": request, "status": reply.status_code, "answer": answer})
        server.should_exit = True
        version = importlib.metadata.version("feast")
        json.dump({"madeBy": f"record_feast.py with feast {version}", "exchanges": recorded}, sys.stdout, indent=1)
        print()


main()
