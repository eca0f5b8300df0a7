/** Version 2 of the interface: notifications, and what people do about them. */

import { isRecord } from "../delta/delta.ts";
import type { Notifications } from "../notifications/notifications.ts";
import {
  type ApiRequest,
  type ApiResponse,
  completed,
  completedWith,
  failed,
  type Handler,
  ok,
  orRefused,
} from "./exchange.ts";
import { type Route, route } from "./router.ts";

const base = "/signalk/v2/api/notifications";
const uuidPattern = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

export function notificationRoutes(notifications: Notifications): Route[] {
  const of = (act: (id: string, request: ApiRequest) => ApiResponse): Handler =>
    orRefused((request) => {
      const { id = "" } = request.params;
      return uuidPattern.test(id) ? act(id, request) : failed(400, "Invalid Data supplied.");
    });
  const changing = (act: (id: string, body: unknown) => void) =>
    of((id, { body }) => {
      act(id, body);
      return completed;
    });
  const raising = (raise: (body: unknown) => string) =>
    orRefused(({ body }) => completedWith({ id: raise(body) }));
  const changingAll = (act: () => void) => () => {
    act();
    return completed;
  };
  return [
    route("GET", base, () => ok(notifications.list())),
    route(
      "POST",
      base,
      raising((body) => notifications.raise(body)),
    ),
    route(
      "POST",
      `${base}/mob`,
      raising((body) => notifications.manOverboard(isRecord(body) ? body.message : undefined)),
    ),
    route(
      "POST",
      `${base}/silenceAll`,
      changingAll(() => notifications.silenceAll()),
    ),
    route(
      "POST",
      `${base}/acknowledgeAll`,
      changingAll(() => notifications.acknowledgeAll()),
    ),
    route(
      "GET",
      `${base}/:id`,
      of((id) => {
        const found = notifications.find(id);
        return found === undefined ? failed(404, "Resource not found.") : ok(found);
      }),
    ),
    route(
      "PUT",
      `${base}/:id`,
      changing((id, body) => notifications.update(id, body)),
    ),
    route(
      "DELETE",
      `${base}/:id`,
      changing((id) => notifications.clear(id)),
    ),
    route(
      "POST",
      `${base}/:id/silence`,
      changing((id) => notifications.silence(id)),
    ),
    route(
      "POST",
      `${base}/:id/acknowledge`,
      changing((id) => notifications.acknowledge(id)),
    ),
  ];
}
