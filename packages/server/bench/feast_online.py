"""Feast's Python feature server on Redis, with 50 features of 10 entities: `feast_online.py REDIS_PORT PORT`.

Prints its version when it answers, and ends when its standard input is closed.
"""

import datetime
import importlib.metadata
import pathlib
import sys
import tempfile
import threading
import time
import warnings

warnings.filterwarnings("ignore")

import pandas as pd
import uvicorn
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, PushSource, RepoConfig
from feast.data_source import PushMode
from feast.feature_server import get_app
from feast.types import Float64
from feast.value_type import ValueType

FEATURES = [f"f_{i}" for i in range(50)]
ENTITIES = [f"E{i}" for i in range(10)]


def main(redis_port: str, port: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        config = RepoConfig(
            project="bench",
            provider="local",
            registry={"path": str(folder / "registry.db"), "cache_ttl_seconds": 3600},
            online_store={"type": "redis", "connection_string": f"localhost:{redis_port}"},
            offline_store={"type": "file"},
            entity_key_serialization_version=3,
        )
        store = FeatureStore(config=config)
        now = pd.Timestamp.now(tz="UTC")
        frame = pd.DataFrame({"instrument": ENTITIES, "event_timestamp": [now] * len(ENTITIES)})
        for i, feature in enumerate(FEATURES):
            frame[feature] = [i / 3.0 + k for k in range(len(ENTITIES))]
        frame.to_parquet(folder / "batch.parquet")
        batch = FileSource(name="batch", path=str(folder / "batch.parquet"), timestamp_field="event_timestamp")
        source = PushSource(name="source", batch_source=batch)
        entity = Entity(name="instrument", join_keys=["instrument"], value_type=ValueType.STRING)
        schema = [Field(name=feature, dtype=Float64) for feature in FEATURES]
        ttl = datetime.timedelta(days=36500)
        view = FeatureView(name="bench", entities=[entity], ttl=ttl, schema=schema, source=source, online=True)
        store.apply([entity, view])
        store.push("source", frame, to=PushMode.ONLINE)
        server = uvicorn.Server(uvicorn.Config(get_app(store), host="127.0.0.1", port=port, log_level="error", access_log=False))
        threading.Thread(target=server.run, daemon=True).start()
        while not server.started:
            time.sleep(0.05)
        print(importlib.metadata.version("feast"), flush=True)
        sys.stdin.read()
        server.should_exit = True


main(sys.argv[1], int(sys.argv[2]))
