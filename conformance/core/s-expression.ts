/**
 * S-expressions of the text format (core specification §6.3), as far as a test script needs them: lists, atoms
 * and strings, each with its place in the source, so that a module's text can be handed on as it stands.
 */

export type Node =
  | { readonly kind: "list"; readonly items: readonly Node[]; readonly start: number; readonly end: number }
  | { readonly kind: "atom"; readonly text: string; readonly start: number; readonly end: number }
  /** `text` is the literal with its quotes. */
  | { readonly kind: "string"; readonly text: string; readonly start: number; readonly end: number };

/** The top-level expressions of a script. Throws a SyntaxError with the offset where they do not nest. */
export function readExpressions(source: string): Node[] {
  const token = /\s+|;;[^\n]*|\(;|\(|\)|"(?:[^"\\]|\\.)*"|[^\s()";]+|;/gsy;
  const stack: { items: Node[]; start: number }[] = [{ items: [], start: 0 }];
  const add = (node: Node) => stack.at(-1)?.items.push(node);
  while (token.lastIndex < source.length) {
    const start = token.lastIndex;
    const match = token.exec(source);
    if (match === null) throw new SyntaxError(`No token at ${start}`);
    const [text] = match;
    const end = token.lastIndex;
    if (text === "(;") token.lastIndex = blockCommentEnd(source, start);
    else if (text === "(") stack.push({ items: [], start });
    else if (text === ")") {
      const list = stack.pop();
      if (list === undefined || stack.length === 0) throw new SyntaxError(`Nothing to close at ${start}`);
      add({ kind: "list", items: list.items, start: list.start, end });
    } else if (text.startsWith('"')) add({ kind: "string", text, start, end });
    else if (!/^[\s;]/.test(text)) add({ kind: "atom", text, start, end });
  }
  if (stack.length !== 1) throw new SyntaxError(`Not closed: the list at ${stack.at(-1)?.start}`);
  return stack[0]?.items ?? [];
}

/** Block comments nest. */
function blockCommentEnd(source: string, start: number): number {
  const bracket = /\(;|;\)/g;
  bracket.lastIndex = start;
  let depth = 0;
  for (let match = bracket.exec(source); match !== null; match = bracket.exec(source)) {
    depth += match[0] === "(;" ? 1 : -1;
    if (depth === 0) return bracket.lastIndex;
  }
  throw new SyntaxError(`Not closed: the comment at ${start}`);
}

/** The bytes that a string literal spells. */
export function stringBytes(literal: string): Uint8Array {
  const parts: Uint8Array[] = [];
  const piece = /\\u\{([0-9a-fA-F_]+)\}|\\([0-9a-fA-F]{2})|\\(.)|([^\\]+)/gsu;
  const escapes: Record<string, string> = { t: "\t", n: "\n", r: "\r" };
  for (const [, scalar, byte, escaped, plain] of literal.slice(1, -1).matchAll(piece)) {
    if (byte !== undefined) parts.push(Uint8Array.of(Number.parseInt(byte, 16)));
    else if (scalar !== undefined) {
      parts.push(Buffer.from(String.fromCodePoint(Number.parseInt(scalar.replaceAll("_", ""), 16))));
    } else if (escaped !== undefined) parts.push(Buffer.from(escapes[escaped] ?? escaped));
    else parts.push(Buffer.from(plain ?? ""));
  }
  return Buffer.concat(parts);
}

export function stringText(literal: string): string {
  return Buffer.from(stringBytes(literal)).toString("utf8");
}
