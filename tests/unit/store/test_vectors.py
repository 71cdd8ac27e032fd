from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_cli.arrays import Vectors
from rerank_cli.errors import IndexDamaged, ModelError
from rerank_cli.store.pinned import TEXT_BYTES, open_pinned
from rerank_cli.store.pins import VectorsPin
from rerank_cli.store.vectors import BLOCK_ROWS, KEY, VectorReader, VectorWriter, check_vectors, checks

DIMENSIONS = 4
ODD_DIMENSIONS = 3
COUNT = 2 * BLOCK_ROWS + 5


def hashes(count: int, *, start: int = 0) -> list[bytes]:
    return [hashlib.sha256(b"%d" % number).digest()[:TEXT_BYTES] for number in range(start, start + count)]


def rows(count: int, *, seed: int = 0, dimensions: int = DIMENSIONS) -> Vectors:
    vectors = np.random.default_rng(seed).normal(size=(count, dimensions))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def written(folder: Path, count: int = COUNT, *, dimensions: int = DIMENSIONS) -> VectorsPin:
    writer = VectorWriter(folder, fingerprint="fake", pin=None)
    writer.add(hashes(count), rows(count, dimensions=dimensions))
    return writer.pin(dimensions=dimensions)


def open_vectors(folder: Path, pin: VectorsPin) -> VectorReader:
    return VectorReader(open_pinned(folder, pin))


def check(folder: Path, pin: VectorsPin) -> None:
    check_vectors(open_pinned(folder, pin))


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


# Reading


@pytest.mark.parametrize("dimensions", [DIMENSIONS, ODD_DIMENSIONS])
def test_what_was_written_is_read(tmp_path: Path, dimensions: int) -> None:
    reader = open_vectors(tmp_path, written(tmp_path, dimensions=dimensions))
    matrix, query = rows(COUNT, dimensions=dimensions), rows(1, seed=9, dimensions=dimensions)[0]
    assert len(reader) == COUNT
    assert reader.cosines(query).tolist() == pytest.approx((matrix @ query).tolist(), abs=1e-6)
    some = np.array([COUNT - 1, 0, BLOCK_ROWS])
    assert (reader.take(some) == matrix[some]).all()
    assert reader.texts(some) == [hashes(COUNT)[row] for row in some]
    assert reader.rows_of([hashes(COUNT)[row] for row in some]).tolist() == some.tolist()


def test_a_row_has_the_same_cosine_however_it_is_asked_for(tmp_path: Path) -> None:
    reader = open_vectors(tmp_path, written(tmp_path))
    query = rows(1, seed=9)[0]
    whole = reader.cosines(query)
    for start in (0, 1, BLOCK_ROWS - 1, BLOCK_ROWS, COUNT - 1, COUNT):
        assert reader.cosines(query, start=start).tolist() == whole[start:].tolist()
    some = np.arange(0, COUNT, 7)
    assert reader.cosines_of(query, some).tolist() == whole[some].tolist()


def test_rows_that_came_after_a_generation_are_none_of_it(tmp_path: Path) -> None:
    pin = written(tmp_path, 3)
    VectorWriter(tmp_path, fingerprint="fake", pin=pin).add(hashes(2, start=3), rows(2, seed=1))
    assert len(open_vectors(tmp_path, pin)) == 3
    check(tmp_path, pin)


def test_a_text_without_a_row_is_damage(tmp_path: Path) -> None:
    reader = open_vectors(tmp_path, written(tmp_path, 3))
    with pytest.raises(IndexDamaged, match="lacks the vectors of some passages"):
        reader.rows_of(hashes(4))
    with pytest.raises(IndexDamaged, match="lacks the vectors of some passages"):
        open_vectors(tmp_path, VectorWriter(tmp_path, fingerprint="other", pin=None).pin(dimensions=4)).rows_of([b"x"])


# Both files as a whole


def crc32_of_matrix(folder: Path, pin: VectorsPin) -> int:
    return zlib.crc32((folder / f"{pin.name}.vectors").read_bytes())


def test_what_was_written_fits(tmp_path: Path) -> None:
    pin = written(tmp_path)
    assert pin.matrix_crc32 == crc32_of_matrix(tmp_path, pin)
    assert pin.fits(tmp_path)


@pytest.mark.parametrize(("ending", "at"), [("vectors", 0), ("vectors", -1), ("keys", 0), ("keys", -1)])
def test_one_changed_bit_does_not_fit(tmp_path: Path, ending: str, at: int) -> None:
    pin = written(tmp_path)
    flip(tmp_path / f"{pin.name}.{ending}", at)
    assert not pin.fits(tmp_path)


@pytest.mark.parametrize("ending", ["vectors", "keys"])
def test_a_missing_cut_or_longer_file_does_not_fit(tmp_path: Path, ending: str) -> None:
    pin = written(tmp_path)
    path = tmp_path / f"{pin.name}.{ending}"
    content = path.read_bytes()
    for other in (content[:-1], content + b"\0"):
        path.write_bytes(other)
        assert not pin.fits(tmp_path)
    path.unlink()
    assert not pin.fits(tmp_path)


def test_what_an_older_program_did_not_count_fits_nothing(tmp_path: Path) -> None:
    assert not written(tmp_path)._replace(matrix_crc32=None).fits(tmp_path)


def test_whatever_a_writer_does_its_rows_fit_as_they_were_written(tmp_path: Path) -> None:
    pin = written(tmp_path, BLOCK_ROWS + 3)
    with (tmp_path / f"{pin.name}.vectors").open("ab") as matrix:
        matrix.write(b"half a row")  # of a run that was killed
    writer = VectorWriter(tmp_path, fingerprint="fake", pin=pin._replace(matrix_crc32=None))
    assert writer.pin(dimensions=DIMENSIONS) == pin
    writer.add(hashes(2, start=COUNT), rows(2, seed=1))
    grown = writer.pin(dimensions=DIMENSIONS)
    assert grown.fits(tmp_path)
    flip(tmp_path / f"{grown.name}.vectors", 0)
    mending = VectorWriter(tmp_path, fingerprint="fake", pin=grown)
    mended = mending.pin(dimensions=DIMENSIONS)
    assert mending.mended and mended.rows == grown.rows - 1
    assert mended.fits(tmp_path)
    mending.keep_only(hashes(5))
    kept = mending.pin(dimensions=DIMENSIONS)
    assert kept.rows == 4
    assert kept.fits(tmp_path)


def test_a_row_that_a_bad_disk_changed_as_it_was_written_does_not_fit(tmp_path: Path) -> None:
    writer = VectorWriter(tmp_path, fingerprint="fake", pin=written(tmp_path, 3))
    writer.add(hashes(2, start=3), rows(2, seed=1))
    flip(next(tmp_path.glob("*.vectors")), -1)
    assert not writer.pin(dimensions=DIMENSIONS).fits(tmp_path)


@pytest.mark.parametrize("ending", ["vectors", "keys"])
@pytest.mark.parametrize("at", [0, -1])
def test_one_changed_bit_is_damage(tmp_path: Path, ending: str, at: int) -> None:
    pin = written(tmp_path)
    flip(tmp_path / f"{pin.name}.{ending}", at)
    with pytest.raises(IndexDamaged, match=r"than were written|not what was written"):
        check(tmp_path, pin)
    with pytest.raises(IndexDamaged, match=r"than were written|not what was written"):
        open_vectors(tmp_path, pin).cosines(rows(1)[0])


def test_only_the_rows_that_are_used_are_checked(tmp_path: Path) -> None:
    """A list of few passages need not wait for a scan of all."""
    pin = written(tmp_path)
    flip(tmp_path / f"{pin.name}.vectors", -1)
    reader = open_vectors(tmp_path, pin)
    assert len(reader.take(np.arange(BLOCK_ROWS))) == BLOCK_ROWS
    with pytest.raises(IndexDamaged):
        reader.take(np.array([COUNT - 1]))


def test_rows_that_were_swapped_are_damage(tmp_path: Path) -> None:
    """Each is sound by itself: a check is of the row and of the text that it belongs to."""
    pin = written(tmp_path, 2)
    place = tmp_path / f"{pin.name}.vectors"
    content, size = place.read_bytes(), 4 * DIMENSIONS
    place.write_bytes(content[size:] + content[:size])
    with pytest.raises(IndexDamaged, match="holds other vectors"):
        check(tmp_path, pin)


@pytest.mark.parametrize("ending", ["vectors", "keys"])
def test_a_cut_or_missing_file_is_damage_and_the_remedy_mends_it(tmp_path: Path, ending: str) -> None:
    pin = written(tmp_path)
    place = tmp_path / f"{pin.name}.{ending}"
    place.write_bytes(place.read_bytes()[:-1])
    with pytest.raises(IndexDamaged) as caught:
        open_vectors(tmp_path, pin)
    assert caught.value.remedy == f"mend it: rerank-cli index FOLDER --index {tmp_path}"
    place.unlink()
    for look in (open_vectors, check):
        with pytest.raises(IndexDamaged, match="is missing"):
            look(tmp_path, pin)


@given(st.integers(0, 31), st.integers(0, ODD_DIMENSIONS - 1), st.binary(min_size=16, max_size=16))
def test_no_single_bit_leaves_a_check_as_it_was(bit: int, place: int, text: bytes) -> None:
    keys = np.frombuffer(text, dtype=KEY["text"])
    matrix = rows(1, dimensions=ODD_DIMENSIONS)
    changed = matrix.copy()
    changed.view("<u4")[0, place] ^= np.uint32(1 << bit)
    assert checks(keys, matrix)[0] != checks(keys, changed)[0]


# Writing


def test_the_same_text_is_kept_once(tmp_path: Path) -> None:
    writer = VectorWriter(tmp_path, fingerprint="fake", pin=None)
    assert writer.missing([*hashes(2), *hashes(2)]) == hashes(2)
    writer.add(hashes(2), rows(2))
    writer.add(hashes(3), rows(3, seed=1))
    assert (len(writer), writer.missing(hashes(4))) == (3, hashes(1, start=3))
    kept = open_vectors(tmp_path, writer.pin(dimensions=DIMENSIONS)).take(np.arange(3))
    assert (kept[:2] == rows(2)).all()


def test_another_run_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    pin = written(tmp_path, 3)
    for known in (pin, None):
        writer = VectorWriter(tmp_path, fingerprint="fake", pin=known)
        assert (len(writer), writer.mended, writer.missing(hashes(4))) == (3, False, hashes(1, start=3))


def test_encoders_do_not_share_vectors(tmp_path: Path) -> None:
    written(tmp_path, 3)
    assert VectorWriter(tmp_path, fingerprint="other", pin=None).missing(hashes(3)) == hashes(3)


def test_vectors_of_other_dimensions_are_refused(tmp_path: Path) -> None:
    written(tmp_path, 3)
    with pytest.raises(ModelError, match="no 1 vectors of 4 finite numbers"):
        VectorWriter(tmp_path, fingerprint="fake", pin=None).add(hashes(1, start=3), rows(1, dimensions=5))


@pytest.mark.parametrize("cut_bytes", [1, KEY.itemsize - 1, KEY.itemsize])
def test_half_a_key_is_written_over(tmp_path: Path, cut_bytes: int) -> None:
    """The keys go last: of a run that was killed between, rows are left that nothing promises."""
    pin = written(tmp_path, 3)
    writer = VectorWriter(tmp_path, fingerprint="fake", pin=pin)
    writer.add(hashes(1, start=3), rows(1, seed=1))
    keys = tmp_path / f"{pin.name}.keys"
    keys.write_bytes(keys.read_bytes()[:-cut_bytes])
    writer = VectorWriter(tmp_path, fingerprint="fake", pin=pin)
    assert (writer.missing(hashes(4)), writer.mended) == (hashes(1, start=3), False)
    writer.add(hashes(2, start=3), rows(2, seed=2))
    grown = writer.pin(dimensions=DIMENSIONS)
    check(tmp_path, grown)
    assert (open_vectors(tmp_path, grown).take(np.arange(3, 5)) == rows(2, seed=2)).all()


@pytest.mark.parametrize("is_pinned", [True, False])
def test_every_sound_row_is_saved_from_damaged_files(tmp_path: Path, is_pinned: bool) -> None:
    pin = written(tmp_path)
    flip(tmp_path / f"{pin.name}.vectors", 4 * DIMENSIONS * BLOCK_ROWS)
    flip(tmp_path / f"{pin.name}.keys", KEY.itemsize)
    writer = VectorWriter(tmp_path, fingerprint="fake", pin=pin if is_pinned else None)
    lost = [hashes(COUNT)[row] for row in (1, BLOCK_ROWS)]
    assert (writer.mended, writer.missing(hashes(COUNT))) == (True, lost)
    again = writer.pin(dimensions=DIMENSIONS)
    assert again.name != pin.name
    check(tmp_path, again)


def test_what_is_lost_of_keys_alone_is_lost_of_their_rows_alone(tmp_path: Path) -> None:
    pin = written(tmp_path, 5)
    keys = tmp_path / f"{pin.name}.keys"
    keys.write_bytes(keys.read_bytes()[: 3 * KEY.itemsize])
    writer = VectorWriter(tmp_path, fingerprint="fake", pin=pin)
    assert (writer.mended, writer.missing(hashes(5))) == (True, hashes(2, start=3))


def test_a_second_mend_takes_over_what_the_first_had_saved_and_added(tmp_path: Path) -> None:
    pin = written(tmp_path, 5)
    (tmp_path / f"{pin.name}.keys").unlink()
    VectorWriter(tmp_path, fingerprint="fake", pin=pin).add(hashes(2), rows(2))
    writer = VectorWriter(tmp_path, fingerprint="fake", pin=pin)
    assert writer.missing(hashes(5)) == hashes(3, start=2)


def test_only_the_texts_that_are_named_are_kept(tmp_path: Path) -> None:
    pin = written(tmp_path)
    writer = VectorWriter(tmp_path, fingerprint="fake", pin=pin)
    wanted = hashes(COUNT)[::3]
    reader = open_vectors(tmp_path, pin)
    assert writer.keep_only(iter([*wanted, b"x" * TEXT_BYTES])) == COUNT - len(wanted)
    assert writer.missing(hashes(COUNT)) == [each for each in hashes(COUNT) if each not in set(wanted)]
    left = open_vectors(tmp_path, writer.pin(dimensions=DIMENSIONS))
    assert (left.take(np.arange(len(wanted))) == rows(COUNT)[::3]).all()
    assert len(reader.cosines(rows(1)[0])) == COUNT  # who reads the older generation has its files
    assert writer.keep_only(wanted) == 0


def test_where_nothing_is_named_nothing_is_kept(tmp_path: Path) -> None:
    writer = VectorWriter(tmp_path, fingerprint="fake", pin=written(tmp_path, 3))
    assert writer.keep_only([]) == 3
    assert len(open_vectors(tmp_path, writer.pin(dimensions=DIMENSIONS)).cosines(rows(1)[0])) == 0
