/**
 * The routes by which clients make, change and remove what is kept for the next start. Changes wait for one another, and
 * whoever carries one out says when it is kept: what cannot be kept is not made.
 */

import { type ChangeKind, type KeptChange, type KeptChanges, keptChangesMax } from "../kept-changes.ts";
import { type Fields, fieldsOf, refused } from "./body.ts";
import { type JsonSchema, objectWith, someText, someUuid } from "./json-schema.ts";
import type { ApiAnswer, ApiRequest, ApiRoute } from "./mounted.ts";

/** What can be made, and how that is carried out. */
export interface Changing {
  readonly kind: ChangeKind;
  readonly name: "connection" | "filter";
  /** What each route does, for the API's description; without `patch` there is no PATCH. */
  readonly summaries: Readonly<Record<"make" | "replace" | "remove", string>> & { readonly patch?: string };
  /** Of what makes or replaces one. */
  readonly schema: JsonSchema;
  /** @throws its error for an id that is not there, or whose thing was not made here */
  find(id: string): KeptChange;
  /** @param keep Keeps it under an id. */
  add(request: Fields, keep: (id: string) => Promise<void>): Promise<void>;
  replace(before: KeptChange, request: Fields, keep: () => Promise<void>): Promise<void>;
  remove(before: KeptChange, keep: () => Promise<void>): Promise<void>;
}

export interface ChangingOptions {
  readonly kept: KeptChanges;
  readonly nowMs: () => number;
}

export function changingRoutes(changing: Changing, options: ChangingOptions): ApiRoute[] {
  const { name, summaries } = changing;
  const { add, replace, remove } = changesOf(changing, options);
  const base = `/api/v1/${changing.kind}`;
  const one = `${base}/:id`;
  const role = "operator";
  const change = { path: one, role, audit: `change ${name}` } as const;
  const patch: ApiRoute[] =
    summaries.patch === undefined
      ? []
      : [
          {
            ...change,
            method: "PATCH",
            summary: summaries.patch,
            schema: { body: { ...changing.schema, required: [] }, answers: { 200: done } },
            handle: ({ params, body }) =>
              replace(idOf(params), ({ request }) => ({ ...request, ...fieldsOf(body) })),
          },
        ];
  return [
    {
      method: "POST",
      path: base,
      role,
      audit: `create ${name}`,
      summary: summaries.make,
      schema: { body: changing.schema, answers: { 201: { ...done, description: "Made" } } },
      handle: ({ body }) => add(body),
    },
    {
      ...change,
      method: "PUT",
      summary: summaries.replace,
      schema: { body: changing.schema, answers: { 200: done } },
      handle: ({ params, body }) => replace(idOf(params), () => fieldsOf(body)),
    },
    ...patch,
    {
      method: "DELETE",
      path: one,
      role,
      audit: `delete ${name}`,
      summary: summaries.remove,
      schema: { answers: { 200: { description: "Removed", schema: objectWith({ message: someText }) } } },
      handle: ({ params }) => remove(idOf(params)),
    },
  ];
}

const done = { description: "Changed", schema: objectWith({ id: someUuid, message: someText }) };

function changesOf(changing: Changing, { kept, nowMs }: ChangingOptions) {
  const { kind } = changing;
  const now = () => new Date(nowMs()).toISOString();
  const answer = (status: number, done: string, id?: string): ApiAnswer => {
    const message = `${changing.name === "filter" ? "Filter" : "Connection"} ${done} successfully`;
    return { status, body: { ...(id !== undefined && { id }), message } };
  };
  return {
    add: (body: unknown) =>
      kept.alone(async () => {
        const all = kept.of(kind);
        if (all.length >= keptChangesMax)
          throw refused(`there are ${keptChangesMax} ${kind}, which are all that are allowed`);
        const request = fieldsOf(body);
        let made = "";
        await changing.add(request, async (id) => {
          await kept.write(kind, [...all, { id, createdAt: now(), modifiedAt: now(), request }]);
          made = id;
        });
        return answer(201, "created", made);
      }),
    replace: (id: string, requestOf: (before: KeptChange) => Fields) =>
      kept.alone(async () => {
        const before = changing.find(id);
        const request = requestOf(before);
        const next = { ...before, modifiedAt: now(), request };
        const changes = kept.of(kind).map((each) => (each === before ? next : each));
        await changing.replace(before, request, () => kept.write(kind, changes));
        return answer(200, "updated", id);
      }),
    remove: (id: string) =>
      kept.alone(async () => {
        const before = changing.find(id);
        const changes = kept.of(kind).filter((each) => each !== before);
        await changing.remove(before, () => kept.write(kind, changes));
        return answer(200, "deleted");
      }),
  };
}

/** As a client gave it, no longer than an error shows it. */
export function idOf({ id = "" }: ApiRequest["params"]): string {
  return id.slice(0, 100);
}
