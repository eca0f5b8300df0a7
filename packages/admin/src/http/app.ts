/** What all routes share: the type of the application, and who asks. */

import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyTypeProvider,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify";
import type { Static, TSchema } from "typebox";
import type { Role } from "../access/roles.ts";
import type { Caller } from "../access/tokens.ts";

/** Requests and answers have the types that their schemas say. */
interface SchemaTypes extends FastifyTypeProvider {
  readonly validator: this["schema"] extends TSchema ? Static<this["schema"]> : unknown;
  readonly serializer: this["schema"] extends TSchema ? Static<this["schema"]> : unknown;
}

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  SchemaTypes
>;

declare module "fastify" {
  interface FastifyRequest {
    /** Undefined on the few routes that everybody may ask. */
    caller: Caller | undefined;
  }
  interface FastifyContextConfig {
    /** Who may ask. Without it nobody may: a route that forgot it does not answer. */
    readonly role?: Role | "everybody";
    /** What it does, for the audit trail; routes that only look have none. */
    readonly audit?: string;
    /** Which plugin it is about, for the audit trail. Default: the one that a parameter names. */
    readonly plugin?: (params: Readonly<Record<string, string>>) => string | undefined;
  }
}
