/** Where something stands in WIT text, and how that is shown to whoever wrote it: file, line, column, a caret. */

/** One file; its path is used in messages, and to tell the package's own files from those in `deps/`. */
export interface WitFile {
  readonly path: string;
  readonly text: string;
}

/** A range of UTF-16 code units. */
export interface Span {
  readonly file: WitFile;
  readonly start: number;
  readonly end: number;
}

/** What an error says about a place. Lines and columns count from one, columns in UTF-16 code units. */
export interface Place {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  /** The line itself with carets below the span, ready to print. */
  readonly excerpt: string;
}

const excerptSizeMax = 200;

export function placeOf(span: Span): Place {
  const { text, path } = span.file;
  const before = text.slice(0, span.start);
  const line = before.split("\n").length;
  const lineStart = before.lastIndexOf("\n") + 1;
  const column = span.start - lineStart + 1;
  const newline = text.indexOf("\n", lineStart);
  const lineEnd = newline < 0 ? text.length : newline;
  const shown = text.slice(lineStart, lineEnd).trimEnd();
  return { path, line, column, excerpt: excerpt(shown, line, column - 1, span.end - span.start) };
}

/** A long line is cut around the span: what is shown of a file has a bound, whoever wrote it. */
function excerpt(shown: string, line: number, offset: number, size: number): string {
  const cut = Math.max(0, offset - excerptSizeMax / 2);
  // As wide as the caret below is far: how wide a tab is, is the terminal's business.
  const visible = shown.slice(cut, cut + excerptSizeMax).replaceAll("\t", " ");
  const indent = " ".repeat(offset - cut);
  const carets = "^".repeat(Math.max(1, Math.min(size, visible.length - (offset - cut))));
  const margin = String(line);
  return `${margin} | ${visible}\n${" ".repeat(margin.length)} | ${indent}${carets}`;
}
