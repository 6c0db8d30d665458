"""The OpenAPI description is true: an attacker and a compiler that go by it find nothing wrong."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from operations import resources
from operations.api_tokens import create_token
from operations.stored_exports import ensure_exports
from tests.asking import carry_out, request
from tests.conftest import Library
from tests.console.conftest import served

pytestmark = pytest.mark.slow
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
TOOLS = ("openapi-typescript@7.13.0", "typescript@5.9.3")
KNOWN = """
[parameters]
"path.training_file" = "Talks"
"path.version" = 1
"path.format" = "messages"
"path.request_id" = "talks-1"
"query.batch" = "a batch"
"query.not_in" = "Talks"
"""


@pytest.fixture
def address(library: Library, deployments: str) -> Iterator[str]:
    """A console that never makes an application wait, with a training file and a batch."""
    one, two = library.add_many(2)
    version = carry_out(request("Talks", [one], new=True, request_id="talks-1"))
    store = resources.training_files_store()
    ensure_exports(resources.engine(), store, version, ["messages"], created_by="a test")
    library.batch(one, two)
    with served(api_requests_per_minute=10**9) as address:
        yield f"{address}/api/v1/openapi.json"


@pytest.mark.parametrize("parameters", ["", KNOWN], ids=["any parameters", "known parameters"])
def test_no_generated_request_finds_an_answer_that_is_not_described(
    address: str, tmp_path: Path, parameters: str
):
    (tmp_path / "schemathesis.toml").write_text(parameters)
    token = create_token(resources.engine(), "an attacker", created_by="a test")[1]
    command = [
        SCHEMATHESIS, "run", address, "--header", f"Authorization: Bearer {token}",
        "--checks", "all", "--phases", "examples,coverage,fuzzing", "--max-examples", "15",
        "--generation-deterministic", "--continue-on-failure", "--no-color",
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr
    assert "Tested: 12" in done.stdout, done.stdout


PROGRAM = """
import type { components, operations, paths } from "./api";

type Status = components["schemas"]["RequestStatus"];
type Problem =
  operations["add"]["responses"]["409"]["content"]["application/problem+json"];
const body: paths["/requests"]["post"]["requestBody"]["content"]["application/json"] = {
  training_file: "Spring talks",
  new: true,
  conversation_ids: ["3c045402-b8f1-4633-ba1e-6ffb0666dbed"],
};

export async function add(key: string): Promise<Status> {
  const answer = await fetch("/api/v1/requests", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": key },
    body: JSON.stringify(body),
  });
  if (answer.status !== 202) {
    const problem = (await answer.json()) as Problem;
    throw new Error(problem.blocked?.map((it) => `${it.code}: ${it.reason}`).join("\\n"));
  }
  return (await answer.json()) as Status;
}

export const told = (status: Status): string =>
  status.state === "done" ? `version ${status.version?.version}` : status.state;
export const size = (version: components["schemas"]["Version"]): number => version.jsonl.size_bytes;
// @ts-expect-error The description has no such state.
export const wrong = (status: Status): boolean => status.state === "finished";
"""


def test_types_that_are_generated_for_typescript_compile(address: str, tmp_path: Path):
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("Node.js is missing, which compiles the generated types")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        packages = [word for tool in TOOLS for word in ("--package", tool)]
        command = [npx, "--yes", *packages, "--", *words]
        environment = os.environ | {"npm_config_cache": str(tmp_path / "cache")}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
            timeout=300,
        )  # fmt: skip

    if (probe := run("tsc", "--version")).returncode:
        pytest.skip(f"the TypeScript tools cannot be installed from npm: {probe.stderr[-300:]}")
    description = httpx.get(address, trust_env=False).json()
    (tmp_path / "openapi.json").write_text(json.dumps(description))
    (tmp_path / "program.ts").write_text(PROGRAM)
    generated = run("openapi-typescript", "openapi.json", "--output", "api.d.ts")
    assert generated.returncode == 0, generated.stdout + generated.stderr
    options = ("--strict", "--noEmit", "--target", "es2022", "--lib", "es2022,dom")
    compiled = run("tsc", *options, "--module", "es2022", "--moduleResolution", "bundler",
                   "program.ts")  # fmt: skip
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr
