"""`python -m rerank_cli`."""

from rerank_cli.cli.app import main

if __name__ == "__main__":
    main()
