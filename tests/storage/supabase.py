"""An S3 server that answers as Supabase Storage does, in front of the session's SeaweedFS.

It checks the client's signature under its own path, and signs anew what it passes on.
"""

import hashlib
import hmac
import re
import threading
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

PREFIX = "/storage/v1/s3"
REGION = "eu-central-1"
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
PASSED_ON = re.compile("content-type|range|x-amz-(meta-.+|copy-source.*|metadata-directive)")
HEX = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    """As it was sent, without the prefix."""
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def key(self) -> str:
        return unquote(self.path).lstrip("/").partition("/")[2]

    @property
    def begins_object(self) -> bool:
        names = self.parameters
        if self.method == "PUT":
            return "partNumber" not in names and bool(self.key)
        return self.method == "POST" and "uploads" in names

    @property
    def upload(self) -> str:
        return self.parameters.get("uploadId", "")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Supabase:
    """What it does; tests change it."""

    upstream: tuple[str, int]
    access_key: str
    secret_key: str
    max_bytes: int | None = None
    types: Collection[str] | None = None
    """The content types that it takes; None for all."""
    etags_are_md5: bool = True
    bends: str = "(?!)"
    """Requests (method and path) of whose body it stores one bit differently."""
    clock_is_ahead: timedelta = timedelta(0)
    canned: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    """Requests that are answered with a status, a code and a message."""
    port: int = 0
    seen: list[str] = field(default_factory=list)
    _upload_bytes: Counter[str] = field(default_factory=Counter)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PREFIX}"

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        parts = urlsplit(target)
        if not parts.path.startswith(f"{PREFIX}/"):
            return Answer(404, {"Content-Type": "application/json"}, b'{"error":"invalid path"}')
        path = parts.path.removeprefix(PREFIX)
        request = Received(method, path, parts.query, headers, body)
        self.seen.append(f"{method} {path}?{parts.query}")
        refusal = self._refusal(request, parts.path)
        return refusal or self._pass_on(request)

    def _refusal(self, request: Received, full_path: str) -> Answer | None:
        refused = self._bad_signature(request, full_path)
        if refused:
            return refused
        for pattern, answer in self.canned.items():
            if re.match(pattern, f"{request.method} {request.path}?{request.query}"):
                return error(*answer)
        if not request.key.isascii():
            return error(400, "InvalidKey", f"Invalid key: {request.key}")
        content_type = request.headers.get("content-type", "")
        if request.begins_object and self.types is not None and content_type not in self.types:
            return error(415, "InvalidMimeType", f"mime type {content_type} is not supported")
        if self.max_bytes is not None and self._size(request) > self.max_bytes:
            return error(413, "EntityTooLarge", "The object exceeded the maximum allowed size")
        return None

    def _size(self, request: Received) -> int:
        """The object's size so far; that of a copied part is in its range."""
        size = len(request.body) if request.method == "PUT" else 0
        span = request.headers.get("x-amz-copy-source-range")
        if span:
            first, last = map(int, span.removeprefix("bytes=").split("-"))
            size = last - first + 1
        if request.upload:
            self._upload_bytes[request.upload] += size
            return self._upload_bytes[request.upload]
        return size

    def _bad_signature(self, request: Received, full_path: str) -> Answer | None:
        parameters = request.parameters
        given = _signature_of(request.headers, parameters)
        if given is None or given.access_key != self.access_key:
            return error(403, "InvalidAccessKeyId", "The key does not exist")
        if given.region != REGION:
            return error(400, "AuthorizationHeaderMalformed", f"expecting '{REGION}'")
        if given.expires_in is not None:
            begun = datetime.strptime(given.time, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            if datetime.now(UTC) > begun + timedelta(seconds=given.expires_in):
                return error(400, "ExpiredToken", "The provided token has expired.")
        if given.signature != self._signature(request, full_path, given):
            return error(403, "SignatureDoesNotMatch", "The signature does not match")
        return None

    def _signature(self, request: Received, full_path: str, given: "Given") -> str:
        pairs = (each if "=" in each else f"{each}=" for each in request.query.split("&") if each)
        query = "&".join(sorted(p for p in pairs if not p.startswith("X-Amz-Signature=")))
        named = "".join(
            f"{name}:{' '.join(request.headers.get(name, '').split())}\n"
            for name in given.signed_headers.split(";")
        )
        payload = request.headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
        canonical = [request.method, full_path, query, named, given.signed_headers, payload]
        digest = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{given.time}\n{given.scope}\n{digest}"
        key = f"AWS4{self.secret_key}".encode()
        for part in (*given.scope.split("/"), text):
            key = hmac.digest(key, part.encode(), "sha256")
        return key.hex()

    def _pass_on(self, request: Received) -> Answer:
        host, port = self.upstream
        kept = [each for each in request.query.split("&") if each and not each.startswith("X-Amz-")]
        target = f"{request.path}?{'&'.join(kept)}" if kept else request.path
        headers = {name: value for name, value in request.headers.items() if PASSED_ON.match(name)}
        body = request.body
        if body and re.match(self.bends, f"{request.method} {request.path}"):
            body = bytes([body[0] ^ 1]) + body[1:]
        if not self.etags_are_md5 and request.upload and request.method == "POST":
            body = _reversed(body.decode()).encode()
        signed = AWSRequest(request.method, f"http://{host}:{port}{target}", headers, body)
        credentials = Credentials(self.access_key, self.secret_key)
        S3SigV4Auth(credentials, "s3", "us-east-1").add_auth(signed)
        connection = HTTPConnection(host, port, timeout=60)
        try:
            connection.request(request.method, target, body=body, headers=dict(signed.headers))
            response = connection.getresponse()
            return self._as_supabase(
                Answer(response.status, dict(response.getheaders()), response.read())
            )
        finally:
            connection.close()

    def _as_supabase(self, answer: Answer) -> Answer:
        headers = {
            name: value
            for name, value in answer.headers.items()
            if name.lower() not in ("connection", "transfer-encoding", "date", "server")
        }
        body = answer.body
        if answer.status >= 400:
            body = body.replace(b"<Error>", f'<Error xmlns="{NAMESPACE}">'.encode())
        if not self.etags_are_md5:
            headers = {n: _reversed(v) if n.lower() == "etag" else v for n, v in headers.items()}
            if b"<ETag>" in body:
                body = _reversed(body.decode()).encode()
        return Answer(answer.status, headers, body)


@dataclass(frozen=True)
class Given:
    """A signature as the client sent it, in a header or in the address."""

    credential: str
    signed_headers: str
    signature: str
    time: str
    expires_in: int | None

    @property
    def access_key(self) -> str:
        return self.credential.partition("/")[0]

    @property
    def scope(self) -> str:
        return self.credential.partition("/")[2]

    @property
    def region(self) -> str:
        return self.scope.split("/")[1]


def _signature_of(headers: dict[str, str], parameters: dict[str, str]) -> Given | None:
    if "X-Amz-Signature" in parameters:
        names = ("Credential", "SignedHeaders", "Signature", "Date")
        values = [parameters[f"X-Amz-{name}"] for name in names]
        return Given(*values, expires_in=int(parameters["X-Amz-Expires"]))
    found = re.match(
        "AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=(.+)",
        headers.get("authorization", ""),
    )
    return Given(*found.groups(), headers["x-amz-date"], None) if found else None


def error(status: int, code: str, message: str) -> Answer:
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?><Error xmlns="{NAMESPACE}">'
        f"<Code>{code}</Code><Message>{message}</Message></Error>"
    )
    return Answer(status, {"Content-Type": "application/xml"}, body.encode())


def _reversed(text: str) -> str:
    """Text with every MD5 in it turned round: it still looks like one."""
    return HEX.sub(lambda found: found[0][::-1], text)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.supabase.answer(self.command, self.path, headers, body)
        ahead = self.server.supabase.clock_is_ahead
        self.send_response_only(answer.status)
        self.send_header("Date", format_datetime(datetime.now(UTC) + ahead, usegmt=True))
        for name, value in answer.headers.items():
            if name.lower() != "content-length" or self.command == "HEAD":
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, supabase: Supabase) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.supabase = supabase


@contextmanager
def running(supabase: Supabase) -> Iterator[Supabase]:
    """Serve on loopback, on a free port, for the block."""
    with _Server(supabase) as server:
        supabase.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield supabase
        finally:
            server.shutdown()
            thread.join()
