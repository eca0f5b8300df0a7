/** OmniTAK's rules, `/api/v1/filters`: made, changed and removed between two events, and kept for the next start. */

import { randomUUID } from "node:crypto";
import { takErrors } from "../errors.ts";
import type { TakHost } from "../host.ts";
import type { KeptChange, KeptChanges } from "../kept-changes.ts";
import { type Changing, type ChangingOptions, changingRoutes, idOf } from "./changing-routes.ts";
import { bounds, filterRequestOf, filterSchema, ruleOf } from "./filter-request.ts";
import {
  listOf,
  objectWith,
  oneOfTexts,
  orNull,
  someCount,
  someFlag,
  someText,
  someTime,
  someUuid,
} from "./json-schema.ts";
import { type ApiRoute, look } from "./mounted.ts";

export interface FilterRoutesOptions extends ChangingOptions {
  readonly host: TakHost;
}

const base = "/api/v1/filters";

export function filterRoutes(options: FilterRoutesOptions): ApiRoute[] {
  const { host, kept } = options;
  const view = (change: KeptChange) => filterView(change, host);
  return [
    look({ path: base, summary: "All filter rules", answer: allSchema }, async () => {
      const filters = kept
        .of("filters")
        .map(view)
        .toSorted((a, b) => b.priority - a.priority);
      return { filters, total: filters.length };
    }),
    look({ path: `${base}/:id`, summary: "A filter rule", answer: viewSchema }, async ({ params }) =>
      view(find(kept, idOf(params))),
    ),
    ...changingRoutes(changingOf(options), options),
  ];
}

/** Kept first: what serves is never more than what is kept. */
function changingOf({ host, kept }: FilterRoutesOptions): Changing {
  const serve = () => host.rules.set(kept.of("filters").map(ruleOf));
  return {
    kind: "filters",
    name: "filter",
    schema: filterSchema,
    summaries: {
      make: "Make a filter rule: the first that matches an event, by priority, allows or denies it",
      replace: "Replace a filter rule",
      patch: "Change some fields of a filter rule",
      remove: "Remove a filter rule",
    },
    find: (id) => find(kept, id),
    async add(request, keep) {
      filterRequestOf(request);
      await keep(randomUUID());
      serve();
    },
    async replace(_before, request, keep) {
      filterRequestOf(request);
      await keep();
      serve();
    },
    async remove(_before, keep) {
      await keep();
      serve();
    },
  };
}

/** @throws tak/no-such-filter */
function find(kept: KeptChanges, id: string): KeptChange {
  const found = kept.of("filters").find((change) => change.id === id);
  if (found === undefined) throw takErrors["no-such-filter"]({ id });
  return found;
}

const viewSchema = objectWith({
  id: someUuid,
  name: someText,
  priority: { type: "integer" },
  action: oneOfTexts(["allow", "deny"]),
  event_type: orNull(someText),
  uid_pattern: orNull(someText),
  callsign_pattern: orNull(someText),
  source_address: { type: "null" },
  destination_address: { type: "null" },
  geo_bounds: orNull(bounds.schema),
  enabled: someFlag,
  match_count: someCount,
  created_at: someTime,
  modified_at: someTime,
});

const allSchema = objectWith({ filters: listOf(viewSchema), total: someCount });

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
