"""Asks a Touchstone server with Feast's own client: `ask_feast_client.py URL`, the API key in TOUCHSTONE_KEY.

Prints what the client gives for the views that the test has made, as JSON.
"""

import importlib.metadata
import json
import pathlib
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")

from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig
from feast.types import Float64
from feast.value_type import ValueType


def main(url: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        config = RepoConfig(
            project="client",
            provider="local",
            registry=str(folder / "registry.db"),
            online_store={"type": "remote", "path": f"{url}/api/v1/feast"},
            offline_store={"type": "file"},
            auth={"type": "oidc", "token_env_var": "TOUCHSTONE_KEY"},
            entity_key_serialization_version=3,
        )
        store = FeatureStore(config=config)
        features = ["news:tone", "news:count"]
        rows = [{"instrument": "AAA"}, {"instrument": "BBB"}, {"instrument": "ZZZ"}]
        answer = store.get_online_features(features=features, entity_rows=rows, full_feature_names=True)
        print(json.dumps({"feast": importlib.metadata.version("feast"), "answer": answer.to_dict()}))


main(sys.argv[1])
