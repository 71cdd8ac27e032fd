"""The whole command on tiny models: train, refuse, stop, interrupt, resume."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rerank_cli.records import Listener, Progress
from tests.cli.conftest import Cli, assert_one_line
from tests.tiny_pairs import FAST, rows

pytest.importorskip("datasets", reason="training needs the extra `train`")


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Hear what the progress bar is told."""

    @contextmanager
    def drawn(*, quiet: bool, silent_s: float) -> Iterator[Listener]:
        yield listener

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("rerank_cli.cli.train.drawn_progress", drawn)
        yield


@contextmanager
def interrupt_at(step: int, *, stage: str = "train") -> Iterator[None]:
    """Press Ctrl-C once so many steps are done."""

    def press(progress: Progress) -> None:
        if (progress.stage, progress.done) == (stage, step):
            raise KeyboardInterrupt

    with listening(press):
        yield


def weights_of(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def test_a_reranker_gets_better_and_is_written_as_a_plain_folder_with_its_card(
    cli: Cli,
    pairs: Path,
    tiny_reranker: Path,
    tmp_path: Path,
) -> None:
    from sentence_transformers import CrossEncoder

    command = ("train", "--pairs", pairs, "--out", "fitted", "--base", tiny_reranker, "--licence", "CC0", *FAST)
    done = cli(*command, "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["after"] > done.json["before"]
    assert done.json["held_out"] == 8 and done.json["trained_queries"] == 18
    card = (tmp_path / "fitted" / "README.md").read_text(encoding="utf-8")
    for told in ('license: "CC0"', "`pairs.jsonl`: 26 pairs", f"| 0 (before) | {done.json['before']:.4f} |", "torch "):
        assert told in card
    assert "cold sunday" not in card, "no text of the data"
    assert {path.name for path in tmp_path.iterdir()} == {"pairs.jsonl", "fitted"}
    model = CrossEncoder(str(tmp_path / "fitted"), device="cpu", model_kwargs={"dtype": "float32"})
    assert model.max_seq_length == 64
    assert not (tmp_path / "fitted" / "calibration.json").exists(), "pairs are no candidates of a search"
    good, bad = model.predict(
        [("how is the pan in", "pan in cold sunday weather"), ("how is the pan in", "pan in list")]
    )
    assert good > bad
    again = cli(*command)
    assert again.code == 2
    assert_one_line(again, "fitted: is there already")


def test_an_interrupted_training_is_resumed_and_ends_like_one_that_was_not(
    cli: Cli,
    pairs: Path,
    tiny_reranker: Path,
    tmp_path: Path,
) -> None:
    command = ("train", "--pairs", pairs, "--base", tiny_reranker, "--batch-queries", "3", "--patience", "9", *FAST)
    whole = cli(*command, "--out", "whole", "--json")
    assert whole.code == 0
    with interrupt_at(8):
        cut = cli(*command, "--out", "cut")
    assert cut.code == 130
    assert_one_line(cut, "interrupted", "cut.checkpoints", "--resume")
    assert not (tmp_path / "cut").exists() and (tmp_path / "cut.checkpoints" / "checkpoint-6").is_dir()
    assert_one_line(cli(*command, "--out", "cut"), "was not finished", "--resume")
    other = cli(*command, "--out", "cut", "--resume", "--seed", "3")
    assert other.code == 2
    assert_one_line(other, "that training had another seed")
    heard: list[Progress] = []
    with listening(heard.append):
        resumed = cli(*command, "--out", "cut", "--resume", "--json")
    assert resumed.code == 0
    assert next(progress.done for progress in heard if progress.stage == "train") == 7
    assert not any(progress.stage in ("encode", "mine") for progress in heard), "what was mined is kept"
    assert resumed.json["measured"] == whole.json["measured"]
    assert weights_of(tmp_path / "cut") == weights_of(tmp_path / "whole")
    assert "since it was resumed" in (tmp_path / "cut" / "README.md").read_text()
    assert not (tmp_path / "cut.checkpoints").exists()


def test_a_mining_that_was_interrupted_is_resumed_and_ends_like_one_that_was_not(
    cli: Cli, pairs: Path, tiny_reranker: Path, tmp_path: Path
) -> None:
    command = ("train", "--pairs", pairs, "--base", tiny_reranker, "--batch-queries", "3", *FAST)
    whole = cli(*command, "--out", "whole", "--json")
    for stage, done, kept in (
        ("encode", 72, "passages.vectors"),
        ("mine", 18, "passages.vectors"),
        ("validate", 1, "mined.json"),
    ):
        with interrupt_at(done, stage=stage):
            cut = cli(*command, "--out", stage)
        assert cut.code == 130
        assert_one_line(cut, "interrupted", f"{stage}.checkpoints", "--resume")
        assert {path.name for path in Path(f"{stage}.checkpoints").iterdir()} == {"training.json", "lock", kept}
        resumed = cli(*command, "--out", stage, "--resume", "--json")
        assert resumed.json["measured"] == whole.json["measured"]
        assert weights_of(tmp_path / stage) == weights_of(tmp_path / "whole")


def test_the_weights_are_those_of_the_best_measurement_and_not_of_the_last(
    cli: Cli, pairs: Path, tiny_reranker: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    checkpoints: dict[str, Any] = {}

    def keep(progress: Progress) -> None:
        if (progress.stage, progress.done) == ("write", 0):
            for folder in (tmp_path / "fitted.checkpoints").glob("checkpoint-*"):
                checkpoints[folder.name] = load_file(folder / "model.safetensors")

    with listening(keep):
        command = ("train", "--pairs", pairs, "--out", "fitted", "--base", tiny_reranker, "--epochs", "9", *FAST)
        done = cli(*command, "--json").json
    assert done["best_step"] < done["steps"], "training went on after its best"
    assert done["after"] == max(value for _, value in done["measured"])
    best = checkpoints[f"checkpoint-{done['best_step']}"]
    written = load_file(tmp_path / "fitted" / "model.safetensors")
    assert written.keys() == best.keys()
    assert all(weights.equal(best[name].to(weights.dtype)) for name, weights in written.items())


def test_a_training_that_betters_nothing_writes_nothing_and_ends_with_1(
    cli: Cli,
    pairs: Path,
    tiny_reranker: Path,
    tmp_path: Path,
) -> None:
    fixed = ("--learning-rate", "0", *FAST[2:])
    done = cli("train", "--pairs", pairs, "--out", "fitted", "--base", tiny_reranker, "--patience", "1", *fixed)
    assert done.code == 1
    assert_one_line(done, "nothing was written", "held-out queries nDCG@10 was 0.")
    assert {path.name for path in tmp_path.iterdir()} == {"pairs.jsonl"}


def test_a_reranker_may_begin_as_an_encoder(cli: Cli, pairs: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    from sentence_transformers import CrossEncoder

    taught = ("--teacher-share", "0.3", "--epochs", "4")
    done = cli("train", "--pairs", pairs, "--out", "fitted", "--base", tiny_encoder, *taught, *FAST)
    assert (done.code, done.err) == (0, "")
    assert CrossEncoder(str(tmp_path / "fitted"), device="cpu", trust_remote_code=True).num_labels == 1
    card = (tmp_path / "fitted" / "README.md").read_text(encoding="utf-8")
    assert "teacher share: `0.3`" in card and "trust_remote_code" in card


def test_an_encoder_has_no_teacher(cli: Cli, pairs: Path) -> None:
    done = cli("train", "--encoder", "--pairs", pairs, "--out", "fitted", "--teacher-share", "0.3")
    assert done.code == 2
    assert_one_line(done, "--teacher-share is for rerankers")


def test_an_encoder_gets_better_under_its_own_prompts(
    cli: Cli,
    pairs: Path,
    tiny_encoder: Path,
    tmp_path: Path,
) -> None:
    from sentence_transformers import SentenceTransformer

    done = cli("train", "--encoder", "--pairs", pairs, "--out", "fitted", "--epochs", "6", *FAST, "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["after"] > done.json["before"]
    model = SentenceTransformer(str(tmp_path / "fitted"), device="cpu")
    assert (model.prompts["query"], model.prompts["document"]) == ("key : ", "list : ")
    assert "pipeline_tag: sentence-similarity" in (tmp_path / "fitted" / "README.md").read_text()


def test_an_index_with_judgements_is_trained_on(
    cli: Cli,
    pairs: Path,
    tiny_reranker: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    texts = [(row["positive"], 1) for row in rows()] + [(row["negatives"][0], 0) for row in rows()]  # type: ignore[index]
    for number, (text, _) in enumerate(texts):
        (folder / f"{number}.txt").write_text(f"{text}\n", encoding="utf-8")
    queries = [json.dumps({"_id": str(number), "text": row["query"]}) for number, row in enumerate(rows())]
    queries.append(json.dumps({"_id": "fruitless", "text": "account mail"}))
    (tmp_path / "judged").mkdir()
    (tmp_path / "judged" / "queries.jsonl").write_text("\n".join(queries), encoding="utf-8")
    qrels = "".join(f"{number}\t{number}.txt\t1\n" for number in range(len(rows()))) + "fruitless\t0.txt\t0\n"
    (tmp_path / "judged" / "qrels.tsv").write_text(qrels, encoding="utf-8")
    assert cli("index", folder, "--passage-tokens", "32", "--quiet").code == 0
    monkeypatch.chdir(folder)
    command = ("train", "--collection", tmp_path / "judged", "--base", tiny_reranker, "--top-k", "20", *FAST)
    done = cli(*command, "--out", tmp_path / "fitted", "--json")
    assert done.code in (0, 1), done.err
    assert done.json["held_out"] == 8 and done.json["trained_queries"] > 12
    assert done.json["left_out"]["without a relevant document"] == 1
    assert done.json["validated_on"] == "the 20 passages that the first stage brings each"
    assert [file["what"] for file in done.json["files"]] == ["judged queries", "judgements", "indexed passages"]
    monkeypatch.setenv("RERANK_CLI_ENCODER", "all-MiniLM-L6-v2")
    other = cli(*command, "--out", tmp_path / "other")
    assert other.code == 3
    assert_one_line(other, "made with the encoder", "RERANK_CLI_ENCODER")
    assert not (tmp_path / "other.checkpoints").exists()


def test_what_cannot_be_meant_is_one_line(cli: Cli, pairs: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    both = cli("train", "--pairs", pairs, "--collection", ".", "--out", "x")
    assert both.code == 2
    assert_one_line(both, "--pairs and judgements were both given")
    pairs.write_text(pairs.read_text().splitlines()[0] + "\n{}\n")
    broken = cli("train", "--pairs", pairs, "--out", "x")
    assert broken.code == 4
    assert_one_line(broken, "pairs.jsonl:2: not a training pair")
    pairs.write_text(json.dumps(rows()[0]) + "\n")
    few = cli("train", "--pairs", pairs, "--out", "x")
    assert few.code == 4
    assert_one_line(few, "1 distinct queries", "too few")
    missing = cli("train", "--pairs", pairs, "--out", "x", "--base", "nowhere")
    assert missing.code == 4
    assert_one_line(missing, "nowhere: no such reranker")
    assert {path.name for path in tmp_path.iterdir()} == {"pairs.jsonl"}


def test_several_files_are_one_set_of_pairs_and_a_pair_that_stands_twice_counts_once(
    cli: Cli, pairs: Path, tiny_reranker: Path, tmp_path: Path
) -> None:
    lines = pairs.read_bytes().splitlines(keepends=True)
    (tmp_path / "more.jsonl.gz").write_bytes(gzip.compress(b"".join(lines[10:])))
    pairs.write_bytes(b"".join(lines[:16]))
    both = ("--pairs", pairs, "--pairs", "more.jsonl.gz")
    done = cli("train", *both, "--out", "fitted", "--base", tiny_reranker, *FAST, "--max-steps", "1", "--json").json
    assert [(file["name"], file["count"]) for file in done["files"]] == [("pairs.jsonl", 16), ("more.jsonl.gz", 16)]
    assert done["groups"] + done["held_out"] == 26


def test_a_query_that_leaves_no_passage_room_is_left_out_and_counted(
    cli: Cli, pairs: Path, tiny_reranker: Path
) -> None:
    for place in range(3):
        long = {"query": f"how is the pan {'in ' * 30}{place}", "positive": f"pan cold {place}", "negatives": ["oil"]}
        pairs.write_text(pairs.read_text() + json.dumps(long) + "\n")
    done = cli(
        "train", "--pairs", pairs, "--out", "fitted", "--base", tiny_reranker, *FAST, "--max-steps", "1", "--json"
    )
    assert done.json["left_out"] == {"too long to leave a passage room in 40 tokens": 3}


def test_a_summary_and_lines_of_progress_say_what_was_done_and_flags_may_be_variables(
    cli: Cli, pairs: Path, tiny_reranker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RERANK_CLI_BASE", str(tiny_reranker))
    monkeypatch.setenv("RERANK_CLI_EPOCHS", "5")
    done = cli("train", "--pairs", pairs, "--out", "fitted", "--patience", "9", *FAST[:-1])
    assert done.code == 0, done.err
    assert re.fullmatch(
        r".*/fitted\tnDCG@10 0\.\d{4} -> [01]\.\d{4} \(held out: 8 of 26 queries; step (3|6|9|12|15) of 15\)\n",
        done.out,
    )
    lines = done.err.splitlines()
    assert all(re.fullmatch(r"rerank-cli: \w.*, 0:\d\d:\d\d so far(, about 0:\d\d:\d\d left)?", line) for line in lines)
    for word in (
        "encode 0/72,",
        "encode 72/72,",
        "mine 0/18,",
        "mine 18/18,",
        "validate 8/8,",
        "train 1/",
        "write 1/1,",
    ):
        assert any(line.startswith(f"rerank-cli: {word}") for line in lines), word


def test_no_file_name_becomes_markup_of_the_card(cli: Cli, pairs: Path, tiny_reranker: Path, tmp_path: Path) -> None:
    odd = pairs.rename(tmp_path / "`a` [x](y) <b>\n# c.jsonl")
    done = cli("train", "--pairs", odd, "--out", "fitted", "--base", tiny_reranker, *FAST)
    assert done.code == 0, done.err
    card = (tmp_path / "fitted" / "README.md").read_text(encoding="utf-8")
    assert r"- `` `a` [x](y) <b>\n# c.jsonl ``: 26 pairs" in card
    assert "\n# c" not in card
