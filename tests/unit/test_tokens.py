"""A few texts are cut into tokens as many are."""

from __future__ import annotations

import subprocess
import sys

from tokenizers import Tokenizer

from rerank_cli.models.catalogue import shipped_folder
from rerank_cli.models.compiled import TOKENIZER_NAME
from rerank_cli.models.tokens import FEW, tokens_of

BUILT_IN = shipped_folder("all-MiniLM-L6-v2") / TOKENIZER_NAME

TEXTS = ["", "the valve", "Größe und Weg", "a\tb", "word " * 40]
PAIRS = [("gas", text) for text in TEXTS]


def test_few_texts_have_the_tokens_of_many() -> None:
    tokenizer = Tokenizer.from_file(str(BUILT_IN))
    for some, strategy in ((TEXTS, "longest_first"), (PAIRS, "only_second")):
        tokenizer.enable_truncation(12, strategy=strategy)
        for special in (True, False):
            few = tokens_of(tokenizer, some, special=special)
            many = tokens_of(tokenizer, some * FEW, special=special)[: len(some)]
            for one, other in zip(few, many, strict=True):
                assert (one.ids, one.attention_mask, one.type_ids) == (other.ids, other.attention_mask, other.type_ids)
                assert len(one.overflowing) == len(other.overflowing)


def test_a_few_need_no_threads() -> None:
    program = f"""if True:
        import os
        from tokenizers import Tokenizer
        from rerank_cli.models.tokens import FEW, tokens_of
        tokenizer = Tokenizer.from_file({str(BUILT_IN)!r})
        tokens_of(tokenizer, ["the valve " * 99] * FEW)
        tokens_of(tokenizer, ["valve"] * 9 * FEW)
        print(len(os.listdir("/proc/self/task")))
        """
    if sys.platform == "linux":
        told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
        assert told.stdout == "1\n"
