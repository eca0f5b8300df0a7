/** Why a request failed, in the terms of wasi:http 0.2 `error-code`: the same for every kind of guest. */

export type HttpErrorCode =
  | { readonly tag: "DNS-timeout" | "destination-not-found" | "destination-unavailable" }
  | { readonly tag: "DNS-error"; readonly val: { readonly rcode?: string; readonly infoCode?: number } }
  | { readonly tag: "destination-IP-prohibited" | "destination-IP-unroutable" }
  | { readonly tag: "connection-refused" | "connection-terminated" | "connection-limit-reached" }
  | { readonly tag: "connection-timeout" | "connection-read-timeout" | "connection-write-timeout" }
  | { readonly tag: "TLS-protocol-error" | "TLS-certificate-error" }
  | { readonly tag: "HTTP-request-denied" | "HTTP-request-method-invalid" | "HTTP-request-URI-invalid" }
  | { readonly tag: "HTTP-request-URI-too-long" | "HTTP-request-length-required" }
  | { readonly tag: "HTTP-request-body-size"; readonly val?: bigint }
  | { readonly tag: "HTTP-request-header-section-size"; readonly val?: number }
  | { readonly tag: "HTTP-response-header-section-size"; readonly val?: number }
  | { readonly tag: "HTTP-response-body-size"; readonly val?: bigint }
  | { readonly tag: "HTTP-response-incomplete" | "HTTP-response-timeout" | "HTTP-protocol-error" }
  | { readonly tag: "loop-detected" | "HTTP-upgrade-failed" }
  | { readonly tag: "internal-error"; readonly val?: string };

/** A request that failed. The text is for the guest as well: it holds nothing that only the host should know. */
export class HttpFailure extends Error {
  readonly reason: HttpErrorCode;

  constructor(reason: HttpErrorCode, text: string = reason.tag) {
    super(text);
    this.name = "HttpFailure";
    this.reason = reason;
  }
}

const nodeCodes: Readonly<Record<string, HttpErrorCode>> = {
  ECONNREFUSED: { tag: "connection-refused" },
  ECONNRESET: { tag: "connection-terminated" },
  EPIPE: { tag: "connection-terminated" },
  ETIMEDOUT: { tag: "connection-timeout" },
  EHOSTUNREACH: { tag: "destination-unavailable" },
  ENETUNREACH: { tag: "destination-IP-unroutable" },
  EADDRNOTAVAIL: { tag: "destination-IP-unroutable" },
  HPE_HEADER_OVERFLOW: { tag: "HTTP-response-header-section-size" },
};

/** What Node threw, without addresses, ports and other facts of the host. */
export function httpFailureOf(thrown: unknown): HttpFailure {
  if (thrown instanceof HttpFailure) return thrown;
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  const known = Object.hasOwn(nodeCodes, code) ? nodeCodes[code] : undefined;
  if (known !== undefined) return new HttpFailure(known);
  if (code.startsWith("HPE_")) return new HttpFailure({ tag: "HTTP-protocol-error" });
  if (/^(CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code)) {
    return new HttpFailure({ tag: "TLS-certificate-error" });
  }
  if (/^(ERR_SSL|ERR_TLS|EPROTO)/.test(code)) return new HttpFailure({ tag: "TLS-protocol-error" });
  return new HttpFailure({ tag: "internal-error" });
}
