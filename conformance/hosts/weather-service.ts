/**
 * A stand-in for the weather service on the internet that two of the examples ask, over TLS: on this machine, for a
 * process that is started with the environment given here.
 */

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { weatherHost } from "./weather-host.ts";

/** As the service answers, in its own units: kelvin, hectopascals, percent, degrees. */
const now = {
  weather: [{ description: "light rain" }],
  main: { temp: 275.15, feels_like: 271.5, pressure: 1013, humidity: 85 },
  wind: { speed: 5.2, deg: 180 },
  clouds: { all: 75 },
};

export interface WeatherService {
  /** For the process that shall find it under the real one's name. */
  readonly environment: Readonly<Record<string, string>>;
  /** Paths that were asked for. */
  readonly asked: readonly string[];
}

/** Undefined where no certificate can be made: that takes the program `openssl`. */
export async function openWeatherService(t: TestContext): Promise<WeatherService | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "remora-weather-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  try {
    makeCertificate(key, cert);
  } catch {
    return undefined;
  }
  const asked: string[] = [];
  const service = createServer(
    { key: await readFile(key), cert: await readFile(cert) },
    (request, response) => {
      asked.push(request.url ?? "");
      response.setHeader("Content-Type", "application/json").end(JSON.stringify(now));
    },
  );
  service.listen(0, "127.0.0.1");
  await once(service, "listening");
  t.after(() => {
    service.closeAllConnections();
    service.close();
  });
  const address = service.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
  return {
    asked,
    environment: {
      NODE_EXTRA_CA_CERTS: cert,
      NODE_OPTIONS: `--import=${join(import.meta.dirname, "weather-preload.ts")}`,
      WEATHER_PORT: String(address.port),
    },
  };
}

function makeCertificate(key: string, cert: string): void {
  const subject = ["-subj", `/CN=${weatherHost}`, "-addext", `subjectAltName=DNS:${weatherHost}`];
  const files = ["-keyout", key, "-out", cert];
  const options = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
  execFileSync("openssl", ["req", ...options, ...subject, ...files], { stdio: "pipe" });
}
