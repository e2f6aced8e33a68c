"""`make bench-effects`: see bench_effects.py."""

from tests.bench_effects.bench_effects import main

if __name__ == "__main__":
    main()
