"""What of Amazon's services publishing needs, on loopback: S3's PUT, and Greengrass' createComponentVersion."""

import base64
import contextlib
import http.server
import json
import threading
from collections.abc import Iterator


class Cloud:
    """What was uploaded, by bucket and key, and the recipes that became versions, in their order."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.recipes: list[dict[str, object]] = []
        self.refuses = False  # every upload, as without the right to it
        self.address = ""

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which boto3 finds this instead of Amazon."""
        return {
            "AWS_ENDPOINT_URL": self.address,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "canary-secret",
            "AWS_DEFAULT_REGION": "eu-central-1",
        }

    def created(self, recipe: dict[str, object]) -> tuple[int, dict[str, object]]:
        told = {key: recipe[key] for key in ("ComponentName", "ComponentVersion")}
        if any(told.items() <= known.items() for known in self.recipes):
            return 409, {"message": "it exists", "resourceId": "x", "resourceType": "component"}
        self.recipes.append(recipe)
        arn = "arn:aws:greengrass:eu-central-1:000000000000:components:{ComponentName}:versions:{ComponentVersion}"
        status = {"componentState": "REQUESTED", "message": "", "errors": {}}
        return 201, {"arn": arn.format(**told), "componentName": told["ComponentName"], "status": status}


@contextlib.contextmanager
def cloud() -> Iterator[Cloud]:
    """A cloud that is there until the end of the block."""
    made = Cloud()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def _body(self) -> bytes:
            if self.headers.get("Expect") == "100-continue":
                self.send_response_only(100)
                self.end_headers()
            length = int(self.headers.get("x-amz-decoded-content-length") or self.headers["Content-Length"])
            if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
                return self.rfile.read(length)
            whole = self.rfile.read(int(self.headers["Content-Length"]))
            size, _, rest = whole.partition(b"\r\n")
            return rest[: int(size.partition(b";")[0], 16)]

        def _answer(self, code: int, content: bytes = b"", more: dict[str, str] | None = None) -> None:
            self.send_response(code)
            for name, value in {"Content-Length": str(len(content)), **(more or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def do_PUT(self) -> None:
            body = self._body()
            if made.refuses:
                self._answer(403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
                return
            made.objects[self.path.partition("?")[0].lstrip("/")] = body
            self._answer(200, more={"ETag": '"x"'})

        def do_POST(self) -> None:
            asked = json.loads(self._body())
            code, told = made.created(json.loads(base64.b64decode(asked["inlineRecipe"])))
            kind = {"x-amzn-ErrorType": "ConflictException"} if code == 409 else {}
            self._answer(code, json.dumps(told).encode(), {"Content-Type": "application/json", **kind})

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
