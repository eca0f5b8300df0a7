/** Where the benchmark keeps what it builds and transpiles; ignored by git. */

import { join } from "node:path";

export const cacheFolder = join(import.meta.dirname, "../../.cache/bench-component");
