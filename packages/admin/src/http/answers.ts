/** How routes answer, for the OpenAPI document: what was asked for, or a problem with its code. */

import { type TSchema, Type } from "typebox";
import { ChangeView, ProblemView } from "../views.ts";

const problems = { "4xx": ProblemView, "5xx": ProblemView };

export function answers<Schema extends TSchema>(schema: Schema) {
  return { 200: schema, ...problems };
}

/** A text of some other type than JSON. */
export function textAnswers(type: string, description: string) {
  return { 200: { description, content: { [type]: { schema: Type.String() } } }, ...problems };
}

/** Done, and there is nothing more to say. */
export const done = { 204: Type.Null({ description: "Done" }), ...problems };

/** Of what changes a plugin: 202 where somebody still has to consent. */
export const changeAnswers = { ...answers(ChangeView), 202: ChangeView };

/** @returns What `changeAnswers` says, with its status. */
export function changed(reply: { code(status: 200 | 202): unknown }, change: ChangeView): ChangeView {
  reply.code(change.held === null ? 200 : 202);
  return change;
}
