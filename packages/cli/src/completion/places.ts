/**
 * What may stand where on a command line, as Commander knows it, for the shells: behind which commands which others, in
 * which place which values. A value's kind follows from its name, which is also what the help shows.
 */

import type { Command } from "commander";

export type Offer =
  | { readonly kind: "words"; readonly words: readonly string[] }
  /** Asked of the program when somebody presses tab. */
  | { readonly kind: "plugins" | "versions" }
  | { readonly kind: "files" }
  /** Only whoever types it knows. */
  | { readonly kind: "nothing" };

export interface Place {
  /** `grants show`; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly string[];
  readonly options: readonly string[];
  /** Options that take a value: each way to write one, and what may follow it. */
  readonly values: readonly { readonly option: string; readonly offer: Offer }[];
  /** What may stand first, second and so on. */
  readonly slots: readonly Offer[];
  /** Whether the last of them may stand more than once. */
  readonly isVariadic: boolean;
}

/** @param capabilities Those that can be given. */
export function placesOf(program: Command, capabilities: readonly string[]): Place[] {
  const offerOf = (name: string, choices: readonly string[] | undefined): Offer => {
    if (choices !== undefined) return { kind: "words", words: choices };
    if (name === "capability") return { kind: "words", words: capabilities };
    return byName[name] ?? { kind: "nothing" };
  };
  const of = (command: Command, path: string): Place[] => {
    const children = command.commands.flatMap((child) => of(child, `${path} ${child.name()}`.trim()));
    const { options, registeredArguments: slots } = command;
    const spellings = (option: (typeof options)[number]) =>
      [option.long, option.short].filter((text) => typeof text === "string");
    const place = {
      path,
      commands: command.commands.map((child) => child.name()),
      options: [...options.map(({ long, short }) => long ?? short ?? ""), "--help"],
      values: options
        .filter((option) => option.required)
        .flatMap((option) => {
          const offer =
            option.long === "--plugin" ? plugins : offerOf(valueName(option.flags), option.argChoices);
          return spellings(option).map((spelling) => ({ option: spelling, offer }));
        }),
      slots: slots.map((slot) => offerOf(slot.name(), slot.argChoices)),
      isVariadic: slots.at(-1)?.variadic ?? false,
    };
    return [place, ...children];
  };
  return of(program, "");
}

const plugins: Offer = { kind: "plugins" };
const files: Offer = { kind: "files" };

const byName: Readonly<Record<string, Offer>> = {
  plugin: plugins,
  version: { kind: "versions" },
  ref: files,
  file: files,
  folder: files,
  path: files,
  config: files,
};

/** `file` of `-o, --output <file>`. */
function valueName(flags: string): string {
  const [, name = ""] = /<([^>.]+)/.exec(flags) ?? [];
  return name;
}

/** What is offered where the cursor stands, for scripts that tell where that is. */
export interface Answer {
  /** The command's path, the option whose value is awaited and how many arguments there are, or `-` for an option. */
  readonly at: string;
  /** Whatever more follows in it, too. */
  readonly isOpen: boolean;
  readonly offer: Offer;
}

export function answersOf(places: readonly Place[]): Answer[] {
  return places.flatMap(({ path, commands, options, values, slots, isVariadic }): Answer[] => [
    ...values.map(({ option, offer }) => ({ at: `${path} ${option} `, isOpen: true, offer })),
    { at: `${path}  -`, isOpen: false, offer: { kind: "words", words: options } },
    ...(commands.length > 0
      ? [{ at: `${path}  0`, isOpen: false, offer: { kind: "words", words: commands } } as const]
      : []),
    ...slots.map((offer, at) =>
      isVariadic && at === slots.length - 1
        ? { at: `${path}  `, isOpen: true, offer }
        : { at: `${path}  ${at}`, isOpen: false, offer },
    ),
  ]);
}

/** Commands and options that take a value: `install --trust`. */
export function awaitingOf(places: readonly Place[]): string[] {
  return places.flatMap(({ path, values }) => values.map(({ option }) => `${path} ${option}`));
}

/** All commands. */
export function pathsOf(places: readonly Place[]): string[] {
  return places.map(({ path }) => path).filter((path) => path !== "");
}
