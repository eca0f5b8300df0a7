/**
 * `wasi:cli`: arguments, environment, standard streams and exit. There is no terminal: output goes to the log.
 * https://github.com/WebAssembly/WASI 0.2, proposals/cli.
 */

import type { Machine } from "../machine/machine.ts";
import { InputStream, OutputStream, readySink } from "./streams.ts";

export function environment(machine: Machine) {
  return {
    getEnvironment: (): [string, string][] => machine.environment(),
    getArguments: (): string[] => [...machine.shared.arguments],
    initialCwd: (): string | undefined => undefined,
  };
}

export function exit(machine: Machine) {
  return {
    exit: (status: { readonly tag: "ok" | "err" }) => machine.exit(status.tag === "ok" ? 0 : 1),
    exitWithCode: (exitCode: number) => machine.exit(exitCode),
  };
}

export function stdin(machine: Machine) {
  const { input } = machine;
  const source = {
    read: (bytesMax: number) => input.read(bytesMax),
    awaited: { kind: "event", isReady: () => input.isReady(), change: () => input.change },
    close: () => {},
  } as const;
  // Each stream reads on where another one stopped, as descriptors of one file do.
  return { getStdin: () => new InputStream(machine, source) };
}

export function stdout(machine: Machine) {
  const getStdout = output(machine, "stdout");
  return { getStdout };
}

export function stderr(machine: Machine) {
  const getStderr = output(machine, "stderr");
  return { getStderr };
}

/** The resources exist, so that functions can be typed; nobody gets one. */
export class TerminalInput {}
export class TerminalOutput {}

export const terminals = {
  input: () => ({ TerminalInput }),
  output: () => ({ TerminalOutput }),
  stdin: () => ({ getTerminalStdin: (): TerminalInput | undefined => undefined }),
  stdout: () => ({ getTerminalStdout: (): TerminalOutput | undefined => undefined }),
  stderr: () => ({ getTerminalStderr: (): TerminalOutput | undefined => undefined }),
};

function output(machine: Machine, from: "stdout" | "stderr"): () => OutputStream {
  const stream = machine.shared.log.stream(from);
  machine.onClose(() => stream.flush());
  return () =>
    new OutputStream(
      machine,
      readySink(
        (bytes) => stream.write(bytes),
        () => {},
      ),
    );
}
