"""Records the pointer that dvc writes for a small folder, so that ours can be held against it without dvc.

Run it with a Python that has dvc: `.peers-dvc/bin/python record_dvc.py > dvc-pointer.json`.
"""

import importlib.metadata
import json
import pathlib
import subprocess
import sys
import tempfile

FILES = {"features.arrow": "first table\n", "bars.arrow": "second table, longer\n", "manifest.json": '{"parts":[]}'}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        dvc = str(pathlib.Path(sys.executable).with_name("dvc"))

        def run(*words: str) -> None:
            subprocess.run([dvc, *words, "--quiet"], cwd=folder, check=True)

        run("init", "--no-scm")
        (folder / "dataset").mkdir()
        for file, text in FILES.items():
            (folder / "dataset" / file).write_text(text)
        run("add", "dataset")
        cache = folder / ".dvc" / "cache" / "files" / "md5"
        kept = {str(path.relative_to(cache)): path.read_text() for path in sorted(cache.rglob("*")) if path.is_file()}
        version = importlib.metadata.version("dvc")
        pointer = (folder / "dataset.dvc").read_text()
        json.dump({"madeBy": f"record_dvc.py with dvc {version}", "files": FILES, "pointer": pointer, "cache": kept}, sys.stdout, indent=1)
        print()


main()
