"""`make bench`: see bench_night.py."""

from tests.bench.bench_night import main

if __name__ == "__main__":
    main()
