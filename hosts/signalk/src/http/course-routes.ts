/** Version 2 of the interface: where the vessel is going. */

import type { Course } from "../course/course.ts";
import { isRecord } from "../delta/delta.ts";
import { type ApiRequest, completed, type Handler, ok, orRefused } from "./exchange.ts";
import { type Route, route } from "./router.ts";

const base = "/signalk/v2/api/vessels/self/navigation/course";

const arrivalCircleMeta = {
  arrivalCircle: {
    description: "The circle which indicates arrival when vessel position is within its radius.",
    units: "m",
  },
};

export function courseRoutes(course: Course): Route[] {
  const change = (act: (request: ApiRequest) => void | Promise<void>): Handler =>
    orRefused(async (request) => {
      await act(request);
      return completed;
    });
  const givenValue = ({ body }: ApiRequest) => (isRecord(body) ? body.value : undefined);
  return [
    route("GET", base, () => ok(course.info)),
    route("GET", `${base}/_config`, () => ok({ apiOnly: course.isApiOnly })),
    route(
      "POST",
      `${base}/_config/apiOnly`,
      change(() => course.setApiOnly(true)),
    ),
    route(
      "DELETE",
      `${base}/_config/apiOnly`,
      change(() => course.setApiOnly(false)),
    ),
    route("GET", `${base}/arrivalCircle/meta`, () => ok(arrivalCircleMeta)),
    route(
      "DELETE",
      base,
      change(() => course.clear()),
    ),
    route(
      "PUT",
      `${base}/arrivalCircle`,
      change((request) => course.setArrivalCircle(givenValue(request))),
    ),
    route(
      "PUT",
      `${base}/restart`,
      change(() => course.restart()),
    ),
    route(
      "PUT",
      `${base}/targetArrivalTime`,
      change((request) => course.setTargetArrivalTime(givenValue(request))),
    ),
    route(
      "PUT",
      `${base}/destination`,
      change(({ body }) => course.setDestination(body)),
    ),
    route(
      "PUT",
      `${base}/activeRoute`,
      change(({ body }) => course.activateRoute(body)),
    ),
    route(
      "PUT",
      `${base}/activeRoute/:action`,
      change(({ params, body }) => course.changeRoute(params.action ?? "", body)),
    ),
  ];
}
