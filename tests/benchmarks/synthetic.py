#!/usr/bin/env python3
"""Synthetic passages whose vectors lie as those of real indexes do, and whose words are as frequent as in texts.

    python tests/benchmarks/synthetic.py STRUCTURE.npz --like INDEX…

It keeps the topics of INDEX… in STRUCTURE.npz, draws as many synthetic vectors as there are real ones, and prints how
both lie: the cosines to the 1st, 10th and 100th neighbour (of a tenth, half and nine tenths of them), and the number of
dimensions that the variance takes (its participation ratio).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rerank_cli.arrays import Vectors
from rerank_cli.store import open_reader
from rerank_cli.store.vectors import VectorFiles

PASSAGES_A_DOCUMENT, DOCUMENTS_A_TOPIC = 20, 50
PASSAGES_A_TOPIC = PASSAGES_A_DOCUMENT * DOCUMENTS_A_TOPIC
VOCABULARY, WORDS_A_PASSAGE = 200_000, 100
OF_THE_TOPIC, TOPIC_VOCABULARY = 0.3, 2000
"""Such a share of a passage's words are those of its topic, which has so many."""
LEFT_OUT, OTHER = 10, 0.8
"""Of each real topic so many passages are left out, and become queries when so much of another passage is added."""
ROUNDS, SAMPLE = 20, 20_000


@dataclass(frozen=True)
class Structure:
    """Real topics, which are drawn anew at other places.

    `blocks` holds of each real topic so many vectors, without their centre, along the axes in which all of them vary.
    A synthetic topic is one of them mirrored at axes that chance chooses. That leaves every distance within it and the
    spectrum as they are, and nothing lies where it lay. Its centre varies as the centres of documents do.
    """

    mean: Vectors
    spread: Vectors
    axes: Vectors
    blocks: Vectors

    def save(self, path: Path) -> None:
        np.savez(path, mean=self.mean, spread=self.spread, axes=self.axes, blocks=self.blocks)

    def of_topic(self, number: int) -> Vectors:
        """The vectors of the passages of topic *number*, document after document."""
        return self._placed(number, self.blocks[number % len(self.blocks), :PASSAGES_A_TOPIC])

    def queries(self, topics: int, count: int) -> Vectors:
        """*count* vectors near those of *topics*, and none of them: a passage that was left out, and something else."""
        random = np.random.default_rng(2)
        drawn = []
        for topic in random.integers(topics, size=count).tolist():
            left_out = self.blocks[topic % len(self.blocks), PASSAGES_A_TOPIC + int(random.integers(LEFT_OUT))]
            other = self.blocks[int(random.integers(len(self.blocks))), int(random.integers(PASSAGES_A_TOPIC))]
            mirrored = other * random.choice([-1.0, 1.0], size=len(other))
            drawn.append(self._placed(topic, (left_out + OTHER * mirrored)[None]))
        return np.concatenate(drawn)

    def _placed(self, number: int, block: Vectors) -> Vectors:
        random = np.random.default_rng([1, number])
        signs = random.choice([-1.0, 1.0], size=len(self.mean))
        centre = self.mean + random.standard_normal(len(self.mean)) @ self.spread
        return unit(centre + (block * signs) @ self.axes.T)


def load_structure(path: Path) -> Structure:
    with np.load(path) as file:
        return Structure(**{name: file[name] for name in ("mean", "spread", "axes", "blocks")})


def unit(vectors: np.ndarray) -> Vectors:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def texts_of_topic(number: int) -> list[str]:
    """The texts of its passages. Each begins with a word that tells which one it is."""
    random = np.random.default_rng([4, number])
    shape = (PASSAGES_A_TOPIC, WORDS_A_PASSAGE)
    words = np.where(
        random.random(shape) < OF_THE_TOPIC,
        number * 9973 % (VOCABULARY - TOPIC_VOCABULARY) + ranks(random, shape, TOPIC_VOCABULARY),
        ranks(random, shape, VOCABULARY),
    )
    first = number * PASSAGES_A_TOPIC
    return [f"p{first + place} " + " ".join(f"w{word:x}" for word in row) for place, row in enumerate(words.tolist())]


def ranks(random: np.random.Generator, shape: tuple[int, ...], vocabulary: int) -> np.ndarray:
    """Words by their rank, as frequent as in texts (Zipf, 1935; Mandelbrot, 1953)."""
    shares = np.cumsum(1 / (np.arange(vocabulary) + 2.7))
    return np.searchsorted(shares, random.random(shape) * shares[-1])


def query_of_topic(number: int, random: np.random.Generator) -> str:
    """Three words of a topic and two of all, none of the most frequent."""
    base = number * 9973 % (VOCABULARY - TOPIC_VOCABULARY)
    words = [*(base + random.integers(5, 300, size=3)), *random.integers(100, 3000, size=2)]
    return " ".join(f"w{word:x}" for word in words)


def real_vectors(index: Path) -> tuple[Vectors, list[str]]:
    """The vectors of an index's passages, in their order, with their documents."""
    files = VectorFiles(index, next(index.glob("*.vectors")).stem)
    rows = {bytes(key): row for row, key in enumerate(files.read_keys()["text"])}
    matrix = np.concatenate(list(files.blocks()))
    with open_reader(index) as reader:
        passages = [(rows[stored.passage.text_hash], stored.document_id) for stored in reader.scan()]
    return matrix[[row for row, _ in passages]], [f"{index} {document}" for _, document in passages]


def measured(vectors: Vectors, documents: list[str]) -> Structure:
    """The topics of *vectors*: documents that lie near each other, passage after passage."""
    _, numbers, counts = np.unique(documents, return_inverse=True, return_counts=True)
    centres = sums(vectors, numbers, len(counts)) / counts[:, None]
    nearest = clustered(centres, max(2, len(vectors) // PASSAGES_A_TOPIC))
    sized = PASSAGES_A_TOPIC + LEFT_OUT
    order = np.lexsort((numbers, nearest[numbers]))[: len(vectors) // sized * sized]
    blocks = vectors[order].reshape(-1, sized, vectors.shape[1])
    middles = blocks.mean(axis=1)
    blocks = blocks - middles[:, None]
    _, axes = np.linalg.eigh(np.einsum("bni,bnj->ij", blocks, blocks))
    varied = np.cov(centres.T)
    varied *= np.cov(middles.T).trace() / varied.trace()
    random = np.random.default_rng(7)
    blocks = np.stack([random_last(block, random) for block in blocks])
    return Structure(middles.mean(axis=0), root(varied), axes, (blocks @ axes).astype(np.float32))


def random_last(block: Vectors, random: np.random.Generator) -> Vectors:
    """*block* with some of its rows, chosen by chance, moved to its end."""
    chosen = random.choice(len(block), LEFT_OUT, replace=False)
    return np.concatenate([np.delete(block, chosen, axis=0), block[chosen]])


def sums(vectors: np.ndarray, numbers: np.ndarray, count: int) -> np.ndarray:
    found = np.zeros((count, vectors.shape[1]))
    np.add.at(found, numbers, vectors)
    return found


def clustered(points: np.ndarray, count: int) -> np.ndarray:
    """Which of *count* clusters each point is of (Lloyd, 1982)."""
    middles = points[np.random.default_rng(5).choice(len(points), count, replace=False)]
    for _ in range(ROUNDS):
        nearest = (points @ middles.T - 0.5 * (middles**2).sum(axis=1)).argmax(axis=1)
        sizes = np.bincount(nearest, minlength=count)
        middles = np.where(sizes[:, None] > 0, sums(points, nearest, count) / np.maximum(sizes, 1)[:, None], middles)
    return nearest


def root(covariance: np.ndarray) -> np.ndarray:
    values, axes = np.linalg.eigh(covariance)
    return axes * np.sqrt(np.maximum(values, 0)) @ axes.T


def looks(name: str, vectors: Vectors) -> dict[str, object]:
    """How near neighbours are, and over how many dimensions the variance lies."""
    random = np.random.default_rng(6)
    asked = random.choice(len(vectors), 500, replace=False)
    cosines = -np.sort(-(vectors[asked] @ vectors.T), axis=1)
    some = vectors[random.choice(len(vectors), min(len(vectors), SAMPLE), replace=False)]
    values = np.linalg.eigvalsh(np.cov(some.T))
    near = {
        f"cosine_{place}": np.quantile(cosines[:, place], (0.1, 0.5, 0.9)).round(3).tolist() for place in (1, 10, 100)
    }
    return {
        "vectors": name,
        "count": len(vectors),
        **near,
        "dimensions": round(values.sum() ** 2 / (values**2).sum(), 1),
    }


def synthetic(structure: Structure, count: int) -> Iterator[Vectors]:
    for topic in range(-(-count // PASSAGES_A_TOPIC)):
        yield structure.of_topic(topic)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("structure", type=Path)
    parser.add_argument("--like", type=Path, nargs="+", required=True)
    asked = parser.parse_args()
    read = [real_vectors(index) for index in asked.like]
    vectors = np.concatenate([each for each, _ in read])
    structure = measured(vectors, [name for _, names in read for name in names])
    structure.save(asked.structure)
    print(json.dumps(looks("real", vectors)))
    print(json.dumps(looks("synthetic", np.concatenate(list(synthetic(structure, len(vectors)))))))


if __name__ == "__main__":
    main()
