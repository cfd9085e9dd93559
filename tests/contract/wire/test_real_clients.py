"""HTTP clients as they come, with what they do unasked: upgrades, interim answers, HEAD, chunks, HTTP/1.0.

What they send is in `test_ends` too, byte for byte, so that it is tried where they are not installed.
"""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from .server import RunningServer

BODY = '{"phone":"13800000000","smscode":"0000"}'
CURL = {
    "plain": [],
    "http/2 by upgrade": ["--http2"],
    "http/1.0": ["--http1.0"],
    "chunked": ["-H", "Transfer-Encoding: chunked"],
    "waiting for leave": ["-H", "Expect: 100-continue"],
    "chunked by upgrade": ["--http2", "-H", "Transfer-Encoding: chunked"],
}
JAVA = """
import java.net.URI;
import java.net.http.*;
public class Post {
    public static void main(String[] args) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        for (int round = 0; round < 3; round++) {
            HttpRequest.BodyPublisher body = round == 1
                ? HttpRequest.BodyPublishers.ofInputStream(() -> new java.io.ByteArrayInputStream(args[1].getBytes()))
                : HttpRequest.BodyPublishers.ofString(args[1]);
            HttpRequest request = HttpRequest.newBuilder(URI.create(args[0])).POST(body).build();
            HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
            System.out.println(answer.body());
        }
    }
}
"""


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed; see test_ends")


async def run(*command: str) -> str:
    """Run a command that has to succeed and return what it prints."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    return out.decode()


@needs("curl")
@pytest.mark.parametrize("options", CURL.values(), ids=CURL)
async def test_curl_has_its_body_read(options: list[str], server: RunningServer) -> None:
    """Twice on one connection; the wrong code is what was understood."""
    url = f"{server.base_url}/v1/login?logintype=smscode"
    out = await run("curl", "-sS", "--max-time", "20", *options, "-d", BODY, url, "-d", BODY, url)
    assert out.count('"code":401') == 2, out


@needs("wget")
async def test_wget_spider_finds_the_server_well(server: RunningServer) -> None:
    """Container health checks often are this."""
    for path in ("/healthz", "/readyz", "/metrics"):
        await run("wget", "-q", "--spider", "-T", "20", "-t", "1", server.base_url + path)


@needs("java")
async def test_java_has_its_body_read(server: RunningServer, tmp_path: Path) -> None:
    """Its client asks for an upgrade to HTTP/2 with each first request of a connection, body or not."""
    source = tmp_path / "Post.java"
    source.write_text(JAVA)
    url = f"{server.base_url}/v1/login?logintype=smscode"
    lines = (await run("java", "-XX:TieredStopAtLevel=1", str(source), url, BODY)).splitlines()
    assert [json.loads(line)["code"] // 1000 for line in lines] == [401] * 3
