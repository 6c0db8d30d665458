"""Automations that tell people, on a real Prefect server, with a block that posts to a webhook."""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from prefect.blocks.notifications import CustomWebhookNotificationBlock

from tests.rest import api

NOTIFICATIONS = Path(__file__).parents[2] / "deployments" / "notifications.yaml"
PATIENCE = 60
"""Seconds that Prefect may take from an event to its notification."""

Told = queue.Queue[str]


@pytest.fixture
def told() -> Iterator[tuple[str, Told]]:
    """A webhook on loopback: its address, and what it was told."""
    texts: Told = queue.Queue()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            texts.put(json.loads(body)["text"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/", texts
        server.shutdown()


@pytest.fixture
def automations(prefect_server: str, told: tuple[str, Told], tmp_path: Path) -> Iterator[None]:
    """What the file's head tells a person to do."""
    block = CustomWebhookNotificationBlock(
        name="told", url=told[0], json_data={"text": "{{subject}}\n{{body}}"}
    )
    id = str(block.save("trainfold-told", overwrite=True))
    path = tmp_path / "notifications.yaml"
    path.write_text(NOTIFICATIONS.read_text().replace("NOTIFICATION_BLOCK_ID", id))
    created = subprocess.run(
        [sys.executable, "-m", "prefect", "automation", "create", "--from-file", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert created.returncode == 0, created.stdout + created.stderr
    yield
    rest = api(prefect_server)
    for automation in rest.post("/automations/filter", {}):
        if automation["name"].startswith("trainfold-tell-"):
            rest.delete(f"/automations/{automation['id']}")


def end(
    server: str, flow: str, name: str, state: dict[str, str], *, tag: str = "trainfold"
) -> None:
    """Let a run of a flow end in a state."""
    rest = api(server)
    flow_id = rest.post("/flows/", {"name": flow})["id"]
    body = {"flow_id": flow_id, "name": name, "tags": [tag], "state": {"type": "RUNNING"}}
    run = rest.post("/flow_runs/", body)
    rest.post(f"/flow_runs/{run['id']}/set_state", {"state": state, "force": True})


@pytest.mark.usefixtures("automations")
def test_people_are_told_once_of_each_and_of_nothing_else(prefect_server: str, told):
    _, texts = told
    made = {"type": "COMPLETED", "message": "Version 7: 3 exports of 4 answers"}
    end(prefect_server, "export-version", "Silent export", made)
    failed = {"type": "FAILED", "message": "Not ours."}
    end(prefect_server, "add-conversations", "Silent other", failed, tag="other")
    unchanged = {"type": "COMPLETED", "name": "Unchanged", "message": "Version 2 is up to date"}
    for flow in ("rebuild-training-file", "add-matching"):
        end(prefect_server, flow, "Silent, unchanged", unchanged)
    ends = {
        "blocked": ("add-conversations", {"type": "FAILED", "name": "Blocked"}),
        "failed": ("add-conversations", {"type": "CRASHED"}),
        "damaged": ("verify", {"type": "FAILED", "name": "Damaged"}),
        "sources changed": ("rebuild-training-file", {"type": "COMPLETED"}),
        "new version": ("add-matching", {"type": "COMPLETED"}),
    }
    for what, (flow, state) in ends.items():
        message = f"80 conversations added: {what} “\"'\\n"
        end(prefect_server, flow, f"שיחות {what}", {**state, "message": message})
    heard = [texts.get(timeout=PATIENCE) for _ in ends]
    for what, (flow, _) in ends.items():
        (text,) = [it for it in heard if it.startswith(f"trainfold: {what}: שיחות {what}\n")]
        assert f"{flow} “שיחות {what}” is " in text
        assert f"80 conversations added: {what} “\"'\\n" in text
    with pytest.raises(queue.Empty):
        texts.get(timeout=3)
