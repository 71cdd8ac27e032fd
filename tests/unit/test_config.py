"""The configuration: which source wins, what each key may hold, what a project file may not say."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, get_args

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from rerank_cli.config import HELP, PREFIX, Config, Device, Format, Settings, as_yaml, load_config
from rerank_cli.errors import ConfigError
from rerank_cli.records import Fusion, Retriever
from tests.conftest import leave_without_home

PROFILES = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


class Load(Protocol):
    def __call__(
        self,
        *,
        flags: Mapping[str, object] = ...,
        start: Path | None = ...,
        config_file: Path | None = ...,
        environment: Mapping[str, str] = ...,
    ) -> Config: ...


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME")
    return tmp_path / "home"


@pytest.fixture
def project(home: Path) -> Path:
    (home / "project").mkdir()
    return home / "project"


@pytest.fixture
def load(home: Path, project: Path) -> Load:
    """Load from the project, with nothing around it but what the test wrote."""

    def load(
        *,
        flags: Mapping[str, object] | None = None,
        start: Path | None = None,
        config_file: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Config:
        return load_config(
            flags=flags or {},
            start=start or project,
            config_file=config_file,
            environment=environment or {},
            other_variables={"RERANK_CLI_INDEX", "RERANK_CLI_CONFIG"},
        )

    return load


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def user_file(home: Path, text: str) -> Path:
    return write(home / ".config/rerank-cli/config.yaml", text)


def project_file(project: Path, text: str) -> Path:
    return write(project / "rerank.yaml", text)


def refusal(load: Load, **sources: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(**sources)
    assert "\n" not in f"{caught.value}{caught.value.remedy}"
    return caught.value


# Which source wins


def test_without_any_source_every_value_is_the_default_and_says_so(load: Load) -> None:
    config = load()
    assert config.settings == Settings()
    assert config.origins == dict.fromkeys(HELP, "default")
    assert config.files == ()


def test_each_source_outweighs_the_one_before_and_is_named_as_the_origin(load: Load, home: Path, project: Path) -> None:
    user = user_file(home, "top_k: 1\ntop_n: 1\nper_document: 1\npassage_tokens: 41\n")
    local = project_file(project, "top_k: 2\ntop_n: 2\nper_document: 2\n")
    config = load(
        environment={"RERANK_CLI_TOP_K": "3", "RERANK_CLI_TOP_N": "3"},
        flags={"top_k": 4},
    )
    settings = config.settings
    assert (settings.top_k, settings.top_n, settings.per_document, settings.passage_tokens) == (4, 3, 2, 41)
    assert config.files == (user, local)
    assert {key: origin for key, origin in config.origins.items() if origin != "default"} == {
        "top_k": "--top-k",
        "top_n": "RERANK_CLI_TOP_N",
        "per_document": str(local),
        "passage_tokens": str(user),
    }


def test_the_origin_of_a_switch_turned_off_is_the_flag_as_it_was_typed(load: Load) -> None:
    origins = load(flags={"rerank": False, "strict": True}).origins
    assert (origins["rerank"], origins["strict"]) == ("--no-rerank", "--strict")


def test_a_named_file_takes_the_place_of_the_project_file_but_not_of_the_users(
    load: Load, home: Path, project: Path, tmp_path: Path
) -> None:
    user_file(home, "top_n: 7")
    project_file(project, "per_document: 5\ntop_k: 2")
    named = write(tmp_path / "named.yaml", "top_k: 3")
    settings = load(config_file=named).settings
    assert (settings.top_n, settings.per_document, settings.top_k) == (7, 1, 3)


def test_a_named_file_that_is_missing_is_an_error(load: Load, tmp_path: Path) -> None:
    assert str(tmp_path / "none.yaml") in str(refusal(load, config_file=tmp_path / "none.yaml"))


def test_a_named_file_is_an_origin_by_its_whole_path(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = write(tmp_path / "named.yaml", "top_k: 3")
    monkeypatch.chdir(tmp_path)
    assert load(config_file=Path("named.yaml")).origins["top_k"] == str(named)


def test_the_nearest_project_file_upwards_is_taken_alone(load: Load, home: Path, project: Path) -> None:
    project_file(home, "top_k: 2\ntop_n: 2")
    near = project_file(project, "top_k: 3")
    (project / "deep/down").mkdir(parents=True)
    config = load(start=project / "deep/down")
    assert (config.settings.top_k, config.settings.top_n, config.files) == (3, 10, (near,))


def test_a_project_file_in_the_home_directory_counts(load: Load, home: Path) -> None:
    project_file(home, "top_k: 2")
    assert load().settings.top_k == 2


def test_a_project_file_above_the_home_directory_is_not_seen(load: Load, home: Path) -> None:
    project_file(home.parent, "top_k: 2")
    assert load().settings.top_k == 100


def test_outside_the_home_directory_the_search_goes_upwards_all_the_same(load: Load, tmp_path: Path) -> None:
    project_file(tmp_path / "srv", "top_k: 2")
    (tmp_path / "srv/docs").mkdir()
    assert load(start=tmp_path / "srv/docs").settings.top_k == 2


def test_the_home_directory_stops_the_search_also_where_it_is_reached_by_a_link(
    load: Load, home: Path, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project_file(tmp_path, "top_k: 2")
    (tmp_path / "link").symlink_to(home)
    monkeypatch.setenv("HOME", str(tmp_path / "link"))
    assert load().settings.top_k == 100


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("nowhere")])
def test_what_stands_in_the_place_of_a_settings_file_is_not_passed_over(load: Load, project: Path, make) -> None:
    """Its rules on what to leave out would be lost without a word."""
    make(project / "rerank.yaml")
    error = refusal(load)
    assert str(error) == f"{project / 'rerank.yaml'}: is no file"
    assert "move it away" in error.remedy


def test_the_users_file_lies_in_the_xdg_folder_where_one_is_set(
    load: Load, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_file(home, "top_k: 2")
    write(tmp_path / "xdg/rerank-cli/config.yaml", "top_k: 3")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert load().settings.top_k == 3


@pytest.mark.parametrize("folder", ["", "relative"])
def test_an_empty_or_relative_xdg_folder_is_ignored(
    load: Load, home: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_file(home, "top_k: 2")
    monkeypatch.setenv("XDG_CONFIG_HOME", folder)
    assert load().settings.top_k == 2


def test_without_a_home_directory_the_other_sources_still_count(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_without_home(monkeypatch)
    project_file(project, "top_k: 2")
    config = load_config(flags={}, start=project, config_file=None, environment={}, other_variables=frozenset())
    assert config.settings.top_k == 2


# What a file may hold


def test_every_key_can_be_set_in_a_file(load: Load, home: Path) -> None:
    user_file(
        home,
        """\
encoder: acme/encoder
reranker: acme/reranker
device: cuda
remote_timeout: 5
passage_tokens: 64
include: ["*.md", docs/]
exclude:
  - drafts/
hidden: true
ignore_files: false
max_file_size: 500kB
file_timeout: 2.5
converter: [".doc=antiword {}"]
vectors: hnsw
store: milvus+https://host/notes
workers: ray
indexes: [notes, work]
retriever: lexical
top_k: 7
rerank: false
fusion: none
fusion_weight: 0.25
warm: true
fresh: true
fresh_budget: 1.5
budget: 800ms
top_n: 3
per_document: 2
min_score: -1.5
format: json
link: edit://{path}
color: never
pager: less -S
max_tokens: 500
tokenizer: acme/tokenizer
context_style: xml
order: edges
strict: true
max_shrink: 0.75
allow_shrink: true
wait_s: 0
""",
    )
    config = load()
    assert config.settings == Settings(
        encoder="acme/encoder",
        reranker="acme/reranker",
        device="cuda",
        remote_timeout=5.0,
        passage_tokens=64,
        include=("*.md", "docs/"),
        exclude=("drafts/",),
        hidden=True,
        ignore_files=False,
        max_file_size=500_000,
        file_timeout=2.5,
        converter=(".doc=antiword {}",),
        vectors="hnsw",
        store="milvus+https://host/notes",
        workers="ray",
        indexes=("notes", "work"),
        retriever="lexical",
        top_k=7,
        rerank=False,
        fusion="none",
        fusion_weight=0.25,
        warm=True,
        fresh=True,
        fresh_budget=1.5,
        budget=0.8,
        top_n=3,
        per_document=2,
        min_score=-1.5,
        format="json",
        link="edit://{path}",
        color="never",
        pager="less -S",
        max_tokens=500,
        tokenizer="acme/tokenizer",
        context_style="xml",
        order="edges",
        strict=True,
        max_shrink=0.75,
        allow_shrink=True,
        wait_s=0.0,
    )
    assert "default" not in config.origins.values()


@pytest.mark.parametrize(
    ("line", "got", "allowed"),
    [
        ("top_k: ten", "'ten'", "from 1 to 1000"),
        ("top_k: 0", "'0'", "from 1 to 1000"),
        ("top_k: 1001", "'1001'", "from 1 to 1000"),
        ("top_k: 10.5", "'10.5'", "from 1 to 1000"),
        ("top_k: 1:30", "'1:30'", "from 1 to 1000"),
        ("top_k: true", "'true'", "from 1 to 1000, or auto"),
        ("top_k: Auto", "'Auto'", "from 1 to 1000, or auto"),
        ("top_k:", "empty", "from 1 to 1000"),
        ("top_k: [5]", "['5']", "from 1 to 1000"),
        ("top_k: {deep: 5}", "a mapping", "from 1 to 1000"),
        ("passage_tokens: 31", "'31'", "from 32 to 2000"),
        ("passage_tokens: 2001", "'2001'", "from 32 to 2000"),
        ("top_n: 0", "'0'", "1 or more"),
        ("per_document: 0", "'0'", "1 or more"),
        ("device: tpu", "'tpu'", "cpu, cuda, mps"),
        ("retriever: Dense", "'Dense'", "hybrid, dense, lexical"),
        ("fusion: null", "empty", "linear, rrf, none"),
        ("fusion_weight: 1.5", "'1.5'", "from 0 to 1"),
        ("format: xml", "'xml'", "auto, table, plain, json, jsonl, tsv, paths, vimgrep, trec"),
        ("rerank: maybe", "'maybe'", "true or false"),
        ("rerank: [true]", "['true']", "true or false"),
        ("wait_s: -1", "'-1'", "0 or more"),
        ("wait_s: .inf", "'.inf'", "0 or more"),
        ("wait_s: inf", "'inf'", "0 or more"),
        ("wait_s:", "empty", "0 or more"),
        ("file_timeout: 0", "'0'", "seconds above 0"),
        ("file_timeout: nan", "'nan'", "seconds above 0"),
        ("file_timeout: 86401", "'86401'", "up to 86400"),
        ("file_timeout: inf", "'inf'", "up to 86400"),
        ("min_score: nan", "'nan'", "a number, or null"),
        ("max_file_size: 10 MegaByte", "'10 MegaByte'", "10MB"),
        ("max_file_size: 0", "'0'", "10MB"),
        ("max_file_size: -5MB", "'-5MB'", "10MB"),
        ("max_file_size: [1]", "['1']", "10MB"),
        ("encoder:", "empty", "a hub id"),
        ("encoder: ' '", "' '", "a hub id"),
        ('encoder: "a\\0b"', "'a\\x00b'", "a hub id"),
        ("reranker: [a]", "['a']", "a hub id"),
        ("include: [a, [b]]", "['a', {}]", "a list of patterns"),
        ("include: [a, '']", "['a', '']", "a list of patterns"),
        ("exclude:", "empty", "a list of patterns"),
    ],
)
def test_a_value_that_is_not_allowed_names_file_line_key_what_it_got_and_what_it_may_be(
    load: Load, home: Path, line: str, got: str, allowed: str
) -> None:
    path = user_file(home, f"# a comment\n{line}\n")
    error = refusal(load)
    assert str(error) == f"{path}:2: {line.partition(':')[0]} is {got}"
    assert error.remedy.startswith("allowed: ") and allowed in error.remedy


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("top_k: '5'", "top_k", 5),
        ("top_k: 1000", "top_k", 1000),
        ("top_k: auto", "top_k", "auto"),
        ("wait_s: 1e-3", "wait_s", 0.001),
        ("min_score: ~", "min_score", None),
        ("min_score: null", "min_score", None),
        ("hidden: On", "hidden", True),
        ("ignore_files: no", "ignore_files", False),
        ("include: '*.md'", "include", ("*.md",)),
        ("include: '*.md, *.txt'", "include", ("*.md", "*.txt")),
        ("include: ['Smith, John/']", "include", ("Smith, John/",)),
        ("include: []", "include", ()),
        ("max_file_size: 1.5 GiB", "max_file_size", 3 * 2**29),
        ("max_file_size: 2048", "max_file_size", 2048),
        ("max_file_size: 10mb", "max_file_size", 10_000_000),
        ("max_file_size: 1 B", "max_file_size", 1),
        ("max_file_size: 1 kB", "max_file_size", 1000),
        ("max_file_size: 1 KiB", "max_file_size", 1024),
        ("max_file_size: 1 MiB", "max_file_size", 1024**2),
        ("max_file_size: 1 GB", "max_file_size", 1000**3),
        ("encoder: 'null'", "encoder", "null"),
        ("encoder: 2024", "encoder", "2024"),
    ],
)
def test_a_value_means_what_its_key_holds_however_yaml_would_take_it(
    load: Load, home: Path, line: str, key: str, value: object
) -> None:
    user_file(home, line)
    assert getattr(load().settings, key) == value


def test_an_unknown_key_is_answered_with_the_one_that_was_meant(load: Load, project: Path) -> None:
    path = project_file(project, "top_n: 5\nTop-K: 5")
    error = refusal(load)
    assert str(error) == f"{path}:2: unknown key 'Top-K'"
    assert error.remedy == "did you mean top_k?"


def test_an_unknown_key_like_no_other_is_answered_with_where_the_keys_stand(load: Load, project: Path) -> None:
    project_file(project, "zzz: 5")
    assert "rerank-cli config" in refusal(load).remedy


def test_a_key_that_stands_twice_is_an_error_with_both_lines(load: Load, project: Path) -> None:
    path = project_file(project, "top_k: 5\ntop_n: 5\ntop_k: 5")
    assert str(refusal(load)) == f"{path}:3: top_k stands twice, first in line 1"


def test_a_wrong_value_is_an_error_even_where_a_flag_hides_it(load: Load, project: Path) -> None:
    project_file(project, "top_k: 0")
    refusal(load, flags={"top_k": 5})


@pytest.mark.parametrize("text", ["", "\n", "# nothing but a comment\n", "---\n", "null", "\ufefftop_k: 100"])
def test_an_empty_file_or_a_byte_order_mark_is_fine(load: Load, project: Path, text: str) -> None:
    path = project_file(project, text)
    config = load()
    assert (config.settings, config.files) == (Settings(), (path,))


@pytest.mark.parametrize("text", ["top_k", "- top_k: 5", "[top_k]", "''"])
def test_a_file_that_is_no_list_of_settings_is_an_error(load: Load, project: Path, text: str) -> None:
    path = project_file(project, text)
    assert str(refusal(load)) == f"{path}: not a list of settings"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("top_k: 5\ntop_n: [1\n", 3),
        ("top_k: 5\n\ttop_n: 5\n", 2),
        ("top_k: *nowhere\n", 1),
        ("top_k: 5\n---\ntop_n: 5\n", 2),
        ("top_k: 5\ntop_n\n", 3),
    ],
)
def test_what_is_not_valid_yaml_is_named_with_its_line(load: Load, project: Path, text: str, line: int) -> None:
    path = project_file(project, text)
    assert str(refusal(load)).startswith(f"{path}:{line}: not valid YAML: ")


@pytest.mark.parametrize("text", ["top_k: \x07", "[a]: 5", "a: " + "[" * 5000])
def test_yaml_that_no_configuration_needs_is_an_error_without_a_traceback(load: Load, project: Path, text: str) -> None:
    path = project_file(project, text)
    assert str(refusal(load)).startswith(str(path))


def test_a_file_that_is_not_utf8_is_an_error(load: Load, project: Path) -> None:
    (project / "rerank.yaml").write_bytes("top_k: 5 # größer".encode("latin-1"))
    assert str(refusal(load)) == f"{project / 'rerank.yaml'}: not UTF-8 at byte 13"


def test_a_file_without_permission_is_an_error(load: Load, project: Path) -> None:
    path = project_file(project, "top_k: 5")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root reads everything")
    assert str(refusal(load)) == f"{path}: cannot be read: Permission denied"


def test_a_place_that_cannot_be_looked_into_is_an_error_not_an_absent_file(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", f"/{'x' * 300}")
    error = refusal(load)
    assert str(error).endswith("cannot be looked for: File name too long")


def test_a_named_folder_is_an_error(load: Load, project: Path) -> None:
    assert str(refusal(load, config_file=project)) == f"{project}: cannot be read: Is a directory"


def test_a_yaml_tag_calls_nothing(load: Load, project: Path) -> None:
    project_file(project, "encoder: !!python/object/apply:os.mkdir [made]")
    refusal(load)
    project_file(project, f"encoder: !!python/object/apply:os.mkdir '{project / 'made'}'")
    refusal(load)
    assert not (project / "made").exists()


def test_a_short_file_that_stands_for_billions_of_entries_costs_nothing(load: Load, project: Path) -> None:
    levels = "".join(f"include: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    project_file(project, f"exclude: &a0 [x]\n{levels}")
    assert len(str(refusal(load))) < 500


# Variables


def test_an_empty_variable_counts_as_none(load: Load, project: Path) -> None:
    path = project_file(project, "top_k: 5\ninclude: [a]")
    config = load(environment={"RERANK_CLI_TOP_K": "", "RERANK_CLI_INCLUDE": "", "RERANK_CLI_TYPO": ""})
    assert (config.settings.top_k, config.settings.include) == (5, ("a",))
    assert config.origins["top_k"] == str(path)


@pytest.mark.parametrize("word", ["1", "true", "YES", "on"])
def test_a_switch_is_turned_on_by_each_word_for_it(load: Load, word: str) -> None:
    assert load(environment={"RERANK_CLI_HIDDEN": word}).settings.hidden is True


@pytest.mark.parametrize("word", ["0", "false", "No", "off"])
def test_a_switch_is_turned_off_by_each_word_for_it(load: Load, word: str) -> None:
    assert load(environment={"RERANK_CLI_RERANK": word}).settings.rerank is False


def test_a_list_in_a_variable_has_commas_or_line_ends_between_its_entries(load: Load) -> None:
    variables = {"RERANK_CLI_INCLUDE": "*.md, my notes/,", "RERANK_CLI_EXCLUDE": "a\nb\n"}
    settings = load(environment=variables).settings
    assert (settings.include, settings.exclude) == (("*.md", "my notes/"), ("a", "b"))


def test_a_limit_can_be_lifted_by_a_variable(load: Load, home: Path) -> None:
    user_file(home, "min_score: 0.5")
    assert load(environment={"RERANK_CLI_MIN_SCORE": "null"}).settings.min_score is None


def test_a_variable_with_a_value_that_is_not_allowed_is_named(load: Load) -> None:
    error = refusal(load, environment={"RERANK_CLI_TOP_K": "many"})
    assert str(error) == "RERANK_CLI_TOP_K is 'many'"
    assert "from 1 to 1000" in error.remedy


@pytest.mark.parametrize("name", ["RERANK_CLI_TOPK", "RERANK_CLI_top_k"])
def test_an_unknown_variable_of_ours_is_answered_with_the_one_that_was_meant(load: Load, name: str) -> None:
    error = refusal(load, environment={name: "5"})
    assert name in str(error)
    assert error.remedy == "did you mean RERANK_CLI_TOP_K?"


def test_the_variables_of_flags_that_are_no_settings_and_those_of_other_programs_pass(load: Load) -> None:
    variables = {"RERANK_CLI_INDEX": "x", "RERANK_CLI_CONFIG": "y", "_RERANK_CLI_COMPLETE": "z", "TOP_K": "0"}
    assert load(environment=variables).settings == Settings()


# Flags


def test_flags_come_as_they_were_typed(load: Load) -> None:
    flags: dict[str, object] = {
        "include": ["a,b", "c"],
        "max_file_size": "2MB",
        "min_score": 1,
        "rerank": False,
        "format": "trec",
    }
    assert load(flags=flags).settings == replace(
        Settings(), include=("a,b", "c"), max_file_size=2_000_000, min_score=1.0, rerank=False, format="trec"
    )


def test_a_flag_out_of_range_is_named_as_it_was_typed(load: Load) -> None:
    error = refusal(load, flags={"top_k": 5000})
    assert (str(error), error.remedy) == ("--top-k is 5000", "allowed: a whole number from 1 to 1000, or auto")


@pytest.mark.parametrize(("key", "value"), [("top_k", True), ("top_k", 1.0), ("min_score", True)])
def test_a_value_of_another_type_is_no_number(load: Load, key: str, value: object) -> None:
    refusal(load, flags={key: value})


# Models, and what a project file may not say


@pytest.mark.parametrize("key", ["encoder", "reranker"])
@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "acme/model", "models/none"])
def test_a_built_in_name_or_a_hub_id_of_the_users_stays_as_it_is(load: Load, home: Path, key: str, name: str) -> None:
    user_file(home, f"{key}: {name}")
    assert getattr(load().settings, key) == name


@pytest.mark.parametrize("key", ["encoder", "reranker"])
def test_a_project_file_may_name_the_built_in_model_but_no_hub_id(load: Load, project: Path, key: str) -> None:
    built_in = getattr(Settings(), key)
    other = Settings().reranker if key == "encoder" else Settings().encoder
    project_file(project, f"{key}: {built_in}")
    assert getattr(load().settings, key) == built_in
    for name in ("evil/model", "models/none", "model", "a/b/c", other, "hf://evil/model", "https://evil.example/m"):
        path = project_file(project, f"top_n: 3\n{key}: {name}")
        error = refusal(load)
        assert str(error).startswith(f"{path}:2: {key} is {name!r}, but a project file may name only {built_in}")
        assert f"--{key}, RERANK_CLI_{key.upper()} or in your user file" in error.remedy
        assert "\n" not in f"{error}{error.remedy}"
        assert getattr(load(config_file=path).settings, key) == name


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_link_inside_a_model_does_not_lead_a_project_file_out_of_its_folder(
    load: Load, project: Path, kind: str
) -> None:
    outside = project.parent / "secret"
    outside.mkdir()
    (outside / "weights").write_text("another's")
    (project / "model" / "deep").mkdir(parents=True)
    (project / "model" / "deep" / "link").symlink_to(outside / "weights" if kind == "file" else outside)
    path = project_file(project, "encoder: model")
    assert "outside" in str(refusal(load))
    assert load(config_file=path).settings.encoder == str(project / "model")
    (project / "blob").write_text("its own")
    (project / "model" / "deep" / "link").unlink()
    (project / "model" / "deep" / "link").symlink_to("../../blob")
    assert load().settings.encoder == str(project / "model")


def test_a_path_far_outside_is_refused_at_once(load: Load, project: Path) -> None:
    """Without a look at what lies there, which may be the whole disk."""
    project_file(project, f"encoder: {'../' * 50}")
    assert "outside" in str(refusal(load))


@pytest.mark.parametrize("text", ["models/mine", "./models/mine", "./models/../models/mine", "models"])
def test_a_model_folder_beside_the_project_file_becomes_an_absolute_path(load: Load, project: Path, text: str) -> None:
    (project / "models/mine").mkdir(parents=True)
    (project / "below").mkdir()
    project_file(project, f"encoder: {text}")
    assert load(start=project / "below").settings.encoder == str((project / text).resolve())


@pytest.mark.parametrize("key", ["encoder", "reranker"])
@pytest.mark.parametrize("text", ["/opt/model", "~/model", "~root/model", "..", "../model", "./a/../../b", "a/../../b"])
def test_a_project_file_may_not_name_a_model_outside_its_folder(load: Load, project: Path, key: str, text: str) -> None:
    path = project_file(project, f"{key}: {text}")
    error = refusal(load)
    assert str(error).startswith(f"{path}:1: {key} is {text!r}")
    assert f"--{key}, RERANK_CLI_{key.upper()} or in your user file" in error.remedy


def test_not_even_an_absolute_path_inside_it(load: Load, project: Path) -> None:
    (project / "model").mkdir()
    project_file(project, f"encoder: {project / 'model'}")
    refusal(load)


@pytest.mark.parametrize("text", ["model", "./model", "model/below"])
def test_a_link_does_not_lead_a_project_file_out_of_its_folder(load: Load, project: Path, text: str) -> None:
    (project.parent / "secret/below").mkdir(parents=True)
    (project / "model").symlink_to(project.parent / "secret")
    project_file(project, f"encoder: {text}")
    assert "outside" in str(refusal(load))


def test_a_link_that_stays_inside_is_followed(load: Load, project: Path) -> None:
    (project / "model-2").mkdir()
    (project / "model").symlink_to("model-2")
    project_file(project, "encoder: model")
    assert load().settings.encoder == str(project / "model-2")


@pytest.mark.parametrize("text", ["./loop", "a" * 300, '"./\\uD800"'])
def test_a_model_path_that_cannot_be_followed_is_an_error_without_a_traceback(
    load: Load, project: Path, text: str
) -> None:
    (project / "loop").symlink_to("loop")
    project_file(project, f"encoder: {text}")
    assert "cannot be followed" in str(refusal(load))


@pytest.mark.parametrize("text", ["../models/mine", "~/models/mine", "{home}/models/mine"])
def test_the_users_file_and_a_named_one_may_name_a_model_anywhere(
    load: Load, home: Path, project: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(home))
    (home / "models/mine").mkdir(parents=True)
    named = write(project / "named.yaml", f"reranker: {text.format(home=home)}")
    assert load(config_file=named).settings.reranker == str(home / "models/mine")
    user_file(home, f"encoder: {text.format(home=home)}".replace("../", "../../"))
    assert load().settings.encoder == str(home / "models/mine")


def test_a_model_folder_in_a_flag_or_a_variable_lies_under_the_current_folder(
    load: Load, home: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "models/mine").mkdir(parents=True)
    monkeypatch.chdir(home)
    settings = load(flags={"encoder": "models/mine"}, environment={"RERANK_CLI_RERANKER": "./models"}).settings
    assert (settings.encoder, settings.reranker) == (str(home / "models/mine"), str(home / "models"))


@pytest.mark.parametrize("name", ["tokenizer.json", "models", "./tokenizer.json"])
def test_a_tokenizer_of_a_file_of_settings_lies_beside_that_file(load: Load, project: Path, name: str) -> None:
    (project / "models").mkdir()
    (project / "tokenizer.json").write_text("{}")
    named = write(project / "named.yaml", f"tokenizer: {name}")
    assert load(config_file=named).settings.tokenizer == str(project / name)


@pytest.mark.parametrize("name", ["encoder", "chars/4"])
def test_a_word_for_a_tokenizer_is_no_file_whatever_lies_here(load: Load, project: Path, name: str) -> None:
    (project / name).mkdir(parents=True)
    assert load(config_file=write(project / "named.yaml", f"tokenizer: {name}")).settings.tokenizer == name


HARMLESS = """
    encoder reranker passage_tokens include exclude hidden ignore_files vectors retriever top_k rerank fusion
    fusion_weight top_n per_document min_score
""".split()
"""What a folder that came from anybody may say of itself. Whoever adds a key decides whether it belongs here."""


@pytest.mark.parametrize("key", HELP)
def test_a_project_file_may_set_what_does_no_harm_and_nothing_else(load: Load, project: Path, key: str) -> None:
    line = next(line for line in as_yaml(Config(Settings(), dict.fromkeys(HELP, "default"), ())) if line.key == key)
    path = project_file(project, f"# mine\n{key}: {line.value}\n")
    assert load(config_file=path).origins[key] == str(path)
    if key in HARMLESS:
        assert load().origins[key] == str(path)
        return
    error = refusal(load)
    assert str(error) == f"{path}:2: {key} is not for a project file to set"
    flag = f"--{key.replace('_', '-')}"
    assert error.remedy == f"set it with {flag}, RERANK_CLI_{key.upper()} or in your user file"


def test_a_flag_does_not_excuse_what_a_project_file_may_not_set(load: Load, project: Path) -> None:
    project_file(project, "device: cuda")
    assert "device is not for a project file" in str(refusal(load, flags={"device": "cpu"}))


def test_a_file_of_settings_of_no_sensible_size_is_refused_at_once(load: Load, project: Path) -> None:
    path = project_file(project, "[" * 3_000_000)
    assert str(refusal(load)) == f"{path}: larger than 100000 bytes"


# Printing


def test_what_is_printed_is_yaml_in_the_order_of_the_keys_with_origins(load: Load) -> None:
    lines = as_yaml(load(flags={"include": ["*.md", "a b"], "encoder": "acme/null: x"}))
    assert [line.key for line in lines] == list(HELP)
    shown = {line.key: (line.value, line.origin) for line in lines}
    assert shown["include"] == ("['*.md', a b]", "--include")
    assert shown["encoder"] == ("'acme/null: x'", "--encoder")
    assert shown["max_file_size"] == ("10MB", "default")
    assert shown["min_score"] == ("null", "default")
    assert shown["rerank"] == ("true", "default")


def test_a_long_list_stays_on_one_line(load: Load) -> None:
    lines = as_yaml(load(flags={"include": ["a long pattern"] * 50}))
    assert all("\n" not in line.value for line in lines)


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        ("größer/", "[größer/]"),
        ("a\nb", '["a\\nb"]'),
        ("a\x85b", '["a\\Nb"]'),
        ("a\u2028b", '["a\\Lb"]'),
        ("\x1b[31m", '["\\e[31m"]'),
    ],
)
def test_what_does_not_print_is_escaped_and_what_does_is_not(load: Load, pattern: str, value: str) -> None:
    assert {line.key: line.value for line in as_yaml(load(flags={"include": [pattern]}))}["include"] == value


patterns = st.lists(st.text(min_size=1).filter(lambda text: text.strip() and "\0" not in text), max_size=3).map(tuple)
settings = st.builds(
    Settings,
    encoder=st.from_regex(r"[A-Za-z0-9 :#'\"-]{0,8}[A-Za-z0-9]", fullmatch=True),
    device=st.sampled_from(get_args(Device)),
    passage_tokens=st.integers(32, 2000),
    include=patterns,
    exclude=patterns,
    hidden=st.booleans(),
    ignore_files=st.booleans(),
    max_file_size=st.integers(1, 10**13) | st.integers(1, 10**4).map(lambda n: n * 2**20),
    retriever=st.sampled_from(get_args(Retriever)),
    top_k=st.integers(1, 1000),
    rerank=st.booleans(),
    fusion=st.sampled_from(get_args(Fusion)),
    fusion_weight=st.floats(0, 1),
    top_n=st.integers(1),
    per_document=st.integers(1),
    min_score=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    format=st.sampled_from(get_args(Format)),
    strict=st.booleans(),
    allow_shrink=st.booleans(),
    wait_s=st.floats(0, allow_nan=False, allow_infinity=False),
)


@given(settings=settings)
@example(settings=Settings(include=("a\nb", "a\x85", "a\u2028", "\U0001f600", "null", " # ", "'\"")))
def test_what_is_printed_reads_back_as_the_same_settings(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = as_yaml(Config(settings, dict.fromkeys(HELP, "default"), ()))
    folder = tmp_path_factory.getbasetemp()
    path = write(folder / "printed.yaml", "".join(f"{line.key}: {line.value}\n" for line in lines))
    loaded = load_config(flags={}, start=folder, config_file=path, environment={}, other_variables=frozenset())
    assert loaded.settings == settings
    assert all("\n" not in line.value for line in lines)


@given(size=st.integers(1, 10**15))
def test_a_printed_size_reads_back_from_a_variable(size: int) -> None:
    shown = {line.key: line.value for line in as_yaml(Config(Settings(max_file_size=size), dict(HELP), ()))}
    environment = {f"{PREFIX}MAX_FILE_SIZE": shown["max_file_size"]}
    loaded = load_config(
        flags={}, start=Path("/nonexistent"), config_file=None, environment=environment, other_variables=frozenset()
    )
    assert loaded.settings.max_file_size == size


def test_every_key_has_a_line_of_help() -> None:
    assert all(text.endswith(".") and len(text) < 90 and "\n" not in text for text in HELP.values())


# The profiles


def test_there_are_profiles() -> None:
    assert [path.stem for path in PROFILES] == ["default", "fast", "multilingual", "thorough"]


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_a_profile_lists_every_key_in_order_each_under_a_comment(profile: Path) -> None:
    text = profile.read_text(encoding="utf-8")
    assert list(yaml.safe_load(text)) == list(HELP)
    lines = text.splitlines()
    keys = [number for number, line in enumerate(lines) if line and not line.startswith("#")]
    assert all(lines[number - 1].startswith("# ") for number in keys)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_a_profile_serves_as_the_users_file_and_as_a_named_one(load: Load, home: Path, profile: Path) -> None:
    copy = user_file(home, profile.read_text(encoding="utf-8"))
    assert load().settings == load(config_file=profile).settings
    assert set(load().origins.values()) == {str(copy)}


def test_the_default_profile_equals_the_defaults_in_code(load: Load) -> None:
    assert load(config_file=PROFILES[0]).settings == Settings()


@pytest.mark.parametrize(
    ("name", "differences"),
    [
        ("fast", {"top_k": 30}),
        ("thorough", {"top_k": 300, "top_n": 20, "per_document": 3}),
        (
            "multilingual",
            {
                "encoder": "ibm-granite/granite-embedding-107m-multilingual",
                "reranker": "cross-encoder/mmarco-mMiniLMv2-L12-H384-v1",
                "passage_tokens": 384,
            },
        ),
    ],
)
def test_a_profile_differs_from_the_defaults_only_in_what_it_is_for(
    load: Load, name: str, differences: dict[str, Any]
) -> None:
    profile = next(path for path in PROFILES if path.stem == name)
    assert load(config_file=profile).settings == Settings(**differences)


def test_fast_and_thorough_search_the_index_of_the_default_profile(load: Load) -> None:
    made = {
        (config.encoder, config.passage_tokens)
        for config in (load(config_file=path).settings for path in PROFILES if path.stem != "multilingual")
    }
    assert made == {("all-MiniLM-L6-v2", 180)}
