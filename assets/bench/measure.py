"""What the scripts beside this one share: medians of five after a run that is thrown away."""

import json
import statistics
import time


def median(work, runs=5):
    work()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def report(**figures):
    print(json.dumps({name: round(value, 4) if isinstance(value, float) else value for name, value in figures.items()}), flush=True)
