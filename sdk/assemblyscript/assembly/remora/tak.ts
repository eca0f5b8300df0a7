// All that a TAK plugin imports: `import { CotMessage, FilterMetadata, FilterResult } from "remora/tak"`.

export { currentTimeMs, log, LogLevel, queryElevation } from "./host";
export { lastIndexOf, replaceRange, standsAt } from "./bytes";
export { fail } from "./tak/failure";
export { CotMessage } from "./tak/cot-message";
export { LazyMessage } from "./tak/lazy-message";
export { FilterMetadata, FilterResult, TransformerMetadata } from "./tak/metadata";
