"""The child process: what it may, what it may not, and that nothing half-done ever comes back from it."""

from __future__ import annotations

import io
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dubgate import errors
from dubgate.delivery.media import probe_apart
from dubgate.errors import ChildError, DubgateError, MediaError
from dubgate.sandbox import PROBE_LIMITS, Limits, Reply, run_in_child

TESTS = Path(__file__).resolve().parent
LIMITS = Limits(wall_s=30.0, memory_bytes=1 << 30, test_tasks=str(TESTS))

linux_only = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="raw system calls by their x86-64 numbers"
)


def run(task: str, request: dict[str, object] | None = None, **changes: object) -> Reply:
    return run_in_child(task, request or {}, limits=replace(LIMITS, **changes))  # type: ignore[arg-type]


def test_a_task_answers_with_data_and_arrays_and_reports_progress() -> None:
    told: list[tuple[str, float]] = []
    reply = run_in_child("echo", {"x": [1, "two"]}, limits=LIMITS, progress=lambda *p: told.append(p))
    assert reply.data["given"] == {"x": [1, "two"]}
    assert np.array_equal(reply.arrays["a"], np.arange(5, dtype=np.float32))
    assert reply.arrays["b"].shape == (2, 3)
    assert reply.arrays["none"].size == 0
    assert told == [("half way", 0.5), ("beyond  [31m the end", 1.0)]
    assert reply.peak_memory_bytes > 10_000_000


def test_nothing_stays_on_disk(tmp_path: Path) -> None:
    reply = run_in_child("echo", {}, limits=LIMITS, scratch=tmp_path)
    assert Path(reply.data["scratch"]).is_relative_to(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_child_knows_no_secret_and_no_home_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "HF_TOKEN", "https_proxy", "PYTHONPATH", "SSH_AUTH_SOCK"):
        monkeypatch.setenv(name, "secret")
    reply = run_in_child("echo", {}, limits=LIMITS, environment={"DUBGATE_MODELS": "/models"})
    environment = reply.data["environment"]
    assert "secret" not in environment.values()
    assert environment["HOME"] == environment["TMPDIR"] == reply.data["scratch"]
    assert environment["PYANNOTE_METRICS_ENABLED"] == "0"
    assert environment["HF_HUB_OFFLINE"] == "1"
    assert environment["DUBGATE_MODELS"] == "/models"


@linux_only
@pytest.mark.parametrize(
    "what",
    ["python socket", "lookup", "inet socket", "inet6 socket", "unix socket", "netlink socket", "io_uring", "ptrace",
     "fork", "vfork-like clone", "clone3", "exec", "raw exec", "kill parent", "limit parent"],
)  # fmt: skip
def test_the_child_reaches_no_network_and_no_other_process(what: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        reply = run("attempt", {"what": what, "port": server.getsockname()[1]})
    assert reply.isolation.network == "seccomp"
    assert "refused" in reply.data, reply.data
    assert any(word in reply.data["refused"] for word in ("PermissionError", "not implemented")), reply.data


@linux_only
def test_a_call_of_another_interface_ends_the_child() -> None:
    with pytest.raises(ChildError, match="SIGSYS"):
        run("attempt", {"what": "compat call"})


@linux_only
def test_of_the_powers_of_root_only_reading_stays() -> None:
    answer = run("attempt", {"what": "capabilities"}).data["got"]
    kept = f"{4 if os.geteuid() == 0 else 0:016x}"
    assert answer == str([kept, kept])


def test_threads_are_allowed() -> None:
    assert run("attempt", {"what": "threads"}).data == {"got": "[0, 1, 2, 3]"}


@linux_only
def test_the_child_reads_its_inputs_and_no_other_file(tmp_path: Path) -> None:
    given, other = tmp_path / "dub.txt", tmp_path / "key.pem"
    given.write_text("sound")
    other.write_text("private")
    attempts = {}
    for what, path in (("read", given), ("read", other), ("write", given), ("write", other), ("list", tmp_path)):
        reply = run_in_child("attempt", {"what": what, "path": str(path)}, limits=LIMITS, inputs=[given])
        attempts[what, path.name] = next(iter(reply.data))
    if reply.isolation.files == "none":
        pytest.skip("this kernel has no Landlock")
    assert attempts.pop(("read", "dub.txt")) == "got"
    assert set(attempts.values()) == {"refused"}
    assert (given.read_text(), other.read_text()) == ("sound", "private")


@linux_only
def test_the_child_cannot_read_the_environment_of_its_parent() -> None:
    reply = run("attempt", {"what": "parent's environment"})
    if reply.isolation.files == "none":
        pytest.skip("this kernel has no Landlock")
    assert "refused" in reply.data


@linux_only
def test_the_child_reads_models_where_they_lie_also_in_our_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUBGATE_MODELS", f"{tmp_path / 'one'}{os.pathsep}{tmp_path / 'two'}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for folder in ("one", "two", "cache/dubgate/models", "cache/other"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "weights").write_text("w")
        reply = run("attempt", {"what": "read", "path": str(tmp_path / folder / "weights")})
        expected = "refused" if folder == "cache/other" and reply.isolation.files == "landlock" else "got"
        assert expected in reply.data


def test_a_crash_is_an_error_with_what_the_child_said() -> None:
    with pytest.raises(ChildError, match=r"crash: the child process crashed \(SIGSEGV\); it said: about to") as caught:
        run("crash")
    assert "\x1b" not in str(caught.value)


def test_a_hang_is_ended() -> None:
    with pytest.raises(ChildError, match="did not finish in time"):
        run("hang", wall_s=1.5)


def test_who_waits_for_several_can_end_one() -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    with pytest.raises(ChildError, match="another child"):
        run_in_child("hang", {}, limits=LIMITS, stop=stop)


def test_memory_is_limited_from_outside() -> None:
    with pytest.raises(ChildError, match=r"took more than 0\.25 GiB of memory"):
        run("hog_memory", memory_bytes=1 << 28)


def test_memory_is_limited_by_address_space_where_asked() -> None:
    with pytest.raises(ChildError, match="memory"):
        run("hog_memory", address_space_bytes=1 << 29)


def test_processor_time_is_limited() -> None:
    with pytest.raises(ChildError, match="processor time"):
        run("hog_processor", cpu_s=1)


def test_the_size_of_files_is_limited() -> None:
    with pytest.raises(ChildError, match="wrote a larger file"):
        run("hog_disk", file_bytes=8 << 20)


@pytest.mark.parametrize("code", [0, 1, 77])
def test_a_child_that_leaves_without_an_answer_is_an_error(code: int) -> None:
    with pytest.raises(ChildError, match=r"without a reply|ended with code"):
        run("leave", {"code": code})


@pytest.mark.parametrize(
    "name", [n for n, c in vars(errors).items() if isinstance(c, type) and issubclass(c, DubgateError)]
)
def test_an_error_of_ours_comes_back_as_what_it_is(name: str) -> None:
    with pytest.raises(DubgateError) as caught:
        run("refuse", {"class": name})
    assert type(caught.value) is getattr(errors, name)
    assert caught.value.what == "the dub is  [2J broken"
    assert (caught.value.where, caught.value.remedy) == ("dub.wav", "send it again")


@pytest.mark.parametrize(
    ("task", "said"),
    [("fail", "KeyError: 'something inside'"), ("run_out", "out of the memory"), ("interrupt", "SystemExit"),
     ("nan", "ValueError"), ("objects", "ValueError"), ("no_such_task", "no_such_task")],
)  # fmt: skip
def test_any_other_failure_is_a_child_error(task: str, said: str) -> None:
    with pytest.raises(ChildError, match=said):
        run(task)


def test_test_tasks_do_not_exist_outside_tests() -> None:
    with pytest.raises(ChildError, match="KeyError: 'echo'"):
        run("echo", test_tasks=None)


@pytest.mark.parametrize(
    "request_",
    [{"lines": ["not json\n"]}, {"lines": ["[1]\n"]}, {"lines": ["[" * 60_000 + "\n"]},
     {"lines": ["x"], "times": 200_000}, {"lines": ['{"progress": ["a", 0]}\n'], "times": 1_000_000}],
    ids=["no json", "a list", "deep", "one endless line", "endless lines"],
)  # fmt: skip
def test_garbage_and_endless_talk_are_errors(request_: dict[str, object]) -> None:
    with pytest.raises(ChildError, match=r"not a message|without end"):
        run("babble", request_)


@pytest.mark.parametrize("told", ['["a"]', '"a"', '["a", "b"]', "[1, 0.5]", "null", '["a", true]'])
def test_a_malformed_progress_report_is_dropped(told: str) -> None:
    heard: list[object] = []
    line = f'{{"progress": {told}}}\n'
    run_in_child("babble", {"lines": [line]}, limits=LIMITS, progress=lambda *p: heard.append(p))
    assert not heard


def npy(array: np.ndarray, *, cut: int = 0) -> str:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    data = file.getvalue()
    return data[: len(data) - cut].hex()


def forged(shape: tuple[int, ...]) -> str:
    """The header of a huge array, and eight bytes of it."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return (file.getvalue() + bytes(8)).hex()


EMPTY = b"{}".hex()


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"reply.json": b"{".hex()},
        {"reply.json": b'{"a": NaN}'.hex()},
        {"reply.json": (b"[" * 200_000).hex()},
        {"reply.json": EMPTY, "extra.txt": EMPTY},
        {"reply.json": EMPTY, "a b.npy": npy(np.ones(10))},
        {"reply.json": EMPTY, "a.npy": EMPTY},
        {"reply.json": EMPTY, "a.npy": npy(np.array([{}], dtype=object))},
        {"reply.json": EMPTY, "a.npy": npy(np.ones(10), cut=8)},
        {"reply.json": EMPTY, "a.npy": npy(np.array(["text"]))},
        {"reply.json": EMPTY, "a.npy": forged((1 << 40,))},
        {"reply.json": EMPTY, "a.npy": forged((1 << 32, 1 << 32))},
    ],
    ids=[
        "nothing",
        "cut",
        "NaN",
        "deep",
        "stranger",
        "strange name",
        "no array",
        "objects",
        "short",
        "text",
        "huge",
        "overflow",
    ],
)
def test_a_forged_reply_is_refused(files: dict[str, str]) -> None:
    with pytest.raises(ChildError, match="reply"):
        run("reply_with", {"files": files})


@pytest.mark.parametrize(
    "says", ["", '{"isolation": ["a", "b"]}\n', '{"done": 1, "isolation": ["a", "b"]}\n', '{"done": true}\n']
)
def test_a_reply_without_the_last_word_does_not_count(says: str) -> None:
    with pytest.raises(ChildError, match="without a reply"):
        run("reply_with", {"files": {"reply.json": EMPTY}, "says": says})


def test_a_reply_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("{}")
    with pytest.raises(ChildError, match="cannot be read"):
        run("reply_with", {"files": {}, "links": {"reply.json": str(tmp_path / "secret.json")}})


def test_a_reply_beyond_its_limit_is_refused() -> None:
    assert run("large", {"n": 1000}, output_bytes=20_000).arrays["a"].shape == (1000,)
    with pytest.raises(ChildError, match="larger than 20,000 bytes"):
        run("large", {"n": 10_000}, output_bytes=20_000)


def test_an_input_that_changes_meanwhile_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "dub.wav"
    path.write_bytes(b"a")
    with pytest.raises(MediaError, match="changed while it was being read"):
        run_in_child("echo", {}, limits=LIMITS, inputs=[path], progress=lambda *_: path.write_bytes(b"other"))


def gone_now(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def gone(pid: int) -> bool:
    for _ in range(100):
        if gone_now(pid):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_the_child_does_not_outlive_its_parent(how: signal.Signals, tmp_path: Path) -> None:
    code = (
        "import signal, sys\nfrom dubgate.sandbox import Limits, run_in_child\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background jobs are born deaf to it
        f"limits = Limits(test_tasks={str(TESTS)!r})\n"
        f"from pathlib import Path\nscratch = Path({str(tmp_path)!r})\n"
        "run_in_child('hang', {'pid_file': 1}, limits=limits, scratch=scratch, progress=lambda pid, _: print(pid, flush=True))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not gone_now(pid)
        parent.send_signal(how)
        parent.wait(timeout=20)
        assert gone(pid)


def test_children_run_side_by_side() -> None:
    replies: dict[int, object] = {}

    def work(k: int) -> None:
        replies[k] = run("echo", {"k": k}).data["given"]

    workers = [threading.Thread(target=work, args=(k,)) for k in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert replies == {k: {"k": k} for k in range(3)}


def test_the_child_leaves_no_descriptor_and_no_process_behind() -> None:
    run("echo")
    descriptors, children = len(os.listdir("/proc/self/fd")), _children()  # other tests may have left some running
    for task in ("echo", "crash", "fail"):
        try:
            run(task)
        except ChildError:
            continue
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert _children() <= children


def _children() -> set[str]:
    """The processes, running or not yet waited for, that this one started."""
    return {pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}


def test_a_media_file_is_probed_apart(speech: Path) -> None:
    info = probe_apart(speech / "dubs/es_StrongBaseline.mp4")
    assert info.container == "mov"
    assert info.audio[0].codec == "aac"
    assert float(info.frame_rate or 0) == pytest.approx(23.976, abs=1e-3)


def test_a_bad_media_file_is_a_media_error_of_the_parent_too(tmp_path: Path) -> None:
    path = tmp_path / "dub.wav"
    path.write_text("ffconcat version 1.0\nfile /etc/hostname\n")
    with pytest.raises(MediaError, match=r"dub\.wav: this is a concat script"):
        probe_apart(path)
    with pytest.raises(MediaError, match="no such file"):
        probe_apart(tmp_path / "nowhere.wav")
    with pytest.raises(ChildError, match="memory"):
        probe_apart(path, limits=replace(PROBE_LIMITS, memory_bytes=1 << 20))


@pytest.mark.slow
def test_torch_computes_inside() -> None:
    pytest.importorskip("torch")
    reply = run("torch_task", wall_s=120.0, memory_bytes=6 << 30)
    assert reply.data["value"] == 512.0
    assert json.dumps(reply.data)
