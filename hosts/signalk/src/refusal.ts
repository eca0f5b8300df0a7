/** What was asked for cannot be done; in the words of signalk-server, for whoever asked. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}
