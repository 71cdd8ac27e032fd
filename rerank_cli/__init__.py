"""Search a folder of documents in two stages.

    index   folder → discover → read → split → encode → commit (one atomic generation)
    query   text → encode → retrieve (dense + lexical, fused) → rerank every candidate → hits → print
    eval    queries + qrels → the same retrieve and rerank → runs → measures → comparison → print
    train   pairs, or the index and qrels → split → mine → fine-tune → validate → a model folder with its card

The rooms, from the bottom up; imports only go down:

    errors       the tree of errors, each with its exit code
    places       the data, cache and config folders, and that nobody but their owner can look into what we keep
    stamps       what tells that a file has not changed
    regular      files that are opened only if they are files
    characters   joiners, controls on their way to a terminal, and text and ids that came from JSON, fit to be kept
    files        text and JSON lines: what is wrong is told with file and line; files written whole or not at all
    words        words that are too long for the models, broken so that they are read
    locks        one process at a time, and who holds what
    records      the frozen records that flow, and the ports to the models: Encoder and Reranker
    ports        the ports to an index, and the records that pass through them
    globs        git's patterns, as a test of a path
    queries      queries from a file: JSONL, id<TAB>text, TREC topics
    trec         lines of TREC runs and of judgements, in and out
    config       defaults < user file < project file < environment < flags
    snippets     the sentence of a passage that shows why it was found
    corpus       from a folder to passages: discover, globs, mounts, read (one reader a format), split; passages puts
                 the last two together, reading does it within limits of time and memory, in the process that worker is
    models       the only door to models: telemetry (off), catalogue, hashes, compile, quantize, compiled, onnx, torch,
                 window, finite, loading, probe, calibration (from logits to probabilities), interaction (what a new
                 reranker ends with), builtin
    store        the index on disk: layout, catalog (SQLite), ann (hnswlib), index, location, lock (who writes),
                 health (whether it would answer), access (what stands in the way); and the scores of the reranker
                 that are kept: scores
    freshness    whether a file on the disk is still the one that was read
    vanishing    whether what a run would take out is gone, or only out of sight
    indexing     what changed, and its way into a new generation
    retrieval    the first stage: query → candidates, both lists fused by their scores
    reranking    the second stage: candidates → hits, and documents by their evidence
    doctor       what a person would have to guess: versions, readiness (models), indexes, storage (disks, permissions);
                 findings (what each gives), setup (what is looked at), examine (puts it together)
    search       both stages for one query after another
    evaluation   what both stages are worth, in the order of the data's way:
                 inputs: collection (queries and judgements), runs, known_items and judgement_file (a set of one's own),
                 apart (that none of them is a document), indexed_ids (what the index calls the judged documents),
                 ids_in_words;
                 asking: one_pass (over the queries), remembered_scores, pooling (what is still to be judged);
                 figures: measures, stages (both, side by side), sweep, paired_comparison, several_runs;
                 conclusions: evaluation (the whole), verdict, diagnosis (causes of misses), gate, notes, provenance;
                 evaluate puts them together; apart from it showing: text, as_json, report (a page, by the templates
                 of page), charts, plot
    training     a model fitted to one's own data: machine (whether it can), pairs, slices (what is held out), mining
                 (negatives), groups (what is learnt from), kept (what mining leaves for a restart), new_reranker (what
                 a reranker begins as), fitting, listwise (a reranker's loss), validation, platt (the calibration),
                 destination (the folder and its checkpoints), model_folder, card, job (puts it together)
    cli          the command line: the only place that knows Typer and Rich
"""

__version__ = "0.1.0"
