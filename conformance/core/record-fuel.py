#!/usr/bin/env python3
"""Records what wasmtime's fuel is for each call of `fuel-cases.ts`.

    pip install wasmtime && python3 conformance/core/record-fuel.py

Writes `fixtures/fuel.json`: the version of wasmtime, and by case one number a call, or null where the call did
not return. Node 26 must be the `node` of the PATH.
"""

import importlib.metadata
import json
import pathlib
import subprocess
import tempfile

import wasmtime

here = pathlib.Path(__file__).parent
FUEL = 10_000_000_000


def stub(store, kind):
    """What both engines give for an import: it does nothing and answers zeros."""
    if not isinstance(kind, wasmtime.FuncType):
        raise ValueError(f"no stub for {kind}")
    results = [0.0 if str(result) in ("f32", "f64") else 0 for result in kind.results]
    answer = None if not results else results[0] if len(results) == 1 else results
    return wasmtime.Func(store, kind, lambda *_: answer)


def record(engine, folder, index, calls):
    store = wasmtime.Store(engine)
    store.set_fuel(FUEL)
    module = wasmtime.Module(engine, (folder / f"{index}.module.wasm").read_bytes())
    instance = wasmtime.Instance(store, module, [stub(store, item.type) for item in module.imports])
    exports = instance.exports(store)
    caller = wasmtime.Module(engine, (folder / f"{index}.caller.wasm").read_bytes())
    functions = wasmtime.Instance(store, caller, [exports[item.name] for item in caller.imports]).exports(store)
    spent = []
    for name in calls:
        store.set_fuel(FUEL)
        try:
            functions[name](store)
            spent.append(FUEL - store.get_fuel())
        except (wasmtime.WasmtimeError, wasmtime.Trap):
            spent.append(None)
    return spent


def main():
    config = wasmtime.Config()
    config.consume_fuel = True
    for feature in ("threads", "tail_call", "exceptions", "function_references", "gc", "memory64", "multi_memory"):
        setattr(config, f"wasm_{feature}", True)
    engine = wasmtime.Engine(config)
    fuel = {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run(["node", here / "list-fuel-cases.ts", folder], check=True)
        for index, case in enumerate(json.loads((folder / "cases.json").read_text())):
            try:
                fuel[case["name"]] = record(engine, folder, index, case["calls"])
            except (wasmtime.WasmtimeError, ValueError) as error:
                print(f"{case['name']}: {str(error).splitlines()[0]}")
    version = importlib.metadata.version("wasmtime")
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(spent)}" for name, spent in fuel.items())
    (here / "fixtures").mkdir(exist_ok=True)
    (here / "fixtures" / "fuel.json").write_text(f'{{"wasmtime": "{version}",\n "cases": {{\n{lines}\n}}}}\n')
    print(sum(value is not None for spent in fuel.values() for value in spent), "calls recorded")


if __name__ == "__main__":
    main()
