/** Columns of text, as wide as they need to be and a line as long as there is room. */

export interface Column {
  readonly title: string;
  /** Numbers stand right, names left. */
  readonly align: "left" | "right";
}

const GAP = "  ";

/** The lines of a table, its titles first. Cells hold one line each; `width` cuts what would wrap. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
): string[] {
  const widths = columns.map((column, at) =>
    Math.max(column.title.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) => {
    const padded = columns.map((column, at) => {
      const cell = cells[at] ?? "";
      return column.align === "right" ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0);
    });
    return cutTo(padded.join(GAP).trimEnd(), width);
  };
  return [line(columns.map((column) => column.title)), ...rows.map(line)];
}

/** The text, or its beginning with "…" when it is longer than `width`. */
export function cutTo(text: string, width: number): string {
  if (text.length <= width) return text;
  return `${text.slice(0, Math.max(0, width - 1))}…`;
}
