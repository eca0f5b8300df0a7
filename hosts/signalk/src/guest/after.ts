/** What follows from an answer, at once where the answer is there at once. */

import type { Answer } from "remora/abi";

export function after<From, To>(answer: Answer<From>, map: (value: From) => To): Answer<To> {
  return answer instanceof Promise ? answer.then(map) : map(answer);
}
