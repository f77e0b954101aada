"""Works with a Touchstone server through the stock MLflow client: `use_mlflow_client.py URL [FILE]`.

The API key stands in MLFLOW_TRACKING_TOKEN. Prints what the client saw as JSON; with FILE it also writes every exchange
over HTTP there, which is how mlflow-exchanges.json is made.
"""

import base64
import importlib.metadata
import json
import logging
import os
import pathlib
import sys
import tempfile
import warnings

os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", MLFLOW_HTTP_REQUEST_MAX_RETRIES="0", GIT_PYTHON_REFRESH="quiet")
os.environ.update(MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false", LOGNAME="researcher")
warnings.filterwarnings("ignore")

import mlflow
import numpy as np
import requests
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sklearn.linear_model import LogisticRegression

logging.disable(logging.WARNING)
ORIGIN = {
    "touchstone.dataset_sha256": "a" * 64,
    "touchstone.feature_sha256": "b" * 64,
    "touchstone.code_version": "research@1",
    "touchstone.seed": "7",
    "touchstone.first_day": "2020-01-02",
    "touchstone.trained_until": "2024-06-28",
}


def refused(work):
    """The code and the sentence of what the server does not do."""
    try:
        work()
    except MlflowException as error:
        return [error.error_code, str(error)]
    return None


def session():
    seen = {}
    client = MlflowClient()
    rng = np.random.default_rng(1)
    x = rng.normal(size=(80, 3))
    y = (x[:, 0] + 0.1 * rng.normal(size=80) > 0).astype(int)
    model = LogisticRegression(C=0.5).fit(x, y)

    experiment = client.create_experiment("momentum", tags={"team": "risk"})
    client.set_experiment_tag(experiment, "desk", "north")
    seen["again"] = refused(lambda: client.create_experiment("momentum"))[0]
    told = client.get_experiment_by_name("momentum")
    seen["experiment"] = [told.experiment_id == experiment, told.tags, told.lifecycle_stage]
    mlflow.set_experiment("momentum")

    with mlflow.start_run(run_name="first", tags={"stage": "try"}) as run:
        mlflow.log_param("C", 0.5)
        mlflow.log_params({"solver": "lbfgs", "depth": 3})
        for step, loss in enumerate([0.7, 0.5, 0.4]):
            mlflow.log_metric("loss", loss, step=step)
        mlflow.log_metrics({"accuracy": 0.9, "odd": float("nan"), "val-loss": 0.6})
        mlflow.set_tag("team", "risk")
        mlflow.set_tags(ORIGIN)
        client.delete_tag(run.info.run_id, "stage")
        mlflow.log_text("hello", "notes/hello.txt")
        mlflow.log_dict({"a": 1}, "conf.json")
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "plain file.csv")
            file.write_text("a,b\n1,2\n")
            mlflow.log_artifact(str(file), "tables")
        dataset = mlflow.data.from_numpy(x, targets=y, name="prices")
        mlflow.log_input(dataset, context="training")
        logged = mlflow.sklearn.log_model(model, name="classifier", input_example=x[:2])
    seen["changed"] = refused(lambda: client.log_param(run.info.run_id, "C", 0.6))
    first = run.info.run_id

    with mlflow.start_run(run_name="second") as run:
        mlflow.log_param("C", 2)
        mlflow.log_metric("loss", 0.3)
        mlflow.log_metric("accuracy", 0.8)
        from skl2onnx import to_onnx

        onnx = to_onnx(model, x[:1].astype(np.float32), options={"zipmap": False})
        onnx_logged = mlflow.onnx.log_model(onnx, name="network")
    second = run.info.run_id
    try:
        with mlflow.start_run(run_name="third"):
            raise ValueError("broken")
    except ValueError:
        pass

    told = client.get_run(first)
    seen["run"] = {
        "params": told.data.params,
        "metrics": {name: str(value) for name, value in told.data.metrics.items()},
        "tags": {key: value for key, value in told.data.tags.items() if not key.startswith("mlflow.")},
        "status": told.info.status,
        "name": told.info.run_name,
        "datasets": [given.dataset.name for given in told.inputs.dataset_inputs],
        "outputs": len(told.outputs.model_outputs),
    }
    seen["history"] = [[m.step, m.value] for m in client.get_metric_history(first, "loss")]
    names = {run_id: name for run_id, name in [(first, "first"), (second, "second")]}

    def search(text, order=None, experiments=None):
        found = client.search_runs(experiments or [experiment], text, order_by=order)
        return [names.get(run.info.run_id, run.info.run_name) for run in found]

    seen["searches"] = {
        text + (" by " + order[0] if order else ""): search(text, order)
        for text, order in [
            ("", ["metrics.loss ASC"]),
            ("", ["attributes.start_time ASC"]),
            ("", ["params.C DESC"]),
            ("metrics.loss < 0.35", None),
            ("metrics.`val-loss` > 0.5 and params.solver = 'lbfgs'", None),
            ("tags.team LIKE 'ri%'", None),
            ("tags.team ILIKE 'RI%' and attributes.status = 'FINISHED'", None),
            ("params.C != '2'", None),
            ("attributes.status = 'FAILED'", None),
            ("attributes.run_name IN ('first', 'third')", ["attributes.run_name DESC"]),
            ("tags.\"mlflow.runName\" = 'second'", None),
            ("attributes.start_time > 0 and tags.none = 'x'", None),
        ]
    }
    seen["misread"] = refused(lambda: search("loss << 1"))[0]
    seen["pages"] = []
    token = None
    while True:
        page = client.search_runs([experiment], max_results=2, page_token=token)
        seen["pages"].append(len(page))
        token = page.token
        if not token:
            break
    seen["experiments"] = [
        [found.name for found in client.search_experiments(filter_string=text)]
        for text in ["name LIKE 'mom%'", "tags.team = 'risk'", "name = 'none'"]
    ]
    seen["frame"] = len(mlflow.search_runs([experiment], filter_string="params.C = '0.5'"))

    seen["files"] = [file.path for file in client.list_artifacts(first)]
    seen["below"] = [[file.path, file.file_size] for file in client.list_artifacts(first, "tables")]
    seen["text"] = mlflow.artifacts.load_text(f"runs:/{first}/notes/hello.txt")
    with tempfile.TemporaryDirectory() as folder:
        seen["downloaded"] = sorted(
            str(path.relative_to(folder))
            for path in pathlib.Path(mlflow.artifacts.download_artifacts(run_id=first, dst_path=folder)).rglob("*")
            if path.is_file()
        )
    seen["absent"] = refused(lambda: client.get_run("999999"))[0]

    back = mlflow.sklearn.load_model(logged.model_uri)
    seen["same"] = bool(np.array_equal(back.predict_proba(x), model.predict_proba(x)))
    seen["measured"] = {m.key: str(m.value) for m in client.get_logged_model(logged.model_id).metrics}
    seen["logged"] = [found.name for found in client.search_logged_models([experiment], "name = 'classifier'")]

    unnamed = refused(lambda: mlflow.register_model(onnx_logged.model_uri, "network"))
    seen["unnamed"] = unnamed
    seen["name"] = refused(lambda: client.create_registered_model("My Model"))[0]
    version = mlflow.register_model(logged.model_uri, "momentum-classifier", tags={"why": "first"})
    seen["version"] = [version.name, str(version.version), version.run_id == first, version.tags]
    client.update_model_version("momentum-classifier", "1", description="the first")
    client.set_model_version_tag("momentum-classifier", "1", "seen", "yes")
    client.set_registered_model_tag("momentum-classifier", "desk", "north")
    client.set_registered_model_alias("momentum-classifier", "shadow", "1")
    seen["champion"] = refused(lambda: client.set_registered_model_alias("momentum-classifier", "champion", "1"))
    by_alias = client.get_model_version_by_alias("momentum-classifier", "shadow")
    seen["alias"] = [str(by_alias.version), by_alias.description, list(by_alias.aliases), by_alias.tags["seen"]]
    loaded = mlflow.pyfunc.load_model("models:/momentum-classifier@shadow")
    seen["loaded"] = bool(np.array_equal(loaded.predict(x), model.predict(x)))
    client.set_tag(second, "note", "late")
    for key, value in ORIGIN.items():
        client.set_tag(second, key, value)
    network = mlflow.register_model(f"runs:/{second}/network", "network")
    onnx_back = mlflow.pyfunc.load_model(f"models:/network/{network.version}")
    answer = onnx_back.predict(x.astype(np.float32))
    seen["onnx"] = bool(np.array_equal(np.ravel(answer["label"]), model.predict(x)))
    client.delete_registered_model_alias("momentum-classifier", "shadow")
    seen["gone"] = refused(lambda: client.get_model_version_by_alias("momentum-classifier", "shadow"))[0]
    seen["models"] = [found.name for found in client.search_registered_models("name LIKE 'mom%'")]
    seen["versions"] = [
        [found.name, str(found.version)] for found in client.search_model_versions("name = 'momentum-classifier'")
    ]
    seen["of"] = [found.name for found in client.search_model_versions(f"run_id = '{second}'")]
    seen["deleted"] = refused(lambda: client.delete_run(first))
    return seen


def record(exchanges):
    """Keeps what goes over the wire, without what differs from one machine to the next."""
    send = requests.Session.send

    def sending(self, request, **options):
        answer = send(self, request, **options)
        body = request.body
        if hasattr(body, "read"):
            body.seek(0)
            body = body.read()
        if isinstance(body, str):
            body = body.encode()
        path = request.path_url.removeprefix("/mlflow")
        exchange = {"method": request.method, "path": path, "status": answer.status_code}
        if "/mlflow-artifacts/artifacts/" in path:
            if body is not None:
                exchange["bytes"] = base64.b64encode(body).decode()
        else:
            if body is not None:
                exchange["request"] = json.loads(body)
            try:
                exchange["answer"] = answer.json()
            except ValueError:
                pass
        exchanges.append(exchange)
        return answer

    requests.Session.send = sending


def main(url, file=None):
    exchanges = []
    if file is not None:
        record(exchanges)
    mlflow.set_tracking_uri(f"{url}/mlflow")
    seen = session()
    version = importlib.metadata.version("mlflow")
    if file is not None:
        told = {"madeBy": f"use_mlflow_client.py with mlflow {version}", "exchanges": exchanges}
        text = json.dumps(told, indent=1, sort_keys=True).replace(str(pathlib.Path(__file__)), "research.py")
        pathlib.Path(file).write_text(text + "\n")
    print(json.dumps({"mlflow": version, "seen": seen}))


main(*sys.argv[1:])
