"""`eval` on the library: the table, the machine output, the gate, runs in and out, comparisons and charts."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path

import ir_measures
import pytest

from rerank_cli.cli.eval_arguments import spread, with_folder
from tests.cli.conftest import HEAR_SIGINT, Cli, assert_one_line, write_files

QUERIES = (
    '{"_id": "r1", "text": "why is my radiator cold at the top"}\n'
    '{"_id": "r2", "text": "boiler loses pressure"}\n'
    '{"_id": "r3", "text": "feed the sourdough starter"}\n'
    '{"_id": "r4", "text": "where is the spare key of the <b>shed</b>"}\n'
    '{"_id": "r5", "text": "nobody judged this"}\n'
)
QRELS = (
    "query-id\tcorpus-id\tscore\nr1\theating/radiators.md\t2\nr1\tmy notes.txt\t0\nr2\theating/boiler.md\t1\n"
    "r3\tkitchen/bread.md\t1\nr4\tmy notes.txt\t2\nr4\tgone.md\t1\n"
)


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    return write_files(tmp_path / "judged", {"queries.jsonl": QUERIES, "qrels/test.tsv": QRELS})


def table(lines: list[str]) -> dict[str, list[str]]:
    """The figures of each measure, as printed."""
    return {line.split()[0]: line.split()[1:] for line in lines if re.match(r"\w+@?\d* +\d\.\d{4} ", line)}


def test_the_table_shows_both_stages_and_the_sentence(indexed: Path, cli: Cli, judged: Path) -> None:
    outcome = cli("eval", "--collection", judged)
    assert outcome.code == 0
    assert outcome.lines[0].split() == [
        "first", "stage", "reranked", "change", "95", "%", "interval", "won/tied/lost", "p",
    ]  # fmt: skip
    figures = table(outcome.lines)
    assert list(figures) == [
        "nDCG@10", "R@10", "R@100", "RR@10", "AP", "P@5", "Success@1", "ContextRecall@2000",
    ]  # fmt: skip
    assert figures["R@10"][:3] == ["0.8750", "0.8750", "+0.0000"]
    assert outcome.lines[-1].startswith("Whether reranking pays at depth 100, 4 queries cannot tell: nDCG@10")
    assert "1 of 5 judged documents (gone.md) not in the index" in outcome.err
    assert "1 query (r5) without judgements, not asked" in outcome.err


def test_a_second_run_recalls_every_score_and_prints_the_same_figures(indexed: Path, cli: Cli, judged: Path) -> None:
    first = cli("eval", "--collection", judged, "--no-cache", "--json").json
    cli("eval", "--collection", judged)
    recalled = cli("eval", "--collection", judged, "--json").json
    assert recalled["measures"] == first["measures"]
    assert any("pairs were scored by an earlier run" in note for note in recalled["notes"])
    assert not any("earlier run" in note for note in first["notes"])


def test_json_has_models_parameters_environment_and_each_query(indexed: Path, cli: Cli, judged: Path) -> None:
    record = cli("eval", "--collection", judged, "--json", "--top-k", "7", "--measure", "P@1", "--measure", "AP").json
    assert list(record["measures"]) == ["P@1", "AP"]
    assert set(record["measures"]["AP"]) == {
        "first_stage", "reranked", "difference", "low", "high", "won", "tied", "lost", "p_value",
    }  # fmt: skip
    assert record["parameters"]["top_k"] == 7 and record["parameters"]["fusion"] == "linear"
    assert record["command"].startswith("rerank-cli eval --collection")
    assert all(record["models"].values()) and record["environment"]["python"]
    assert [row["query_id"] for row in record["by_query"]] == ["r1", "r2", "r3", "r4"]
    assert record["collection"]["missing_documents"] == ["gone.md"]
    assert record["partial"] is False


def test_the_depth_of_a_sweep_equals_a_run_of_its_own(indexed: Path, cli: Cli, judged: Path) -> None:
    swept = cli("eval", "--collection", judged, "--sweep", "top-k=2,4,9", "--json").json["sweeps"][0]
    for row, depth in zip(swept["rows"], (2, 4, 9), strict=True):
        alone = cli("eval", "--collection", judged, "--top-k", str(depth), "--json").json["measures"]
        assert row["reranked"] == {name: figures["reranked"] for name, figures in alone.items()}
        assert row["first_stage"] == {name: figures["first_stage"] for name, figures in alone.items()}


def test_a_sweep_of_tokens_shows_what_they_buy(indexed: Path, cli: Cli, judged: Path) -> None:
    command = ("eval", "--collection", judged, "--sweep", "max-tokens=100,400", "--max-tokens", "400")
    done = cli(*command, "--json").json
    rows = done["sweeps"][0]["rows"]
    assert [row["value"] for row in rows] == ["100", "400"]
    assert rows[1]["reranked"]["ContextRecall@400"] == done["measures"]["ContextRecall@400"]["reranked"]
    assert any(line.startswith("max-tokens  ContextRecall") for line in cli(*command).lines)


def test_a_printed_sweep_names_the_value_to_use(indexed: Path, cli: Cli, judged: Path) -> None:
    lines = cli("eval", "--collection", judged, "--sweep", "top-k=2,9", "--sweep", "retriever=dense,lexical").lines
    assert sum("use this" in line for line in lines) == 2
    assert any(line.startswith("lexical ") for line in lines)


def test_queries_and_judgements_beside_the_documents_are_found_and_warned_of(
    tmp_path: Path, cli: Cli, model_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = write_files(
        tmp_path / "docs", {"a.md": "# Radiators\n\nBleed them.\n", "queries.jsonl": "", "qrels.tsv": ""}
    )
    (docs / "queries.jsonl").write_text('{"_id": "1", "text": "bleed radiators"}\n')
    (docs / "qrels.tsv").write_text("1\ta.md\t1\n")
    cli("index", docs)
    monkeypatch.chdir(docs)
    assert "queries.jsonl is itself in the index" in cli("eval").err
    (docs / ".rerankignore").write_text("queries.jsonl\nqrels.tsv\n")
    cli("index", docs)
    outcome = cli("eval")
    assert outcome.code == 0 and "itself in the index" not in outcome.err


@pytest.fixture
def beir(tmp_path: Path, cli: Cli, model_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A BEIR folder, indexed as a folder, to stand in."""
    folder = write_files(
        tmp_path / "beir",
        {
            "corpus.jsonl": '{"_id": "1", "title": "Radiators", "text": "Bleed them with the key."}\n'
            '{"_id": "2", "title": "Boiler", "text": "Top it up until the gauge reads 1.3 bar."}\n',
            "queries.jsonl": '{"_id": "1", "text": "bleed a radiator"}\n{"_id": "2", "text": "boiler gauge"}\n',
            "qrels/test.tsv": "query-id\tcorpus-id\tscore\n1\t1\t1\n2\t2\t1\n",
        },
    )
    cli("index", folder)
    monkeypatch.chdir(folder)
    return folder


def test_a_beir_folder_that_was_indexed_whole_is_judged_by_the_records_own_ids(beir: Path, cli: Cli) -> None:
    outcome = cli("eval", "--run-out", beir / "ours.run", "--json")
    assert outcome.code == 0
    assert outcome.json["measures"]["R@10"]["reranked"] == 1.0
    assert outcome.json["collection"]["missing_documents"] == []
    rows = list(ir_measures.read_trec_run(str(beir / "ours.run")))
    qrels = [ir_measures.Qrel("1", "1", 1), ir_measures.Qrel("2", "2", 1)]
    ours = outcome.json["measures"]["RR@10"]["reranked"]
    assert ir_measures.calc_aggregate([ir_measures.RR @ 10], qrels, rows)[ir_measures.RR @ 10] == ours


# The gate


def test_the_gate_ends_with_1_and_the_reason(indexed: Path, cli: Cli, judged: Path) -> None:
    passed = cli("eval", "--collection", judged, "-q", "--fail-under", "R@10=0.875", "--fail-under", "Success@3=0.2")
    assert (passed.code, passed.err) == (0, "")
    failed = cli("eval", "--collection", judged, "-q", "--fail-under", "R@10=0.9")
    assert (failed.code, failed.err) == (1, "rerank-cli: R@10 is 0.8750, below 0.9\n")
    assert "R@10" in failed.out


def test_a_baseline_stops_a_drop(indexed: Path, cli: Cli, judged: Path, tmp_path: Path) -> None:
    old = cli("eval", "--collection", judged, "--json").json
    old["measures"]["P@5"]["reranked"] += 0.05
    (tmp_path / "old.json").write_text(json.dumps(old))
    arguments = ("eval", "--collection", judged, "-q", "--baseline", tmp_path / "old.json")
    assert cli(*arguments, "--max-drop", "0.06").code == 0
    failed = cli(*arguments)
    assert cli(*arguments, "--measure", "P@7").code == 4, "nothing in common is no pass"
    assert failed.code == 1 and re.search(r"P@5 fell from \d\.\d{4} to \d\.\d{4}", failed.err)


# Runs in and out


def test_a_written_run_has_the_same_figures_for_us_and_for_ir_measures(
    indexed: Path, cli: Cli, judged: Path, tmp_path: Path
) -> None:
    record = cli("eval", "--collection", judged, "--json", "--run-out", tmp_path / "ours.run").json
    read = cli("eval", "--collection", judged, "--json", "--run-in", tmp_path / "ours.run", "--measure", "AP").json
    assert read["measures"]["AP"]["run"] == record["measures"]["AP"]["reranked"]
    run = ir_measures.read_trec_run(str(tmp_path / "ours.run"))
    qrels = [ir_measures.Qrel("r2", "heating/boiler.md", 1)]
    ours = next(row for row in record["by_query"] if row["query_id"] == "r2")["reranked"]["RR@10"]
    assert ir_measures.calc_aggregate([ir_measures.RR @ 10], qrels, run)[ir_measures.RR @ 10] == ours


def test_foreign_runs_are_judged_without_an_index_and_compared(cli: Cli, judged: Path, tmp_path: Path) -> None:
    files = {
        "a.run": "r1 Q0 heating/radiators.md 1 2 x\nr1 Q0 other 2 1 x\n",
        "b.run": "r1 Q0 other 1 2 x\nr1 Q0 heating/radiators.md 2 1 x\n",
    }
    write_files(tmp_path, files)
    outcome = cli("eval", "--collection", judged, "--run-in", tmp_path / "a.run", tmp_path / "b.run")
    assert outcome.code == 0
    assert table(outcome.lines)["RR@10"][:3] == ["0.2500", "0.1250", "-0.1250"]
    assert "p (Holm)" in outcome.lines[0]
    assert "3 judged queries (r2, r3, r4) not in the run, counted as 0" in outcome.err
    alone = cli("eval", "--qrels", judged / "qrels/test.tsv", "--run-in", tmp_path / "a.run", "--measure", "P@1")
    assert alone.lines[1].split() == ["P@1", "0.2500"]


# Several configurations


def test_configurations_are_tested_against_the_first(indexed: Path, cli: Cli, judged: Path, tmp_path: Path) -> None:
    write_files(
        tmp_path, {"deep.yaml": "top_k: 20\n", "bare.yaml": "rerank: false\n", "words.yaml": "retriever: lexical\n"}
    )
    names = [tmp_path / name for name in ("deep.yaml", "bare.yaml", "words.yaml")]
    record = cli("eval", "--collection", judged, "--json", "--compare", *names, "--measure", "RR@10").json
    assert [each["name"] for each in record["compared"]] == [str(name) for name in names]
    deep, bare, _ = record["compared"]
    assert deep["against_the_first"] == {} and "p_holm" in bare["against_the_first"]["RR@10"]
    first_stage = cli("eval", "--collection", judged, "--json", "--no-rerank", "--measure", "RR@10").json
    assert bare["measures"]["RR@10"] == first_stage["measures"]["RR@10"]["reranked"]
    printed = cli("eval", "--collection", judged, "--compare", *names)
    assert sum("p (Holm)" in line for line in printed.lines) == 2


def test_every_configuration_has_to_pass_the_gate(indexed: Path, cli: Cli, judged: Path, tmp_path: Path) -> None:
    names = [tmp_path / name for name in ("deep.yaml", "one.yaml")]
    write_files(tmp_path, {"deep.yaml": "top_k: 20\n", "one.yaml": "top_k: 1\n"})
    outcome = cli("eval", "--collection", judged, "-q", "--compare", *names, "--fail-under", "R@10=0.9")
    assert outcome.code == 1
    assert [line.split()[1] for line in outcome.err.splitlines()] == [f"{name}:" for name in names]


def test_what_every_configuration_has_to_say_is_said_once(
    indexed: Path, cli: Cli, judged: Path, tmp_path: Path
) -> None:
    write_files(tmp_path, {"a.yaml": "top_k: 20\n", "b.yaml": "top_k: 5\n"})
    outcome = cli("eval", "--collection", judged, "--compare", tmp_path / "a.yaml", tmp_path / "b.yaml")
    assert outcome.err.count("r5") == 1 and "rerank-cli: 1 query (r5) without judgements" in outcome.err


@pytest.mark.parametrize(("answered", "shown"), [(2, ["a.yaml"]), (5, ["a.yaml", "b.yaml"])])
def test_ctrl_c_between_configurations_starts_no_other(
    indexed: Path, cli: Cli, judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answered: int,
    shown: list[str],
) -> None:  # fmt: skip
    from rerank_cli.evaluation.asking.one_pass import Pass

    whole, calls = Pass._answer, []

    def interrupted(self: Pass, query: object) -> object:
        calls.append(query)
        if len(calls) == answered + 1:
            raise KeyboardInterrupt
        return whole(self, query)  # type: ignore[arg-type]

    monkeypatch.setattr(Pass, "_answer", interrupted)
    names = [tmp_path / name for name in ("a.yaml", "b.yaml", "c.yaml")]
    write_files(tmp_path, {name.name: f"top_k: {depth}\n" for name, depth in zip(names, (20, 5, 9), strict=True)})
    outcome = cli("eval", "--collection", judged, "--json", "--compare", *names)
    assert outcome.code == 130 and outcome.json["partial"] is True
    assert [Path(each["name"]).name for each in outcome.json["compared"]] == shown
    assert len(calls) == answered + 1
    assert "c.yaml" in outcome.err and "not measured" in outcome.err


def test_a_configuration_with_another_encoder_needs_an_index_of_it(
    indexed: Path, cli: Cli, judged: Path, tmp_path: Path
) -> None:
    from rerank_cli.models.catalogue import find_model

    other = tmp_path / "encoder"
    shutil.copytree(find_model("all-MiniLM-L6-v2", "encoder").folder, other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "note": "another fingerprint"}))
    write_files(tmp_path, {"a.yaml": "top_k: 5\n", "b.yaml": f"encoder: {other}\n"})
    outcome = cli("eval", "--collection", judged, "--compare", tmp_path / "a.yaml", tmp_path / "b.yaml")
    assert outcome.code == 3
    assert_one_line(outcome, "b.yaml: no index of these documents was made with the encoder", "--index NAME")


# Diagnosis, report and picture


def test_the_diagnosis_tells_each_miss_and_counts_the_causes(indexed: Path, cli: Cli, judged: Path) -> None:
    outcome = cli("eval", "--collection", judged, "--diagnose")
    assert "    gone.md (grade 1): not in the index" in outcome.lines
    assert "1 of 5 relevant documents are not among the first 10:" in outcome.lines
    assert any(re.fullmatch(r"    not in the index +1  index it.*", line) for line in outcome.lines)


class Page(HTMLParser):
    """Every element of a page with its attributes, and whether each is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def page(indexed: Path, cli: Cli, judged: Path, tmp_path: Path) -> Path:
    outcome = cli("eval", "--collection", judged, "--report", tmp_path / "page.html")
    assert outcome.code == 0 and "not among the first" not in outcome.out
    return tmp_path / "page.html"


def test_the_page_fetches_nothing_and_shows_foreign_text_as_text(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    parsed = Page(text)
    assert parsed.open == []
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in parsed.elements}
    assert "http" not in text and "url(" not in text and "@import" not in text
    assert html.escape("<b>shed</b>") in text and "<b>shed" not in text
    assert sum(tag == "svg" for tag, _ in parsed.elements) == 3
    for part in ("Does reranking pay here?", "Each depth", "The worst queries", "gone.md: not in the index"):
        assert part in text
    assert "rerank-cli eval --collection" in text and "onnxruntime" in text


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def browse(tmp_path: Path) -> Iterator[object]:
    """Open a page in a real browser and have a script of ours measure it."""

    def measure(page: Path, *, width: int, dark: bool) -> dict[str, object]:
        script = (
            "<script>addEventListener('load', () => { const root = document.documentElement; const style ="
            " getComputedStyle(document.body); document.title = JSON.stringify({shown: root.clientWidth, needed:"
            " root.scrollWidth, ground: style.backgroundColor, ink: style.color, charts: [...document.querySelectorAll"
            "('svg')].map(chart => chart.getBoundingClientRect().width)}); })</script>"
        )
        copy = tmp_path / "measured.html"
        copy.write_text(page.read_text(encoding="utf-8").replace("</body>", f"{script}</body>"), encoding="utf-8")
        assert CHROMIUM
        done = subprocess.run(
            [
                CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},1200",
                f"--blink-settings=preferredColorScheme={0 if dark else 1}", f"--user-data-dir={tmp_path / 'profile'}",
                "--dump-dom", copy.as_uri(),
            ],
            capture_output=True, text=True, timeout=300, check=True,
        )  # fmt: skip
        title = re.search(r"<title>(.*?)</title>", done.stdout)
        assert title
        measured: dict[str, object] = json.loads(html.unescape(title[1]))
        return measured

    yield measure


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_the_page_fits_a_wide_and_a_narrow_browser_in_light_and_dark(page: Path, browse) -> None:
    wide, narrow = browse(page, width=1280, dark=False), browse(page, width=500, dark=False)
    dark = browse(page, width=1280, dark=True)
    for shown in (wide, narrow, dark):
        assert shown["needed"] <= shown["shown"]
        assert all(width > 200 for width in shown["charts"]) and len(shown["charts"]) == 3
    assert narrow["shown"] < 600 < wide["shown"]
    assert wide["ground"] == "rgb(255, 255, 255)" and dark["ground"] == "rgb(15, 20, 25)"
    assert wide["ink"] != dark["ink"]


def test_a_picture_is_drawn_without_what_a_matplotlibrc_in_the_current_folder_says(
    indexed: Path, cli: Cli, judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a file is read by matplotlib itself, and can have TeX run."""
    matplotlib = pytest.importorskip("matplotlib")
    monkeypatch.setitem(matplotlib.rcParams, "savefig.facecolor", "red")
    assert cli("eval", "--collection", judged, "--plot", tmp_path / "chart.svg").code == 0
    assert "#ff0000" not in (tmp_path / "chart.svg").read_text(encoding="utf-8")
    assert matplotlib.rcParams["savefig.facecolor"] == "red", "the settings of who calls us are as they were"


@pytest.mark.parametrize(("name", "magic"), [("p.png", b"\x89PNG"), ("p.svg", b"<?xml")])
def test_a_picture_is_drawn_where_matplotlib_is_installed(
    indexed: Path, cli: Cli, judged: Path, tmp_path: Path, name: str, magic: bytes
) -> None:
    pytest.importorskip("matplotlib")
    assert cli("eval", "--collection", judged, "--plot", tmp_path / name).code == 0
    assert (tmp_path / name).read_bytes().startswith(magic)


# What is refused, and what is interrupted


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--measure", "nDCG@ten"], ["nDCG@ten: no measure"]),
        (["--fail-under", "0.7"], ["--fail-under 0.7", "nDCG@10=0.70"]),
        (["--sweep", "depth=1"], ["no sweep over 'depth'"]),
        (["--max-drop", "0.1"], ["--max-drop without --baseline"]),
        (["--compare", "a.yaml"], ["--compare has one configuration"]),
        (["--compare", "a.yaml", "b.yaml", "--diagnose"], ["--diagnose", "--compare"]),
        (["--run-in", "a.run", "--sweep", "top-k=1"], ["--sweep", "--run-in"]),
        (["--run-in", "a.run", "--compare", "a", "b"], ["both given"]),
        (["--plot", "a.pdf"], ["neither .png nor .svg"]),
        (["judge"], ["--collection stands before judge"]),
        (["--collection", "nowhere"], ["nowhere: no queries.jsonl", "--queries"]),
        (["--run-in", "a.run"], ["--run-in without judgements"]),
        (["--run-in", "a.run", "b.run", "a.run"], ["--run-in names a.run twice"]),
        (["--compare", "a.yaml", "a.yaml"], ["--compare names a.yaml twice"]),
        (["--run-in", "a.run", "--top-k", "5"], ["--top-k", "--run-in"]),
        (["--run-in", "a.run", "--no-rerank"], ["--rerank", "--run-in"]),
        (["--baseline", "old.json", "--max-drop", "nan"], ["--max-drop nan"]),
        (["--baseline", "old.json", "--max-drop", "-0.1"], ["--max-drop -0.1"]),
        (["--sweep", "top-k=5", "--sweep", "top-k=10"], ["top-k stands twice"]),
        (["--sweep", "fusion-weight=0.1,0.5", "--fusion", "none"], ["fusion none has no weight"]),
        (["jugde"], ["'jugde' is no folder", "init or judge"]),
        (["--collection", "x", "."], ["two folders", "keep one --collection"]),
        (["--no-rerank", "--sweep", "fusion=rrf"], ["nothing is fused"]),
    ],
)
def test_wrong_usage_ends_with_2_and_one_line(
    indexed: Path, cli: Cli, judged: Path, arguments: list[str], parts: list[str]
) -> None:
    given = (
        arguments if "--collection" in arguments or "--run-in" in arguments else ["--collection", judged, *arguments]
    )
    outcome = cli("eval", *given)
    assert outcome.code == 2
    assert_one_line(outcome, *parts)


@pytest.mark.parametrize("flag", ["--report", "--run-out", "--plot"])
@pytest.mark.parametrize("place", ["nowhere/x.svg", "", "read-only/x.svg"])
def test_a_file_that_cannot_be_written_is_told_before_anything_is_asked(
    indexed: Path, cli: Cli, judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flag: str, place: str
) -> None:
    if flag == "--plot" and not place:
        pytest.skip("a folder has no ending of a picture")
    (tmp_path / "read-only").mkdir()
    monkeypatch.setattr("os.access", lambda path, _: Path(path).name != "read-only")  # root may write anywhere
    monkeypatch.setattr("rerank_cli.evaluation.asking.one_pass.Pass.ask", lambda *_, **__: pytest.fail("work was done"))
    outcome = cli("eval", "--collection", judged, flag, tmp_path / place)
    assert outcome.code == 4
    assert_one_line(outcome, f"{flag} {tmp_path / place}: cannot be written")


def test_a_folder_may_be_named_without_its_flag(indexed: Path, cli: Cli, judged: Path) -> None:
    given = cli("eval", "--measure", "AP", judged, "--top-k", "3", "--json").json
    assert (
        given["measures"]
        == cli("eval", "--collection", judged, "--measure=AP", "--top-k", "3", "--json").json["measures"]
    )
    assert given["parameters"]["top_k"] == 3


@pytest.mark.parametrize("name", ["judge", "init"])
@pytest.mark.parametrize(
    ("flag", "code", "part"),
    [("--index", 3, "no index here"), ("--queries", 4, "cannot be read"), ("--config", 2, "")],
)
def test_a_value_that_is_called_like_a_command_is_a_value(
    indexed: Path, cli: Cli, judged: Path, name: str, flag: str, code: int, part: str
) -> None:
    outcome = cli("eval", flag, name, judged)
    assert "is no folder" not in outcome.err and f"stands before {name}" not in outcome.err
    assert outcome.code == code, outcome.err
    assert_one_line(outcome, name, part)


def test_a_command_of_eval_is_still_one_behind_flags_without_a_value() -> None:
    words = {"valued": {"--index", "--queries"}, "commands": {"init", "judge"}}
    assert with_folder(["--quiet", "judge", "--queries", "init"], **words) == ["--quiet", "judge", "--queries", "init"]
    assert with_folder(["--index=x", "init", "--out", "y"], **words) == ["--index=x", "init", "--out", "y"]


def test_a_folder_without_a_collection_is_told_how_to_get_one(indexed: Path, cli: Cli) -> None:
    outcome = cli("eval")
    assert outcome.code == 2
    assert_one_line(outcome, "no queries with judgements there", "eval init")


def test_a_malformed_judgement_ends_with_4_before_anything_is_asked(indexed: Path, cli: Cli, judged: Path) -> None:
    (judged / "qrels" / "test.tsv").write_text("r1\theating/radiators.md\tgood\n")
    outcome = cli("eval", "--collection", judged)
    assert outcome.code == 4
    assert_one_line(outcome, f"{judged / 'qrels' / 'test.tsv'}:1: the grade 'good'")


DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("flag", "content", "where"),
    [
        ("--queries", '{"_id": "r1", "text": "x"}\n{"_id": "r2", "text": ' + DEEP + "}\n", "given:2: "),
        ("--queries", '{"_id": ' + "[" * 900 + "]" * 900 + ', "text": "x"}\n', "given:1: "),
        ("--qrels", '{"query_id": "r1", "doc_id": "x", "relevance": ' + DEEP + "}\n", "given:1: "),
        ("--qrels", '{"query_id": "r1", "doc_id": "x", "relevance": ' + "[" * 900 + "]" * 900 + "}\n", "grade 'list'"),
        (
            "--baseline",
            '{"measures": ' + DEEP + "}\n",
            "given: no result of eval --json: not valid JSON (nested too deeply)",
        ),
        ("--baseline", '{"measures":\n {,}}\n', "given:2: no result of eval --json: not valid JSON"),
        ("--baseline", '{"measures": ' + "[" * 900 + "]" * 900 + "}\n", "given: no result of eval --json"),
    ],
)
def test_json_that_is_nested_without_end_ends_with_4_and_one_short_line(
    indexed: Path, cli: Cli, judged: Path, tmp_path: Path, flag: str, content: str, where: str
) -> None:
    write_files(tmp_path, {"given": content})
    outcome = cli("eval", "--collection", judged, flag, tmp_path / "given")
    assert outcome.code == 4, outcome.err
    assert_one_line(outcome, where)
    assert len(outcome.err) < 400


def test_an_index_that_is_renewed_meanwhile_is_searched_as_it_was_when_the_judgements_were_read(
    cli: Cli, model_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judgements name records by ids of their own, which another generation has under another file's name."""
    library = write_files(tmp_path / "library", {"corpus.jsonl": '{"_id": "7", "text": "Bleed the radiator."}\n'})
    write_files(tmp_path / "judged", {"queries.tsv": "q\tradiator\n", "qrels.tsv": "q\t7\t1\n"})
    monkeypatch.chdir(library)
    assert cli("index", ".").code == 0
    first = cli("eval", "../judged", "--json")
    pipe = tmp_path / "baseline.json"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "rerank_cli", "eval", "../judged", "--json", "--baseline", str(pipe)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        with pipe.open("w") as baseline:  # it is read once the judgements were
            (library / "corpus.jsonl").rename(library / "other.jsonl")
            assert cli("index", ".").code == 0
            baseline.write(first.out)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 0, err
    record = json.loads(out)
    assert record["index"]["generation"] == first.json["index"]["generation"]
    assert record["measures"] == first.json["measures"]


def scores_kept(cache: Path) -> int:
    with closing(sqlite3.connect(cache / "rerank-cli" / "scores.sqlite")) as connection:
        return int(connection.execute("SELECT count(*) FROM scores").fetchone()[0])


def test_ctrl_c_prints_what_was_measured_and_says_that_it_is_partial(
    indexed: Path, cli: Cli, judged: Path, model_cache: Path, tmp_path: Path
) -> None:
    cli("eval", "--collection", judged)
    kept = scores_kept(model_cache)
    queries = "".join(f"q{number}\tcold radiator number {number} of {tmp_path}\n" for number in range(3000))
    qrels = "".join(f"q{number}\theating/radiators.md\t1\n" for number in range(3000))
    many = write_files(tmp_path / "many", {"queries.tsv": queries, "qrels.tsv": qrels})
    command = [sys.executable, "-c", f"{HEAR_SIGINT}; main()", "eval", "--collection", str(many), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        while scores_kept(model_cache) < kept + 30:  # some queries have been answered
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=300)
    record = json.loads(out)
    asked = record["collection"]["asked"]
    assert running.returncode == 130
    assert 0 < asked < 3000 and record["partial"] is True
    assert f"interrupted: partial figures of {asked} of 3000 queries" in err
    assert len(record["by_query"]) == asked


def test_options_that_take_several_values_are_repeated() -> None:
    assert spread(["--compare=a", "b", "--json"]) == ["--compare=a", "--compare", "b", "--json"]
    assert spread(["--compare", "a", "b", "--json", "c", "--run-in", "d", "e", "f"]) == [
        "--compare", "a", "--compare", "b", "--json", "c", "--run-in", "d", "--run-in", "e", "--run-in", "f",
    ]  # fmt: skip
