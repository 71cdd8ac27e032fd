from __future__ import annotations

import errno
from pathlib import Path

import pytest

from rerank_cli.errors import Busy, InputError, UsageError
from rerank_cli.training.destination import Destination, claim, last_checkpoint, telling_disk_errors

SETTINGS = {"seed": 17, "pairs": ["abc"], "share": 0.1}


def claimed(folder: Path, *, resume: bool, settings: dict[str, object]) -> Destination:
    """What a training that ended at once had claimed."""
    with claim(folder, resume=resume, settings=settings) as destination:
        return destination


def test_what_was_written_stands_in_place_and_nothing_beside_it(tmp_path: Path) -> None:
    destination = claimed(tmp_path / "deep" / "model", resume=False, settings=SETTINGS)
    (destination.partial / "1_Pooling").mkdir(parents=True)
    (destination.partial / "1_Pooling" / "config.json").write_text("{}")
    destination.publish()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["model"]
    assert (tmp_path / "deep" / "model" / "1_Pooling" / "config.json").read_text() == "{}"


def test_a_folder_that_holds_something_is_refused_and_an_empty_one_is_filled(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    destination = claimed(tmp_path / "taken", resume=False, settings=SETTINGS)
    destination.partial.mkdir()
    (destination.partial / "a").write_text("a")
    destination.publish()
    for path in (tmp_path / "taken", tmp_path / "taken" / "a"):
        with pytest.raises(UsageError, match="is there already"):
            claimed(path, resume=False, settings=SETTINGS)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="is there already"):
        claimed(tmp_path / "link", resume=False, settings=SETTINGS)


def test_an_unfinished_training_is_only_gone_on_with_when_asked(tmp_path: Path) -> None:
    claimed(tmp_path / "model", resume=False, settings=SETTINGS)
    with pytest.raises(UsageError, match="was not finished") as caught:
        claimed(tmp_path / "model", resume=False, settings=SETTINGS)
    assert "--resume" in caught.value.remedy
    destination = claimed(tmp_path / "model", resume=True, settings=SETTINGS)
    destination.discard()
    assert not list(tmp_path.iterdir())
    claimed(tmp_path / "model", resume=True, settings=SETTINGS)  # nothing to go on with: it begins


@pytest.mark.parametrize("resume", [False, True])
def test_two_trainings_do_not_write_to_one_folder(tmp_path: Path, resume: bool) -> None:
    with claim(tmp_path / "model", resume=False, settings=SETTINGS) as first:
        with pytest.raises(Busy, match="another process is training there"):
            claimed(tmp_path / "model", resume=resume, settings=SETTINGS)
        first.partial.mkdir()
        first.publish()
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_an_unfinished_training_with_other_settings_is_not_gone_on_with(tmp_path: Path) -> None:
    claimed(tmp_path / "model", resume=False, settings=SETTINGS)
    with pytest.raises(UsageError, match="had another pairs and seed"):
        claimed(tmp_path / "model", resume=True, settings={**SETTINGS, "seed": 18, "pairs": ["abd"]})


@pytest.mark.parametrize("text", ['{"seed"', "", "[]", "[" * 200_000])
def test_an_unfinished_training_whose_settings_cannot_be_read_is_not_gone_on_with(tmp_path: Path, text: str) -> None:
    claimed(tmp_path / "model", resume=False, settings=SETTINGS)
    (tmp_path / "model.checkpoints" / "training.json").write_text(text)
    with pytest.raises(UsageError, match="cut off"):
        claimed(tmp_path / "model", resume=True, settings=SETTINGS)


def test_half_a_model_that_a_killed_run_left_is_written_anew(tmp_path: Path) -> None:
    destination = claimed(tmp_path / "model", resume=False, settings=SETTINGS)
    destination.partial.mkdir()
    (destination.partial / "old").write_text("half")
    assert not claimed(tmp_path / "model", resume=True, settings=SETTINGS).partial.exists()


def test_a_folder_that_cannot_be_made_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="Not a directory"):
        claimed(tmp_path / "file" / "model", resume=False, settings=SETTINGS)


class SafetensorError(Exception):
    """As safetensors names its own."""


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
        RuntimeError("[enforce fail at inline_container.cc:858] . PytorchStreamWriter failed writing file data/0"),
    ],
)
def test_a_full_disk_is_told_with_what_to_do(tmp_path: Path, error: Exception) -> None:
    destination = claimed(tmp_path / "model", resume=False, settings=SETTINGS)
    with (
        pytest.raises(InputError, match=r"model\.checkpoints: cannot be written") as caught,
        telling_disk_errors(destination),
    ):
        raise error
    assert "--resume" in caught.value.remedy
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("error", [RuntimeError("a bug"), ValueError("a bug"), BrokenPipeError(errno.EPIPE, "pipe")])
def test_other_errors_pass_as_they_are(tmp_path: Path, error: Exception) -> None:
    destination = claimed(tmp_path / "model", resume=False, settings=SETTINGS)
    with pytest.raises(type(error)) as caught, telling_disk_errors(destination):
        raise error
    assert caught.value is error


def test_a_checkpoint_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    for step, state in ((9, '{"global_step": 9}'), (50, '{"global_step"'), (100, None)):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if state is not None:
            (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text(state)
    (tmp_path / "checkpoint-late").mkdir()
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-9"
    assert last_checkpoint(tmp_path / "none") is None
