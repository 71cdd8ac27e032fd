"""What the README of the command line says of cron, systemd and logrotate, run as it stands there."""

from __future__ import annotations

import grp
import os
import pwd
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rerank_cli.models.saturation import saturates
from rerank_cli.store import write_lock
from rerank_cli.store.health import check_health
from tests.cli.conftest import LIBRARY, Cli, Outcome, assert_one_line, write_files
from tests.conftest import leave_without_home

ROOT = Path(__file__).parents[2]
README = (ROOT / "rerank_cli" / "cli" / "README.md").read_text(encoding="utf-8")


def block(kind: str, first_line: str = "") -> str:
    """The README's block of this *kind* that begins so."""
    found = re.findall(rf"^```{kind}\n({re.escape(first_line)}.*?)^```$", README, re.M | re.S)
    assert len(found) == 1, (kind, first_line)
    return str(found[0])


def crontab() -> dict[str, str]:
    """By its schedule, each command as cron hands it to the shell: at a % it ends, and \\% is one."""
    entries = [line.split(maxsplit=5) for line in block("crontab").splitlines() if not line.startswith("#")]
    commands = {" ".join(schedule): command for *schedule, command in entries}
    assert not any(re.search(r"(?<!\\)%", command) for command in commands.values())
    return {schedule: command.replace("\\%", "%") for schedule, command in commands.items()}


OFTEN, WEEKLY = crontab().values()


@pytest.fixture
def home(tmp_path: Path, session_data: Path, session_cache: Path) -> Path:
    """A home folder with notes in it, the program where the README's lines look for it, and both models compiled."""
    home = tmp_path / "home"
    write_files(home / "notes", {**LIBRARY, "straße/übung.md": "# Übung\n\nKräftig kneten.\n"})
    program = home / ".local" / "bin" / "rerank-cli"
    program.parent.mkdir(parents=True)
    start = f"exec {shlex.quote(sys.executable)} -P -m rerank_cli"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} {start} "$@"\n')
    program.chmod(0o755)
    (home / ".cache").symlink_to(session_cache)
    return home


def as_cron(command: str, home: Path) -> subprocess.Popen[str]:
    """Start *command* with what cron gives it: four variables, the home folder, and no terminal."""
    user = pwd.getpwuid(os.geteuid()).pw_name
    environment = {"SHELL": "/bin/sh", "HOME": str(home), "LOGNAME": user, "PATH": "/usr/bin:/bin"}
    return subprocess.Popen(
        ["/bin/sh", "-c", command],
        env=environment,
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def ended(running: subprocess.Popen[str]) -> Outcome:
    out, err = running.communicate(timeout=300)
    return Outcome(running.returncode, out, err)


def index_of(home: Path) -> Path:
    (index,) = (home / ".local" / "share" / "rerank-cli" / "indexes").iterdir()
    return index


SILENT = Outcome(0, "", "")


def test_the_line_for_every_quarter_of_an_hour_prints_nothing_while_all_is_well(home: Path) -> None:
    assert ended(as_cron(OFTEN, home)) == SILENT
    assert ended(as_cron(OFTEN, home)) == SILENT
    found = ended(as_cron(f'{home}/.local/bin/rerank-cli query "kräftig kneten" -f paths --top-n 1', home))
    assert found == Outcome(0, "notes/straße/übung.md\n", "")


def test_what_cannot_be_read_is_mailed_once(home: Path) -> None:
    write_files(home / "notes", {"bad.jsonl": "no json\n"})
    outcome = ended(as_cron(OFTEN, home))
    assert outcome.code == 0
    assert_one_line(outcome, "bad.jsonl", "line 1")
    assert ended(as_cron(OFTEN, home)) == SILENT


def test_a_folder_that_is_gone_is_mailed_in_one_line(home: Path) -> None:
    (home / "notes").rename(home / "elsewhere")
    outcome = ended(as_cron(OFTEN, home))
    assert outcome.code == 4
    assert_one_line(outcome, str(home / "notes"), "check the path")


def test_the_weekly_line_writes_to_a_log_that_is_private(home: Path) -> None:
    for _ in range(2):
        assert ended(as_cron(WEEKLY, home)) == SILENT
    log = home / "rerank-cli.log"
    first, summary, *_ = log.read_text(encoding="utf-8").splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", first)
    assert "7 documents" in summary
    assert log.stat().st_mode & 0o777 == 0o600


def test_the_weekly_line_mails_the_last_line_of_a_run_that_failed(home: Path) -> None:
    (home / "notes").rename(home / "elsewhere")
    outcome = ended(as_cron(WEEKLY, home))
    assert outcome.out.startswith("rerank-cli: ") and outcome.out.count("\n") == 1


def test_the_weekly_line_mails_that_too_much_is_gone(home: Path) -> None:
    """And not the summary, which is written to the same log before it."""
    write_files(home / "notes", {f"many/{n}.md": f"Note {n} on pipes.\n" for n in range(30)})
    assert ended(as_cron(OFTEN, home)) == SILENT
    (home / "notes" / "many").rename(home / "elsewhere")
    outcome = ended(as_cron(WEEKLY, home))
    assert outcome.out.count("\n") == 1
    assert "documents would be lost" in outcome.out and "--allow-shrink" in outcome.out


def test_of_two_runs_at_once_the_second_leaves_with_75_and_one_line(home: Path) -> None:
    """The first is at a file whose converter goes on when it is told to."""
    convert = f"touch {home}/begun; until [ -e {home}/go ]; do sleep 0.1; done; echo Pipes."
    settings = f"file_timeout: 3000\nconverter: [\".held=sh -c '{convert}' {{}}\"]\n"
    write_files(home, {".config/rerank-cli/config.yaml": settings, "notes/pipes.held": "to be converted\n"})
    first = as_cron(OFTEN, home)
    while not (home / "begun").exists():
        assert first.poll() is None, ended(first)
        time.sleep(0.05)
    second = ended(as_cron(OFTEN, home))
    (home / "go").touch()
    assert second.code == 75
    assert_one_line(second, str(index_of(home)), "another process is writing")
    assert ended(first) == SILENT
    assert ended(as_cron(OFTEN, home)) == SILENT


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_stop_no_run(home: Path, closed: str) -> None:
    assert ended(as_cron(f"{OFTEN} {closed}", home)) == SILENT
    assert write_lock(index_of(home)).held is False


def test_without_a_home_folder_an_index_that_is_named_by_its_path_is_kept_up_to_date(
    tmp_path: Path, library: Path, session_data: Path, session_cache: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_without_home(monkeypatch)
    monkeypatch.setenv("XDG_CACHE_HOME", str(session_cache))
    outcome = cli("index", library, "--index", tmp_path / "index", "--quiet", "--wait-s", "0")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    (tmp_path / "index" / "catalog.sqlite").write_bytes(b"no database" * 1000)
    outcome = cli("status", "--index", tmp_path / "index")
    assert outcome.code == 3
    assert_one_line(outcome, "catalog.sqlite", "rerank-cli index --rebuild")


def read_only(cache: Path) -> list[str]:
    """Take the right to write from *cache*, and what keeps root from writing in spite of that."""
    for place in (cache, *cache.rglob("*")):
        place.chmod(0o500 if place.is_dir() else 0o400)
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root writes everywhere, and there is no setpriv to hold it back")
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


@pytest.fixture
def private_cache(home: Path, session_cache: Path) -> Iterator[Path]:
    """A copy of the compiled models as the cache of *home*."""
    (home / ".cache").unlink()
    shutil.copytree(session_cache, home / ".cache")
    yield home / ".cache"
    for place in (home / ".cache", *(home / ".cache").rglob("*")):
        place.chmod(0o700)


def test_a_cache_that_is_read_only_serves_what_is_compiled(home: Path, private_cache: Path) -> None:
    hold = shlex.join(read_only(private_cache))
    assert ended(as_cron(f"{hold} {OFTEN}", home)) == SILENT
    query = f'{hold} "$HOME/.local/bin/rerank-cli" query "kräftig kneten" -f paths --top-n 1'
    assert ended(as_cron(query, home)) == Outcome(0, "notes/straße/übung.md\n", "")


def test_a_cache_that_is_read_only_and_empty_is_told_in_one_line_if_it_is_needed(
    home: Path, private_cache: Path
) -> None:
    shutil.rmtree(private_cache / "rerank-cli")
    outcome = ended(as_cron(f"{shlex.join(read_only(private_cache))} {OFTEN}", home))
    if saturates():
        assert outcome.code == 4
        assert_one_line(outcome, "cannot be written")
    else:
        assert outcome == Outcome(0, "", "")


# cron itself


@pytest.fixture
def cron(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Start cron on a crontab, alone in a mount namespace; gives the folder of its mails."""
    if os.geteuid() != 0 or not (shutil.which("cron", path="/usr/sbin") and shutil.which("unshare")):
        pytest.skip("cron is not installed, or we may not start one of our own")
    scratch = tmp_path / "cron"
    scratch.mkdir()
    started: list[subprocess.Popen[str]] = []

    def start(crontab: str) -> Path:
        (scratch / "crontab").write_text(crontab)
        command = ["unshare", "--mount", "sh", str(Path(__file__).with_name("cron-alone.sh")), str(scratch)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        started.append(process)
        while not (scratch / "ready").exists():
            if process.poll() is not None:
                pytest.skip(f"cron cannot be set apart here: {process.communicate()[1].strip()}")
            time.sleep(0.05)
        return scratch

    yield start
    (scratch / "enough").touch()
    for process in started:
        process.communicate(timeout=300)


def test_cron_runs_the_line_and_mails_what_went_wrong(home: Path, cron: Callable[[str], Path]) -> None:
    """cron begins at the next full minute, so this takes up to one."""
    failing = OFTEN.replace("$HOME/notes", "$HOME/gone")
    assert failing != OFTEN
    lines = [f"HOME={home}", *(f"* * * * * {command.replace('%', chr(92) + '%')}" for command in (OFTEN, failing))]
    scratch = cron("\n".join(lines) + "\n")
    deadline = time.monotonic() + 240
    while not (list(scratch.glob("mail.*")) and is_whole(home)):
        assert time.monotonic() < deadline, "cron has run nothing"
        time.sleep(0.2)
    for mail in scratch.glob("mail.*"):  # one a minute
        head, _, body = mail.read_text(encoding="utf-8").partition("\n\n")
        assert "/gone" in head
        assert body == f"rerank-cli: {home}/gone: no such folder or file; check the path\n"


def is_whole(home: Path) -> bool:
    return any(
        check_health(folder).failure is None
        for folder in (home / ".local" / "share" / "rerank-cli" / "indexes").glob("*")
    )


# logrotate


def test_the_log_is_rotated(tmp_path: Path) -> None:
    if (logrotate := shutil.which("logrotate", path="/usr/sbin:/usr/bin")) is None:
        pytest.skip("there is no logrotate")
    user, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    stanza = block("logrotate").replace("/home/ann/", f"{tmp_path}/").replace("ann ann", f"{user} {group}")
    (tmp_path / "stanza").write_text(stanza)
    (tmp_path / "stanza").chmod(0o644)
    log = tmp_path / "rerank-cli.log"
    log.write_text("2026-11-27T03:30:00\nnotes: 7 documents\n")
    options = ["--state", str(tmp_path / "state"), str(tmp_path / "stanza")]
    shown = subprocess.run([logrotate, "-d", *options], capture_output=True, text=True, check=False, timeout=300)
    assert shown.returncode == 0 and "error" not in shown.stderr, shown.stderr
    subprocess.run([logrotate, "--force", *options], check=True, capture_output=True, timeout=300)
    assert (tmp_path / "rerank-cli.log.1.gz").is_file()
    assert (log.read_text(), log.stat().st_mode & 0o777) == ("", 0o600)


# systemd


@pytest.fixture
def units(home: Path) -> Path:
    """The README's units in the place that it gives for them."""
    folder = home / ".config" / "systemd" / "user"
    names = ("rerank-cli.service", "rerank-cli.timer")
    return write_files(folder, {name: block("ini", f"# {name}\n") for name in names})


def verified(units: Path, home: Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze")
    (home / "run").mkdir(mode=0o700, exist_ok=True)
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(home / "run")}
    command = ["systemd-analyze", "--user", "verify", *map(str, sorted(units.iterdir()))]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)


def test_systemd_finds_nothing_wrong_with_the_units(units: Path, home: Path) -> None:
    outcome = verified(units, home)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("unit", "right", "wrong"),
    [("service", "Nice=19", "Niec=19"), ("service", "%h/.local", "%h/nowhere"), ("timer", "*:0/15", "*:0/150/x")],
)
def test_systemd_would_find_a_mistake_in_the_units(units: Path, home: Path, unit: str, right: str, wrong: str) -> None:
    path = units / f"rerank-cli.{unit}"
    assert right in path.read_text()
    path.write_text(path.read_text().replace(right, wrong))
    assert verified(units, home).stderr


def test_systemd_runs_the_service(units: Path, home: Path) -> None:
    if shutil.which("systemd-run") is None:
        pytest.skip("there is no systemd-run")
    run = ["systemd-run", "--user", "--wait", "--pipe", "--quiet", "--collect"]
    if (tried := subprocess.run([*run, "true"], capture_output=True, text=True, check=False, timeout=300)).returncode:
        pytest.skip(f"no user manager answers: {tried.stderr.strip()}")
    section = (units / "rerank-cli.service").read_text().partition("[Service]\n")[2]
    settings = dict(line.split("=", 1) for line in section.splitlines() if "=" in line)
    command = shlex.split(settings.pop("ExecStart").replace("%h", str(home)))
    properties = [f"--property={name}={value}" for name, value in settings.items() if name != "Type"]
    for _ in range(2):
        done = subprocess.run(
            [*run, *properties, f"--setenv=HOME={home}", *command],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert write_lock(index_of(home)).held is False
