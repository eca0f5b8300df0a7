export { RemoraError } from "./base/index.ts";
