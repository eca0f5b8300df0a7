/** OmniTAK's rules, `/api/v1/filters`: made, changed and removed between two events, and kept for the next start. */

import { randomUUID } from "node:crypto";
import { takErrors } from "../errors.ts";
import type { TakHost } from "../host.ts";
import { type KeptChange, type KeptChanges, keptChangesMax } from "../kept-changes.ts";
import { fieldsOf, refused } from "./body.ts";
import { filterRequestOf, ruleOf } from "./filter-request.ts";
import { type ApiRequest, type ApiRoute, look } from "./mounted.ts";

export interface FilterRoutesOptions {
  readonly host: TakHost;
  readonly kept: KeptChanges;
  readonly nowMs: () => number;
}

const base = "/api/v1/filters";
const one = `${base}/:id`;

export function filterRoutes(options: FilterRoutesOptions): ApiRoute[] {
  const { host, kept, nowMs } = options;
  const view = (change: KeptChange) => filterView(change, host);
  const now = () => new Date(nowMs()).toISOString();
  /** Written first: what serves is never more than what is kept. */
  const keep = async (changes: readonly KeptChange[]) => {
    const rules = changes.map(ruleOf);
    await kept.write("filters", changes);
    host.rules.set(rules);
  };
  const add = (body: unknown) =>
    kept.alone(async () => {
      const all = kept.of("filters");
      if (all.length >= keptChangesMax)
        throw refused(`there are ${keptChangesMax} filters, which are all that are allowed`);
      filterRequestOf(body);
      const change = { id: randomUUID(), createdAt: now(), modifiedAt: now(), request: fieldsOf(body) };
      await keep([...all, change]);
      return { status: 201, body: { id: change.id, message: "Filter created successfully" } };
    });
  const replace = (id: string, requestOf: (before: KeptChange) => KeptChange["request"]) =>
    kept.alone(async () => {
      const before = find(kept, id);
      const request = requestOf(before);
      filterRequestOf(request);
      await keep(
        kept
          .of("filters")
          .map((each) => (each === before ? { ...before, modifiedAt: now(), request } : each)),
      );
      return { status: 200, body: { id, message: "Filter updated successfully" } };
    });
  const remove = (id: string) =>
    kept.alone(async () => {
      const before = find(kept, id);
      await keep(kept.of("filters").filter((each) => each !== before));
      return { status: 200, body: { message: "Filter deleted successfully" } };
    });
  const changes = { role: "operator" as const };
  return [
    look(base, "All filter rules", async () => {
      const filters = kept
        .of("filters")
        .map(view)
        .toSorted((a, b) => b.priority - a.priority);
      return { filters, total: filters.length };
    }),
    look(one, "A filter rule", async ({ params }) => view(find(kept, idOf(params)))),
    {
      ...changes,
      method: "POST",
      path: base,
      audit: "create filter",
      summary: "Make a filter rule: the first that matches an event, by priority, allows or denies it",
      handle: ({ body }) => add(body),
    },
    {
      ...changes,
      method: "PUT",
      path: one,
      audit: "change filter",
      summary: "Replace a filter rule",
      handle: ({ params, body }) => replace(idOf(params), () => fieldsOf(body)),
    },
    {
      ...changes,
      method: "PATCH",
      path: one,
      audit: "change filter",
      summary: "Change some fields of a filter rule",
      handle: ({ params, body }) =>
        replace(idOf(params), ({ request }) => ({ ...request, ...fieldsOf(body) })),
    },
    {
      ...changes,
      method: "DELETE",
      path: one,
      audit: "delete filter",
      summary: "Remove a filter rule",
      handle: ({ params }) => remove(idOf(params)),
    },
  ];
}

/** @throws tak/no-such-filter */
function find(kept: KeptChanges, id: string): KeptChange {
  const found = kept.of("filters").find((change) => change.id === id);
  if (found === undefined) throw takErrors["no-such-filter"]({ id });
  return found;
}

function filterView({ id, request, createdAt, modifiedAt }: KeptChange, { rules }: TakHost) {
  const { name, priority, action, isEnabled } = filterRequestOf(request);
  const { event_type = null, uid_pattern = null, callsign_pattern = null, geo_bounds = null } = request;
  return {
    id,
    name,
    priority,
    action,
    event_type,
    uid_pattern,
    callsign_pattern,
    source_address: null,
    destination_address: null,
    geo_bounds,
    enabled: isEnabled,
    match_count: rules.matched(id),
    created_at: createdAt,
    modified_at: modifiedAt,
  };
}

function idOf({ id = "" }: ApiRequest["params"]): string {
  return id.slice(0, 100);
}
