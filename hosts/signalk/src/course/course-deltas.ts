/** A course as deltas: in version 1 where instruments look for it, in version 2 as the interface has it. */

import type { Delta, PathValue } from "../delta/delta.ts";
import type { CourseInfo } from "./course.ts";

/** Specification 1.7, "courseGreatCircle", "courseRhumbline": both, since nobody has said how the vessel is steered. */
const ways = ["navigation.courseGreatCircle", "navigation.courseRhumbline"];

export function courseDeltaV1({
  startTime,
  arrivalCircle,
  activeRoute,
  nextPoint,
  previousPoint,
}: CourseInfo): Delta {
  const values = (way: string): PathValue[] => [
    { path: `${way}.activeRoute.href`, value: activeRoute?.href ?? null },
    { path: `${way}.activeRoute.startTime`, value: startTime },
    { path: `${way}.nextPoint.value.href`, value: nextPoint?.href ?? null },
    { path: `${way}.nextPoint.value.type`, value: nextPoint?.type ?? null },
    { path: `${way}.nextPoint.position`, value: nextPoint?.position ?? null },
    { path: `${way}.nextPoint.arrivalCircle`, value: arrivalCircle },
    { path: `${way}.previousPoint.position`, value: previousPoint?.position ?? null },
    { path: `${way}.previousPoint.value.type`, value: previousPoint?.type ?? null },
  ];
  return { updates: [{ values: ways.flatMap(values) }] };
}

/** @param steeredBy The `$source` of the instrument that has set the destination, which then is its own. */
export function courseDeltaV2({ nextPoint, ...course }: CourseInfo, steeredBy: string | undefined): Delta {
  const values = Object.entries(course).map(([name, value]) => ({
    path: `navigation.course.${name}`,
    value,
  }));
  const next = { values: [{ path: "navigation.course.nextPoint", value: nextPoint }] };
  return { updates: [{ values }, steeredBy === undefined ? next : { ...next, $source: steeredBy }] };
}
