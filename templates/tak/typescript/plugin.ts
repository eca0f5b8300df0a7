/** Passes what is inside an area and blocks what is outside. Change it to what your plugin is for. */

import type { Filter } from "./world.d.ts";

export const filter: Filter = {
  evaluate({ lat, lon }) {
    return lat > 51.9 && lat < 52.2 && lon > 4.1 && lon < 4.5 ? "pass" : "block";
  },
  describe: () => "Passes what is inside the area",
  getMetadata: () => ({
    id: "my-plugin",
    name: "my-plugin",
    version: "0.1.0",
    author: "The authors of my-plugin",
    description: "Passes what is inside the area",
    // componentize-qjs takes a u64 as a number, and stops at a small bigint.
    maxExecutionTimeUs: 100 as unknown as bigint,
  }),
};
