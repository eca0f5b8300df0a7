#!/bin/sh
# Builds the kernels; the results are checked in, so that no one needs clang to run the benchmark or the tests.
set -e
cd "$(dirname "$0")"
for source in *.c; do
  clang --target=wasm32 -O2 -nostdlib -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=65536 -o "${source%.c}.wasm" "$source"
done
