/**
 * What is another answer inside of signalk-server when this host runs its plugins, with the reason of each: a defect of
 * its own loader, or a limit that holds here. A deviation that goes away fails the comparison, as a new one does.
 */

import type { Difference } from "./differences.ts";

export interface Deviation {
  readonly why: string;
  readonly differences: readonly Difference[];
}

export const deviations: readonly Deviation[] = [
  {
    why: "A status that a plugin sets is shown as its status; there it is kept under one name and looked for under another",
    differences: [
      { at: "plugins/_test_probe/statusMessage", theirs: "", ours: "Probing" },
      { at: "plugins/anchorages/statusMessage", theirs: "", ours: "Running" },
      { at: "plugins/depth-alarm/statusMessage", theirs: "", ours: "Watching for less than 3.0 m" },
      { at: "plugins/silenced/statusMessage", theirs: "", ours: "Probing" },
      { at: "plugins, in the end/anchorages/statusMessage", theirs: "", ours: "Running" },
      { at: "plugins, in the end/depth-alarm/statusMessage", theirs: "", ours: "Depth is 4.0 m" },
      { at: "plugins, in the end/silenced/statusMessage", theirs: "", ours: "Probing" },
    ],
  },
  {
    why: "The server alone says where a value came from: there, what the plugin claims is taken",
    differences: [{ at: "what it emitted/body/$source", theirs: "liar.XX", ours: "_test_probe" }],
  },
  {
    why: "A command is what its handler answers; there, the handler runs and the answer is lost",
    differences: [
      { at: "a command/status", theirs: 500, ours: 200 },
      { at: "a command/body/statusCode", theirs: 500, ours: 200 },
      {
        at: "a command/body/message",
        theirs: "Cannot read properties of undefined (reading 'state')",
        ours: "It is done",
      },
      { at: "a command to its package/status", theirs: 500, ours: 200 },
      { at: "a command to its package/body/statusCode", theirs: 500, ours: 200 },
      {
        at: "a command to its package/body/message",
        theirs: "Cannot read properties of undefined (reading 'state')",
        ours: "It is done",
      },
    ],
  },
  {
    why: "The model is read by `sk_get_self_path`; there it finds nothing",
    differences: [
      { at: "an endpoint that reads the model/type", theirs: "", ours: "application/json; charset=utf-8" },
      { at: "an endpoint that reads the model/body", theirs: "", ours: 3.5 },
    ],
  },
  {
    why: "A plugin whose package has a scope reads its configuration; there it looks into a file of another name",
    differences: [
      { at: "an endpoint that reads the configuration/body/depth", ours: 1 },
      { at: "its new configuration, in the guest/body/depth", ours: 2 },
    ],
  },
  {
    why: "A provider is registered under the plugin's id, and only while the plugin runs",
    differences: [
      { at: "weather: providers/body/@test/probe", theirs: { name: "Probe's weather", isDefault: true } },
      { at: "weather: providers/body/_test_probe", ours: { name: "Probe's weather", isDefault: true } },
      {
        at: "weather: providers, of a disabled plugin/body/@test/probe",
        theirs: { name: "Probe's weather", isDefault: true },
      },
      {
        at: "weather: providers, of a disabled plugin/body/silenced",
        theirs: { name: "Probe's weather", isDefault: false },
      },
      {
        at: "weather: providers, of a disabled plugin/body/_test_probe",
        ours: { name: "Probe's weather", isDefault: true },
      },
    ],
  },
  {
    why: "`dataWrite: false` is kept to",
    differences: [
      { at: "a plugin that may not write emitted/status", theirs: 200, ours: 404 },
      {
        at: "a plugin that may not write emitted/type",
        theirs: "application/json; charset=utf-8",
        ours: "text/html; charset=utf-8",
      },
      {
        at: "a plugin that may not write emitted/body",
        theirs: { value: 1, $source: "liar.XX", timestamp: "TIME" },
        ours: "Cannot GET /signalk/v1/api/vessels/self/probe/silenced",
      },
    ],
  },
  {
    why: "A disabled plugin serves nothing",
    differences: [
      { at: "an endpoint of a disabled plugin/status", theirs: 200, ours: 404 },
      {
        at: "an endpoint of a disabled plugin/body",
        theirs: { answer: "no" },
        ours: "Cannot GET /plugins/silenced/api/capability",
      },
    ],
  },
  {
    why: "A trap is the plugin's failure, said as this host says all failures; its guest is given up, and started again later",
    differences: [
      { at: "an endpoint that traps/status", theirs: 500, ours: 502 },
      { at: "an endpoint that traps/body/error", theirs: "unreachable" },
      { at: "an endpoint that traps/body/code", ours: "engine/unreachable" },
      { at: "an endpoint that traps/body/state", ours: "FAILED" },
      { at: "an endpoint that traps/body/statusCode", ours: 502 },
      {
        at: "an endpoint that traps/body/message",
        ours: 'Guest of "_test_probe" executed unreachable in PLACE',
      },
      { at: "after the trap/status", theirs: 200, ours: 404 },
      {
        at: "after the trap/body",
        theirs: { answer: "no" },
        ours: "Cannot GET /plugins/_test_probe/api/capability",
      },
      {
        at: "plugins, in the end/_test_probe/statusMessage",
        theirs: "",
        ours: 'It crashed and starts again in 2 s: Guest of "_test_probe" executed unreachable in PLACE',
      },
      { at: "plugins, in the end/_test_probe/state", theirs: "running", ours: "crashed" },
    ],
  },
  {
    why: "A loop ends at its deadline, and others are answered meanwhile; there, nobody is",
    differences: [
      { at: "an endpoint that loops/looping", theirs: "no answer", ours: 502 },
      { at: "an endpoint that loops/others", theirs: "no answer", ours: 200 },
    ],
  },
];
