"""Compile the built-in models into the package, from where every machine takes them.

    python tests/benchmarks/ship_models.py

To be run again when `COMPILER_VERSION` is raised or the reranker's weights change, on a processor with VNNI.
"""

from __future__ import annotations

import shutil
from dataclasses import replace

from rerank_cli.models.catalogue import builtin_names, find_model, shipped_folder
from rerank_cli.models.compile import compile_model
from rerank_cli.models.compiled import write_record
from rerank_cli.models.saturation import saturates


def main() -> None:
    assert not saturates(), "this processor needs shifted weights, and others are slower with them"
    for name, kind in builtin_names():
        compiled = compile_model(find_model(name, kind), afresh=True)
        target = shipped_folder(name)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(compiled.folder, target)
        write_record(replace(compiled, folder=target, original=""))
        print(f"{target}: {compiled.precision}, agreement {compiled.agreement:.4f}")


if __name__ == "__main__":
    main()
