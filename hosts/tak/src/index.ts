// Messages: their two forms, read lazily and written once, and streams of them cut into events.
export { createMessage, readMessage } from "./cot/event-decoder.ts";
export type { EventFields } from "./cot/event-fields.ts";
export { type CotLimits, cotLimits, cotLimitsDefault } from "./cot/limits.ts";
export type { CotFormat, CotMessage } from "./cot/message.ts";
export { type Accepted, type StreamHandlers, StreamReader } from "./cot/stream-reader.ts";
export type { TakControl } from "./cot/tak-message.ts";
