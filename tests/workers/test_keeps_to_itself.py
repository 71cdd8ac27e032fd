"""`index --workers ray` on this machine: what it says, what it leaves, and whom it talks to."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from rerank_cli.errors import InputError, UsageError
from rerank_cli.library import open_library
from rerank_cli.workers import cluster
from tests.tiny_pairs import NOUNS

TRACING = ("strace", "-f", "--seccomp-bpf", "-e", "trace=bind,connect", "-o")

LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")

ADDRESS = re.compile(r"\b(bind|connect)\(\d+, .*?(?:inet_addr\(|inet_pton\(AF_INET6, )\"([^\"]+)\"")


def can_trace() -> bool:
    if shutil.which("strace") is None:
        return False
    tried = subprocess.run([*TRACING, os.devnull, sys.executable, "-c", ""], capture_output=True, check=False)
    return tried.returncode == 0


@pytest.mark.skipif(not all(map(find_spec, ("ray", "pandas", "pyarrow"))), reason="the extra ray is not installed")
@pytest.mark.skipif(not can_trace(), reason="strace is not here, or may not trace")
@pytest.mark.parametrize("store", ["", "milvus+file:./milvus.db"])
def test_nothing_leaves_the_machine_and_nothing_is_left_on_it(
    tmp_path: Path, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    if store:
        pytest.importorskip("milvus_lite", reason="the extra milvus is not installed")
    for noun in NOUNS:
        place = tmp_path / "cloned/docs" / f"{noun}.md"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"# {noun}\n\nThe {noun} is cold on sunday.\n", encoding="utf-8")
    # No process may load what lies where one stands.
    for name in ("json", "records", "ray", "pyarrow", "psutil", "yaml"):
        (tmp_path / "cloned" / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "cloned")
    log = tmp_path / "log"
    flags = ["--workers", "ray", "--encoder", str(tiny_encoder), "--passage-tokens", "50", "--index", "./index"]
    flags += ["--store", store] if store else []
    done = subprocess.run(
        [*TRACING, str(log), sys.executable, "-m", "rerank_cli", "index", "docs", *flags],
        env={**os.environ, "PYTHONPATH": str(Path(cluster.__file__).parents[2]), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    progress = "rerank-cli: "  # which a slow machine is told of
    assert (done.returncode, [line for line in done.stderr.splitlines() if not line.startswith(progress)]) == (0, [])
    assert re.fullmatch(rf"(i_)?index: {len(NOUNS)} files, .*\n", done.stdout)
    talks = ADDRESS.findall(log.read_text(errors="replace"))
    assert ("connect", "127.0.0.1") in talks
    assert {address for _, address in talks if address not in LOOPBACK} == set()
    assert not (tmp_path / "ran").exists()
    assert [left for left in Path("/tmp").glob(f"{cluster._PREFIX}*") if cluster._is_left(left)] == []
    assert not (Path(os.environ["HOME"]) / ".ray").exists()


def test_an_address_for_programs_outside_a_cluster_is_refused() -> None:
    with pytest.raises(UsageError, match="ray://host:10001"), cluster._joined("ray://host:10001"):
        pass


def test_a_cluster_that_is_not_there_is_told_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(InputError, match="no Ray cluster can be joined there"), cluster._joined(address):
            pass


@pytest.mark.skipif(not find_spec("ray"), reason="the extra ray is not installed")
def test_what_a_worker_of_ray_raised_is_told_in_a_line() -> None:
    from ray.exceptions import RayTaskError

    from rerank_cli.workers.ray_workers import _telling

    error = RayTaskError("read_files", "Traceback:\n  …\nImportError: no rerank_cli\n", ImportError("no rerank_cli"))
    with pytest.raises(InputError, match=r"a worker of Ray failed \(.*ImportError: no rerank_cli\)"), _telling():
        raise error


def test_the_folder_of_a_killed_run_goes_with_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_PARENT", tmp_path)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    (tmp_path / f"rerank-cli-ray-{ended.pid}-x" / "ray").mkdir(parents=True)
    (tmp_path / f"rerank-cli-ray-{os.getpid()}-x").mkdir()
    with cluster._own_folder() as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert sorted(tmp_path.iterdir()) == sorted([folder, tmp_path / f"rerank-cli-ray-{os.getpid()}-x"])
    assert not folder.exists()


def test_without_the_extra_the_error_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr("rerank_cli.extras.find_spec", lambda name: None)
    library = open_library(tmp_path / "docs", index=tmp_path / "index", workers="ray")
    with pytest.raises(UsageError, match="--workers ray needs ray and pandas and pyarrow, not installed here") as told:
        library.update()
    assert told.value.remedy == "install what it needs: pip install 'rerank-cli[ray]'"
    assert not (tmp_path / "index").exists(), "nothing is made before that is told"
