/** How routes answer, for the OpenAPI document: what was asked for, or a problem with its code. */

import { type TSchema, Type } from "typebox";
import { ProblemView } from "../views.ts";

const problems = { "4xx": ProblemView, "5xx": ProblemView };

export function answers<Schema extends TSchema>(schema: Schema) {
  return { 200: schema, ...problems };
}

/** Done, and there is nothing more to say. */
export const done = { 204: Type.Null({ description: "Done" }), ...problems };
