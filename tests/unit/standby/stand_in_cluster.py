"""A small API server of Kubernetes over real HTTP and WebSockets: pods, and `exec` that really runs its command.

It knows what a standby asks, and keeps what it is told. There is no node: a pod runs as soon as it is created (or is
stuck, where `stuck` names the reason), and its commands are processes of this machine.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from typing import Any, Self

from aiohttp import WSMsgType, web

STDIN, STDOUT, STDERR, STATUS = range(4)


class StandInCluster:
    """A context manager; `url` is where it answers, `pods` what it has by name, `created` all that it ever got."""

    def __init__(self) -> None:
        self.pods: dict[str, dict[str, Any]] = {}
        self.created: list[dict[str, Any]] = []
        self.commands: list[list[str]] = []
        self.stuck = ""
        self.refuses: dict[str, int] = {}
        self.breaks_exec = False
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._runner.cleanup())
        self._loop.close()

    async def _start(self) -> None:
        app = web.Application()
        pods = "/api/v1/namespaces/dr/pods"
        app.add_routes([
            web.post(pods, self._create), web.get(pods, self._list), web.delete(pods + "/{name}", self._delete),
            web.get(pods + "/{name}/exec", self._exec),
        ])  # fmt: skip
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    def _refused(self, verb: str) -> web.Response | None:
        code = self.refuses.get(verb)
        return None if code is None else web.json_response({"kind": "Status", "code": code}, status=code)

    async def _create(self, request: web.Request) -> web.Response:
        pod = await request.json()
        if (refused := self._refused("create")) is not None:
            return refused
        name = pod["metadata"]["name"]
        if name in self.pods:
            return web.json_response({"kind": "Status", "code": 409}, status=409)
        waiting = {"waiting": {"reason": self.stuck}} if self.stuck else {"running": {}}
        container = {"name": "standby", "image": "", "imageID": "", "ready": True, "restartCount": 0, "state": waiting}
        phase = "Pending" if self.stuck else "Running"
        self.created.append(pod)
        self.pods[name] = {**pod, "status": {"phase": phase, "containerStatuses": [container]}}
        return web.json_response(self.pods[name], status=201)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        label, _, value = query.get("labelSelector", "").partition("=")
        name = query.get("fieldSelector", "").removeprefix("metadata.name=")
        found = [
            pod
            for pod in self.pods.values()
            if (not label or pod["metadata"]["labels"].get(label) == value)
            and (not name or pod["metadata"]["name"] == name)
        ]
        if query.get("watch") in {"true", "True"}:
            response = web.StreamResponse()
            await response.prepare(request)
            for pod in found:
                await response.write(json.dumps({"type": "ADDED", "object": pod}).encode() + b"\n")
            return response
        return web.json_response({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": found})

    async def _delete(self, request: web.Request) -> web.Response:
        pod = self.pods.pop(request.match_info["name"], None)
        return web.json_response(pod or {"kind": "Status", "code": 404}, status=200 if pod else 404)

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("v5.channel.k8s.io", "v4.channel.k8s.io"))
        await socket.prepare(request)
        if self.breaks_exec:
            await socket.close()
            return socket
        command = request.query.getall("command")
        self.commands.append(command)
        program = [sys.executable if command[0] == "python" else command[0], *command[1:]]
        process = await asyncio.create_subprocess_exec(
            *program, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        feeding = asyncio.create_task(self._feed(socket, process))
        await asyncio.gather(
            self._pump(process.stdout, socket, STDOUT), self._pump(process.stderr, socket, STDERR), process.wait()
        )
        feeding.cancel()
        await socket.send_bytes(bytes([STATUS]) + json.dumps(_status(process.returncode or 0)).encode())
        await socket.close()
        return socket

    async def _feed(self, socket: web.WebSocketResponse, process: asyncio.subprocess.Process) -> None:
        """As a kubelet does: what comes is written, and the end of it is never told."""
        async for message in socket:
            if message.type is WSMsgType.BINARY and message.data[0] == STDIN:
                process.stdin.write(message.data[1:])
        if process.returncode is None:
            process.kill()

    async def _pump(self, stream: asyncio.StreamReader, socket: web.WebSocketResponse, channel: int) -> None:
        while data := await stream.read(1 << 15):
            await socket.send_bytes(bytes([channel]) + data)


def _status(returncode: int) -> dict[str, Any]:
    if returncode == 0:
        return {"status": "Success"}
    code = 128 - returncode if returncode < 0 else returncode
    causes = [{"reason": "ExitCode", "message": str(code)}]
    return {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}
