/**
 * What the host gives under a name of a record's field or of a flag. A getter of a class is one; a method that an object
 * inherits is not: a field may be called `constructor`, `toString` or `valueOf`, and no value of a world is a function.
 */
export function givenUnder(value: object, key: string): unknown {
  const found = (value as Readonly<Record<string, unknown>>)[key]; // An object: any key may be asked for.
  return typeof found === "function" && !Object.hasOwn(value, key) ? undefined : found;
}
