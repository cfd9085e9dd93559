"""`qlive fakes`, run as its users run it."""

import itertools
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import httpx
import pytest

from contract.wire.command import qlive
from qlive_app.children import free_ports, running
from qlive_app.config import load_settings
from qlive_app.fakes.serving.outgoing import http_client

from .rongcloud_calls import signed

WITHIN_S = 20
PHONE = "13900000001"


def command(*options: str) -> list[str]:
    return [sys.executable, "-u", "-m", "qlive_app", "fakes", *options]


@attrs.frozen
class Running:
    """The running command: the addresses that it printed, and where it wrote the configuration."""

    process: "subprocess.Popen[str]"
    qiniu: str
    rongcloud: str
    backup: str
    configuration: Path
    port: int

    @property
    def application(self) -> str:
        """The address of the qlive that it calls back."""
        return f"http://127.0.0.1:{self.port}"

    def next_line(self) -> str:
        """Return the next line that it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@pytest.fixture
def fakes(tmp_path: Path) -> Iterator[Running]:
    """The command on free ports, ready."""
    file = tmp_path / "fakes.conf"
    (port,) = free_ports(1)
    options = ["--application", f"http://127.0.0.1:{port}", "--write-config", str(file)]
    for name in ("--qiniu-port", "--rongcloud-port", "--rongcloud-backup-port"):
        options += [name, "0"]
    process = subprocess.Popen(command(*options), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        banner = "".join(iter(process.stdout.readline, "\n"))
        qiniu, rongcloud, backup, *_ = re.findall(r"http://127\.0\.0\.1:\d+", banner)
        assert f"qlive -f {file}" in banner
        yield Running(process, qiniu, rongcloud, backup, file, port)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_it_tells_each_call_and_ends_with_ctrl_c(fakes: Running) -> None:
    """One line for each call, with what was made of it; Ctrl-C ends it with 0."""
    headers = {**signed(), "Content-Type": "application/x-www-form-urlencoded"}
    with httpx.Client(trust_env=False) as http:
        for url in (fakes.rongcloud, fakes.backup):
            http.post(f"{url}/user/getToken.json", content="userId=ada&name=Ada", headers=headers)
        http.post(f"{fakes.qiniu}/v1/message", headers={"Authorization": "Qiniu other:x"})
    form = r"\d\d:\d\d:\d\d {} +POST {} {} [\d.]+ ms  {}.*\n"
    for who, path, status, why in (
        ("rongcloud#0", "/user/getToken.json", 200, r"token for ada \(Ada\)"),
        ("rongcloud#1", "/user/getToken.json", 200, r"token for ada \(Ada\)"),
        ("qiniu", "/v1/message", 401, "expected 'Qiniu qlive-test-ak:"),
    ):
        line = fakes.next_line()
        assert re.fullmatch(form.format(who, re.escape(path), status, why), line), line
    fakes.process.send_signal(signal.SIGINT)
    assert fakes.process.wait(WITHIN_S) == 0


def test_its_configuration_selects_the_clouds_at_these_addresses(fakes: Running) -> None:
    """Qlive has nothing to say against it; all providers are those of production."""
    assert load_settings(fakes.configuration, {}).warnings == ()
    written = json.loads(fakes.configuration.read_text().partition("\n")[2])
    assert [written[each]["provider"] for each in ("sms", "rtc", "im")] == ["qiniu", "qiniu", "rongcloud"]
    assert written["im"]["rongcloud"]["api_hosts"] == [fakes.rongcloud, fakes.backup]
    assert written["sms"]["qiniu_sms"]["api_host"] == fakes.qiniu
    assert written["listen_addr"] == f"127.0.0.1:{fakes.port}"


def test_clients_of_another_process(fakes: Running) -> None:
    """They come, receive and go by HTTP alone; what they send is told to the application, here to nobody."""
    headers = {**signed(), "Content-Type": "application/x-www-form-urlencoded"}
    with httpx.Client(trust_env=False, base_url=fakes.rongcloud) as http:
        answer = http.post("/user/getToken.json", content="userId=ada&name=Ada", headers=headers)
        http.post("/_fake/callbacks", json={"tries": 1}).raise_for_status()
        http.post("/_fake/clients", json={"token": answer.json()["token"]}).raise_for_status()
        assert http.get("/_fake/clients/ada/receive").json() == {"message": None}
        http.post(
            "/message/private/publish.json",
            content="fromUserId=s&toUserId=ada&objectName=RC:TxtMsg&content=%7B%22content%22:%22hi%22%7D",
            headers=headers,
        ).raise_for_status()
        message = http.get("/_fake/clients/ada/receive?wait_s=5").json()["message"]
        assert (json.loads(message["content"]), message["text"]) == ({"content": "hi"}, "hi")
        http.post("/_fake/clients/ada/join", json={"room": "new"}).raise_for_status()
        http.post("/_fake/clients/ada/send", json={"to": "bob", "text": "hello"}).raise_for_status()
        signal = http.post("/_fake/clients/ada/signal", content='end-pk={"pkRoomID":"r"}').json()
        assert (signal["to"], signal["text"]) == ("qlive-system", 'end-pk={"pkRoomID":"r"}')
        http.delete("/_fake/clients/ada").raise_for_status()
        assert http.post("/_fake/clients/ada/send", json={}).status_code == 400
        assert len(http.get("/_fake/users/bob/received").json()["messages"]) == 1
        told = [fakes.next_line() for _ in range(6)]
    assert sum("called back: ada" in line and "ConnectError" in line for line in told) == 4


async def test_a_developer_without_clouds(fakes: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server starts with the file as it is; the demo plays, a code is read, an app on IM is answered."""
    directory = fakes.configuration.parent
    monkeypatch.chdir(directory)
    async with (
        running(
            "qlive_app",
            ["-f", str(fakes.configuration)],
            log=directory / "qlive.log",
            port=fakes.port,
            ready_path="/readyz",
        ),
        http_client() as http,
    ):
        assert qlive("demo", "--url", fakes.application, "--fast").code == 0
        sent = await http.post(f"{fakes.application}/v1/send_sms_code?phone_number={PHONE}")
        assert sent.text == '""'
        (message,) = (await http.get(f"{fakes.qiniu}/_fake/sms?mobile={PHONE}")).json()["outbox"]
        login = {"phoneNumber": PHONE, "smsCode": message["parameters"]["code"]}
        account = (await http.post(f"{fakes.application}/v1/login?logintype=smscode", json=login)).json()
        bearer = {"Authorization": f"Bearer {account['token']}"}
        im = (await http.post(f"{fakes.application}/v1/im_user_token", headers=bearer)).json()
        await http.post(f"{fakes.rongcloud}/_fake/clients", json={"token": im["token"], "auto_pong": True})
        client = f"{fakes.rongcloud}/_fake/clients/{account['id']}"
        await http.post(f"{client}/signal", content="end-pk={}")
        answer = (await http.get(f"{client}/receive?wait_s=4")).json()["message"]["text"]
        assert answer == 'end-pk-res={"code":10013,"error":"room not in PK"}'
    told = list(itertools.takewhile(lambda line: "end-pk-res" not in line, iter(fakes.next_line, "")))
    assert sum("/jobs" in line for line in told) == 4
    assert sum("/chatroom/" in line for line in told) >= 4


def test_a_port_that_is_taken_is_one_clear_line() -> None:
    """It names the address, and exits with 3."""
    (port,) = free_ports(1)
    options = ["--qiniu-port", "0", "--rongcloud-port", str(port), "--rongcloud-backup-port", str(port)]
    done = subprocess.run(command(*options), capture_output=True, text=True, timeout=WITHIN_S, check=False)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert str(port) in done.stderr


def test_it_overwrites_only_what_it_wrote(tmp_path: Path) -> None:
    """A configuration of the user's own is left alone."""
    file = tmp_path / "qlive.conf"
    file.write_text("{}")
    done = subprocess.run(
        command("--write-config", str(file)), capture_output=True, text=True, timeout=WITHIN_S, check=False
    )
    assert done.returncode == 3
    assert str(file) in done.stderr
    assert file.read_text() == "{}"
