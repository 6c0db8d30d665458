"""`export --push-to-hub` against a small server that speaks the hub's API on loopback.

It takes files as commits carry small ones; the hub's large-file storage is not tried.
"""

import base64
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from operations import hub
from operations.stored_exports import possible_formats
from tests.asking import carry_out, request
from tests.commands import COMMAND, Ran, Run
from tests.conftest import Library

REPOSITORY = "noor/spring-talks"


class Hub(ThreadingHTTPServer):
    """Datasets by name, each with its files; a token that may write."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.datasets: dict[str, dict[str, Any]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        name = self.path.removeprefix("/api/datasets/").split("?")[0]
        name, _, rest = name.partition("/tree/")
        name = name.partition("/revision/")[0]
        found = self.server.datasets.get(name)
        if found is None:
            self._answer(404, {"error": "Repository not found"})
        elif rest:
            listed = [
                {"type": "file", "path": path, "size": 1, "oid": "0"} for path in found["files"]
            ]
            self._answer(200, listed)
        else:
            files = [{"rfilename": path} for path in found["files"]]
            self._answer(200, {"id": name, "private": found["private"], "siblings": files})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Authorization") != "Bearer hf_writer":
            return self._answer(401, {"error": "Invalid username or password."})
        if self.path == "/api/repos/create":
            return self._create(json.loads(body))
        if self.path == "/api/validate-yaml":
            return self._answer(200, {"errors": [], "warnings": []})
        if "/preupload/" in self.path:
            files = json.loads(body)["files"]
            modes = [
                {"path": it["path"], "uploadMode": "regular", "shouldIgnore": False} for it in files
            ]
            return self._answer(200, {"files": modes})
        return self._commit(body)

    def _create(self, asked: dict[str, Any]) -> None:
        name = f"{asked['organization']}/{asked['name']}"
        taken = name in self.server.datasets
        private = asked.get("private") is True or asked.get("visibility") == "private"
        self.server.datasets.setdefault(name, {"private": private, "files": {}})
        self._answer(409 if taken else 200, {"url": f"{self.server.url}/datasets/{name}"})

    def _commit(self, body: bytes) -> None:
        name = self.path.removeprefix("/api/datasets/").partition("/commit/")[0]
        files = self.server.datasets[name]["files"]
        for line in body.splitlines():
            operation = json.loads(line)
            value = operation["value"]
            if operation["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif operation["key"] == "deletedFile":
                del files[value["path"]]
        commit = f"{self.server.url}/datasets/{name}/commit/{'0' * 40}"
        self._answer(200, {"success": True, "commitOid": "0" * 40, "commitUrl": commit})

    def _answer(self, status: int, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def server() -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def push(tmp_path: Path, endpoint: str, *options: str, token: str = "hf_writer") -> Ran:
    """Run in a process of its own: huggingface_hub reads its environment at import."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    environment |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "hf"), "HF_TOKEN": token}
    environment |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    command = [COMMAND, "export", "Talks", "--push-to-hub", REPOSITORY, *options]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


def test_a_dataset_has_the_folders_files_and_loses_those_of_an_earlier_export(
    library: Library, server: Hub, tmp_path: Path
):
    carry_out(request("Talks", library.add_many(2), new=True))
    done = push(tmp_path, server.url, "--private", "--json")
    assert done.code == 0, done.err
    assert done.json["url"] == f"{server.url}/datasets/{REPOSITORY}"
    dataset = server.datasets[REPOSITORY]
    names = {*(export["file_name"] for export in done.json["exports"])}
    assert len(names) == len(possible_formats())
    assert set(dataset["files"]) >= names | {"README.md", "TRAINING.md", "SHA256SUMS"}
    assert (dataset["private"], dataset["files"]["messages.jsonl"].count(b"\n")) == (True, 2)
    dataset["files"] |= {"messages.train.jsonl": b"old", "photo.png": b"theirs"}
    carry_out(request("Talks", [library.add()]))
    assert push(tmp_path, server.url).code == 0
    assert "messages.train.jsonl" not in dataset["files"]
    assert dataset["files"]["photo.png"] == b"theirs"
    assert dataset["files"]["messages.jsonl"].count(b"\n") == 3


def test_what_is_asked_to_be_private_is_not_uploaded_to_a_public_dataset(
    library: Library, server: Hub, tmp_path: Path
):
    carry_out(request("Talks", [library.add()], new=True))
    server.datasets[REPOSITORY] = {"private": False, "files": {}}
    refused = push(tmp_path, server.url, "--private")
    assert (refused.code, "is public" in refused.err) == (5, True)
    assert server.datasets[REPOSITORY]["files"] == {}


def test_no_token_a_wrong_one_and_no_network_are_one_sentence_each(
    library: Library, server: Hub, tmp_path: Path
):
    carry_out(request("Talks", [library.add()], new=True))
    for endpoint, token, words in (
        (server.url, "", "There is no token"),
        (server.url, "hf_reader", "does not let this token write"),
        ("http://127.0.0.1:9", "hf_writer", "cannot be reached"),
    ):
        refused = push(tmp_path, endpoint, token=token)
        assert (refused.code, words in refused.err) == (5, True), refused.err
        assert refused.err.count(". ") == 0
        assert "nothing was uploaded" in refused.err
    assert server.datasets == {}


def test_a_missing_library_and_a_name_that_is_none_are_told_before_anything_is_made(
    trainfold: Run, monkeypatch: pytest.MonkeyPatch
):
    for name in ("a/b/c", "", "-x", "שיחות", "a" * 200, "../x", "a\\0b"):
        refused = trainfold("export", "Talks", "--push-to-hub", name)
        assert (refused.code, "no name of a dataset" in refused.err) == (2, True), name
    monkeypatch.setattr(hub, "find_spec", lambda _: None)
    refused = trainfold("export", "Talks", "--push-to-hub", "noor/talks")
    assert (refused.code, "pip install 'trainfold[exports]'" in refused.err) == (1, True)
    assert trainfold("export", "Talks", "--push-to-hub", "a/b", "--to", "x").code == 2
