/** From an error to an answer: a status, and the error's own code and sentence. */

import type { FastifyError } from "fastify";
import { isRemoraError, type RemoraError } from "remora/base";
import { adminErrors } from "../errors.ts";
import type { ProblemView } from "../views.ts";

export interface Problem {
  readonly status: number;
  readonly body: ProblemView;
  /** Not told to whoever asked: it may say more than they should know. */
  readonly isOurs: boolean;
  /** Seconds after which it may be otherwise, where somebody knows. */
  readonly retryAfter: number | undefined;
}

/** By code; whatever is not in it is answered by whose fault it is. */
const statuses: Readonly<Record<string, number>> = {
  "admin/bad-name": 400,
  "admin/bad-request": 400,
  "admin/unauthorized": 401,
  "admin/forbidden": 403,
  "admin/foreign-host": 403,
  "admin/no-route": 404,
  "admin/no-such-token": 404,
  "admin/too-large": 413,
  "admin/unsupported-type": 415,
  "admin/too-many-requests": 429,
  "admin/too-many-streams": 429,
  "admin/too-many-connections": 503,
  "manager/audit-busy": 429,
  "manager/no-such-plugin": 404,
  "manager/no-such-version": 404,
  "manager/no-such-consent": 404,
  "manager/no-source": 404,
  "manager/not-granted": 404,
  "manager/needed-by": 409,
  "manager/not-running": 409,
  "manager/nothing-to-reload": 409,
  "manager/unmet-needs": 409,
  "manager/stopped-without": 409,
  "manager/changed-meanwhile": 409,
  "manager/held-changed": 409,
  "manager/ambiguous-version": 409,
  "manager/audit-unreadable": 500,
  "manager/store-damaged": 500,
  "manager/folder": 507,
  "manager/not-lasting": 507,
  "manager/audit-unwritable": 507,
  "manager/closed": 503,
};

/** @param bytesMax Of the body, where the path is known. */
export function problemOf(thrown: unknown, bytesMax?: number): Problem {
  const error = codedError(thrown, bytesMax);
  // The error that names the step has the reason as its cause, and that says which status it is.
  const reason = isRemoraError(error.cause) ? error.cause : error;
  const status = statuses[error.code] ?? statuses[reason.code] ?? statusByFault(reason);
  const { code, message, fault, details } = error;
  const { retryAfterSeconds: retryAfter } = details as { readonly retryAfterSeconds?: number }; // as its row in the table has it
  // That it is busy or closed is no mistake.
  const isOurs = status >= 500 && status !== 503;
  return { status, body: { error: code, message, fault }, isOurs, retryAfter };
}

function statusByFault({ fault }: RemoraError): number {
  return fault === "platform" ? 500 : 422;
}

/** Fastify's own refusals have codes and statuses of their own; they get ours. */
function codedError(thrown: unknown, bytesMax: number | undefined): RemoraError {
  if (isRemoraError(thrown)) return thrown;
  const { code, statusCode, message, validation } = thrown as Partial<FastifyError>;
  if (validation !== undefined) return adminErrors["bad-request"]({ problem: message ?? "" }, thrown);
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") return adminErrors["too-large"]({ bytesMax }, thrown);
  if (code === "FST_ERR_CTP_INVALID_MEDIA_TYPE")
    return adminErrors["unsupported-type"]({ problem: message ?? "" }, thrown);
  const isTheirs = statusCode !== undefined && statusCode >= 400 && statusCode < 500;
  if (isTheirs) return adminErrors["bad-request"]({ problem: message ?? "" }, thrown);
  return adminErrors.internal({}, thrown);
}
