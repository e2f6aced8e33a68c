"""`make bench-scores`: see bench_scores.py."""

from tests.bench_scores.bench_scores import main

if __name__ == "__main__":
    main()
