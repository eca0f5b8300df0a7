"""What wasmtime's own fuel and epochs cost on the kernels: one JSON line. Needs `pip install wasmtime`.

    python3 bench/meter/wasmtime-overhead.py '{"fib": 24, …}'
"""

import importlib.metadata
import json
import pathlib
import sys
import time

import wasmtime

ROUNDS = 9
kernels = pathlib.Path(__file__).parent / "kernels"


def prepare(name, size, mode):
    config = wasmtime.Config()
    config.consume_fuel = mode == "fuel"
    config.epoch_interruption = mode == "epoch"
    engine = wasmtime.Engine(config)
    store = wasmtime.Store(engine)
    if mode == "fuel":
        store.set_fuel(2**62)
    if mode == "epoch":
        store.set_epoch_deadline(1 << 40)
    module = wasmtime.Module(engine, (kernels / f"{name}.wasm").read_bytes())
    run = wasmtime.Instance(store, module, []).exports(store)["run"]
    return lambda: run(store, size)


def main():
    ratios = {"fuel": [], "epoch": []}
    for name, size in json.loads(sys.argv[1]).items():
        modes = ["plain", "fuel", "epoch"]
        runs = {mode: prepare(name, size, mode) for mode in modes}
        assert len({run() for run in runs.values()}) == 1
        best = dict.fromkeys(modes, float("inf"))
        for _ in range(ROUNDS):
            for mode in modes:
                start = time.perf_counter()
                runs[mode]()
                best[mode] = min(best[mode], time.perf_counter() - start)
        for mode in ratios:
            ratios[mode].append(best[mode] / best["plain"])
    print(json.dumps({"version": importlib.metadata.version("wasmtime"), **ratios}))


main()
