/** `/v1/audit`: the trail, newest first, and whether it is as it was written. */

import { Type } from "typebox";
import { adminErrors } from "../../errors.ts";
import type { Operations } from "../../operations.ts";
import { AuditRecordView, VerdictView } from "../../views.ts";
import { answers } from "../answers.ts";
import type { App } from "../app.ts";

const tags = ["audit"];
const Seq = Type.String({ pattern: "^[0-9]{1,15}$", examples: ["1000"] });

export function auditRoutes(app: App, operations: Operations): void {
  app.get(
    "/v1/audit",
    {
      config: { role: "operator" },
      schema: {
        tags,
        summary: "The newest lines",
        querystring: Type.Object(
          {
            limit: Type.Optional(
              Type.String({
                pattern: "^[0-9]{1,4}$",
                examples: ["100"],
                description: "Default 100, at most 1000",
              }),
            ),
            before: Type.Optional(Seq),
            plugin: Type.Optional(Type.String({ maxLength: 100 })),
            kind: Type.Optional(Type.String({ maxLength: 100, description: "How the kind begins: plugin." })),
          },
          { additionalProperties: false },
        ),
        response: answers(Type.Object({ records: Type.Array(AuditRecordView) })),
      },
    },
    async (request) => {
      const { limit = "100", before, plugin, kind } = request.query;
      const records = await operations.audit({
        recordsMax: Number(limit),
        ...(before !== undefined && { beforeSeq: Number(before) }),
        ...(plugin !== undefined && { plugin }),
        ...(kind !== undefined && { kind }),
      });
      return { records };
    },
  );
  app.get(
    "/v1/audit/verify",
    {
      config: { role: "operator" },
      schema: {
        tags,
        summary: "Whether the trail is as it was written; names the first line that is not",
        querystring: Type.Object(
          {
            seq: Type.Optional(Seq),
            hash: Type.Optional(
              Type.String({
                pattern: "^[0-9a-f]{64}$",
                examples: ["0".repeat(64)],
                description: "Of line `seq`, kept elsewhere",
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: answers(VerdictView),
      },
    },
    (request) => {
      const { seq, hash } = request.query;
      if ((seq === undefined) !== (hash === undefined)) {
        throw adminErrors["bad-request"]({ problem: 'of "seq" and "hash" one is there alone' });
      }
      const expected = seq === undefined || hash === undefined ? undefined : { seq: Number(seq), hash };
      return operations.verifyAudit(expected);
    },
  );
}
