/**
 * What the interface shows and takes, as JSON. The schemas are what answers are made by, what requests are checked by
 * and what the OpenAPI document says; the types come from them.
 */

import { type Static, Type } from "typebox";
import { roles } from "./access/roles.ts";

const Nullable = <Schema extends Parameters<typeof Type.Union>[0][number]>(schema: Schema) =>
  Type.Union([schema, Type.Null()]);

/** As in manifests. What is no name never reaches the manager. */
export const PluginName = Type.String({
  pattern: "^[a-z][a-z0-9-]{0,63}$",
  examples: ["geofence"],
  description: "A plugin's name",
});

export const PluginParams = Type.Object({ name: PluginName });

/** A capability and its targets, in the field that the capability names. */
export const GrantView = Type.Object(
  { capability: Type.String({ maxLength: 100 }) },
  {
    additionalProperties: Type.Union([Type.String(), Type.Array(Type.String(), { maxItems: 1000 })]),
    description:
      'A capability and its targets: { "capability": "net.http", "origins": ["https://example.org"] }',
  },
);
export type GrantView = Static<typeof GrantView>;

export const AccountView = Type.Object(
  {
    calls: Type.Integer(),
    traps: Type.Integer({ description: "Calls that failed by fault of the guest" }),
    fuelUsed: Type.Number({ description: "WebAssembly instructions" }),
    cpuMs: Type.Number({ description: "Time in calls, estimated from one call in sixteen" }),
    memoryBytes: Type.Integer({ description: "Memory of its live instances" }),
    hostCalls: Type.Integer({
      description: "Calls of host functions, whether they need a capability or not",
    }),
    refusals: Type.Integer({ description: "What its gate refused" }),
    sentBytes: Type.Integer({ description: "Over the network; of HTTP bodies, addresses and headers" }),
    receivedBytes: Type.Integer({ description: "As above, what it took" }),
    storedBytes: Type.Integer({ description: "What its own files take" }),
    instances: Type.Integer({ description: "Instances made so far" }),
    reloads: Type.Integer(),
    returns: Type.Integer({ description: "Times that a failed version was followed by the one before it" }),
    p50ns: Type.Number(),
    p95ns: Type.Number(),
    p99ns: Type.Number(),
  },
  {
    description:
      "What the plugin has done since the manager was opened; latencies are of the version that runs",
  },
);
export type AccountView = Static<typeof AccountView>;

const FailureView = Type.Object({ code: Type.String(), message: Type.String() });

/** Nobody can say what it wants. */
const HeldProblem = Nullable(
  Type.Object(FailureView.properties, {
    description: "Why what waits cannot be accepted: it is damaged, and can be refused or installed again",
  }),
);

const pluginFields = {
  name: Type.String(),
  version: Nullable(Type.String({ description: "Null while a first version waits for consent" })),
  host: Type.String(),
  isEnabled: Type.Boolean(),
  state: Type.String({
    description: "installed, preparing, running, draining, broken, backing-off or stopped",
  }),
  breaker: Type.String({ description: "closed, open or half-open" }),
  isOnProbation: Type.Boolean({ description: "Whether the version before is ready to take over again" }),
  held: Nullable(Type.String({ description: "A version that waits for consent" })),
  failure: Nullable(FailureView),
  account: AccountView,
};

export const PluginView = Type.Object(pluginFields);
export type PluginView = Static<typeof PluginView>;

const VersionView = Type.Object({
  version: Type.String(),
  digest: Type.String(),
  origin: Type.String({ description: "Where it came from, for people: a path, a source, an upload" }),
  installedAt: Type.String(),
  failedWith: Nullable(Type.String({ description: "The code that it was taken back for" })),
});
export type VersionView = Static<typeof VersionView>;

const PublisherView = Type.Object(
  {
    from: Type.String({ description: "Who signed the version that runs" }),
    to: Type.String(),
    name: Nullable(Type.String({ description: "Whose key the new one is; null where it is not trusted" })),
  },
  { description: "Another publisher than that of the version that runs" },
);

const KeptVersionView = Type.Object({
  ...VersionView.properties,
  publisher: Type.Union([PublisherView, Type.Null()]),
});

const ManifestView = Type.Object({
  description: Nullable(Type.String()),
  authors: Type.Array(Type.String()),
  licence: Type.String(),
  homepage: Nullable(Type.String()),
  category: Nullable(Type.String()),
  tags: Type.Array(Type.String()),
  isolation: Type.String(),
  capabilities: Type.Array(Type.Object({ grant: GrantView, why: Type.String() })),
  limits: Type.Record(Type.String(), Type.Number()),
  settingsSchema: Type.Unknown({ description: "JSON Schema of the settings; null when it takes none" }),
  dependencies: Type.Record(Type.String(), Type.String()),
});

export const PluginDetailsView = Type.Object({
  ...pluginFields,
  current: Nullable(VersionView),
  heldVersion: Nullable(VersionView),
  heldPublisher: Nullable(PublisherView),
  heldProblem: HeldProblem,
  previous: Type.Array(KeptVersionView, { description: "Kept to go back to, the last one first" }),
  trust: Nullable(Type.Object({ level: Type.String(), text: Type.String(), reason: Type.String() })),
  grants: Type.Array(GrantView),
  refused: Type.Array(GrantView),
  settings: Type.Unknown({ description: "As they are kept, with references in place of secrets; or null" }),
  neededBy: Type.Array(Type.String()),
  manifest: Nullable(ManifestView),
});
export type PluginDetailsView = Static<typeof PluginDetailsView>;

export const ConsentItemView = Type.Object({
  capability: Type.String(),
  target: Nullable(Type.String()),
  why: Type.String({ description: "The plugin's own words" }),
  meaning: Type.String(),
  risk: Type.String({ description: "low, medium or high" }),
});

/** Of a request for consent; longer than any that there is. */
export const RequestId = Type.String({
  maxLength: 100,
  description: "Names what waits and all that it wants: an answer is for the request that was shown alone",
});

export const ConsentView = Type.Object({
  id: RequestId,
  plugin: Type.String(),
  version: Type.String(),
  digest: Type.String({ description: "Of the bundle, as remora inspect prints it" }),
  origin: Type.String({ description: "Where it comes from, for people" }),
  current: Nullable(Type.String({ description: "The version that runs meanwhile" })),
  trust: Type.String(),
  publisher: Nullable(PublisherView),
  items: Type.Array(ConsentItemView, { description: "What it wants beyond what it has" }),
  granted: Type.Array(GrantView),
  denied: Type.Array(ConsentItemView, { description: "What the policy refuses, whoever consents" }),
  problem: HeldProblem,
});
export type ConsentView = Static<typeof ConsentView>;

export const ChangeView = Type.Object({
  name: Type.String(),
  version: Nullable(Type.String()),
  from: Nullable(Type.String({ description: "The version that ran before" })),
  held: Nullable(ConsentView),
  publisher: Nullable(PublisherView),
  neededBy: Type.Optional(
    Type.String({
      description: "What was to be installed needs the one that waits, and is installed after it",
    }),
  ),
});
export type ChangeView = Static<typeof ChangeView>;

export const AuditRecordView = Type.Object({
  seq: Type.Integer(),
  at: Type.String(),
  previous: Type.String(),
  event: Type.Object({ kind: Type.String() }, { additionalProperties: true }),
  hash: Type.String(),
});
export type AuditRecordView = Static<typeof AuditRecordView>;

const ChainEndView = Type.Object({ seq: Type.Integer(), hash: Type.String() });

export const VerdictView = Type.Union([
  Type.Object({
    kind: Type.Literal("intact"),
    lines: Type.Integer(),
    first: Nullable(ChainEndView),
    last: Nullable(ChainEndView),
    tornBytes: Type.Integer({ description: "Of a line that was never whole, since its writer was killed" }),
    resumptions: Type.Array(AuditRecordView),
    removed: Nullable(
      Type.Object(
        {
          throughSeq: Type.Integer(),
          seq: Type.Integer({
            description: "Of the line that says so: one behind it, kept elsewhere, vouches for it",
          }),
        },
        { description: "What the trail says that was removed as too old" },
      ),
    ),
  }),
  Type.Object({
    kind: Type.Literal("broken"),
    problem: Type.String({
      description: "changed, missing, reordered, truncated, no-head, not-expected or not-kept",
    }),
    seq: Type.Integer(),
    file: Nullable(Type.String()),
    number: Nullable(Type.Integer()),
    message: Type.String(),
  }),
]);
export type VerdictView = Static<typeof VerdictView>;

export const ProblemView = Type.Object(
  {
    error: Type.String({ description: "A code of docs/errors.md, layer/name" }),
    message: Type.String(),
    fault: Type.String({ description: "Who has to act: guest, publisher, operator or platform" }),
  },
  { description: "Why it could not be done" },
);
export type ProblemView = Static<typeof ProblemView>;

export const HealthView = Type.Object({
  status: Type.String({ description: "healthy, or degraded when an enabled plugin does not run" }),
});

export const InstallBody = Type.Object(
  {
    ref: Type.String({
      minLength: 1,
      maxLength: 4096,
      pattern: "^[^\\u0000-\\u001f]+$",
      examples: ["geofence@^1.2.0"],
      description: "A name with or without a range (geofence@^1.2.0), or a path of the manager's machine",
    }),
    settings: Type.Optional(Type.Unknown()),
    isEnabled: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
export type InstallBody = Static<typeof InstallBody>;

/** A path in a query has three bytes for each of its own, and all headers of a request together 16 KiB. */
export const uploadOriginCharsMax = 500;

export const UploadQuery = Type.Object(
  {
    origin: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: uploadOriginCharsMax,
        examples: ["geofence.bundle"],
        description: "Where the bundle comes from, for people; it is shown with the caller's name",
      }),
    ),
    isEnabled: Type.Optional(Type.Union([Type.Literal("true"), Type.Literal("false")])),
  },
  { additionalProperties: false },
);

export const RoleView = Type.Union(roles.map((role) => Type.Literal(role)));
