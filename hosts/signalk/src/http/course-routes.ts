/** Version 2 of the interface: where the vessel is going. */

import { type Course, CourseRefusal } from "../course/course.ts";
import { isRecord } from "../delta/delta.ts";
import { type ApiRequest, failed, type Handler, ok } from "./exchange.ts";
import { type Route, route } from "./router.ts";

const base = "/signalk/v2/api/vessels/self/navigation/course";

const done = ok({ state: "COMPLETED", statusCode: 200, message: "OK" });

const arrivalCircleMeta = {
  arrivalCircle: {
    description: "The circle which indicates arrival when vessel position is within its radius.",
    units: "m",
  },
};

export function courseRoutes(course: Course): Route[] {
  const change = (act: (request: ApiRequest) => void | Promise<void>): Handler =>
    async function answer(request) {
      try {
        await act(request);
        return done;
      } catch (error) {
        if (error instanceof CourseRefusal) return failed(400, error.message);
        throw error;
      }
    };
  const givenValue = ({ body }: ApiRequest) => (isRecord(body) ? body.value : undefined);
  return [
    route("GET", base, () => ok(course.info)),
    // No instrument sets the course here, as with `apiOnly` there.
    route("GET", `${base}/_config`, () => ok({ apiOnly: true })),
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
