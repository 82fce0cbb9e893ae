import { StorageError } from "@pawl/storage";

/** A piece of SQL whose values stand in it as literals. */
export class Sql {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What can stand in SQL: text and bytes are written in hexadecimal, so nothing in them can ever be read as SQL. */
export type Value = string | number | Buffer | null | undefined | Sql;

const literal = (value: Value): string => {
  if (value instanceof Sql) return value.text;
  if (typeof value === "string") return `x'${Buffer.from(value).toString("hex")}'`;
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new StorageError("invalid_record", "a number is not a whole one");
    // In parentheses, so that no two dashes meet: they begin a comment.
    return value < 0 ? `(${value})` : String(value);
  }
  return value === null || value === undefined ? "NULL" : `x'${value.toString("hex")}'`;
};

/** SQL from a template: `` sql`SELECT 1 WHERE id = ${id}` ``. */
export const sql = (texts: TemplateStringsArray, ...values: readonly Value[]): Sql => {
  let text = texts[0] ?? "";
  for (const [index, value] of values.entries()) text += literal(value) + (texts[index + 1] ?? "");
  return new Sql(text);
};

/** Joins values; with a comma unless a separator is given. */
export const join = (values: readonly Value[], separator = ","): Sql => new Sql(values.map(literal).join(separator));

/** A table of values, to be joined with another: `` valueTable(["a", "b"], [[1, 2], [3, 4]]) ``. */
export const valueTable = (names: readonly string[], rows: readonly (readonly Value[])[]): Sql => {
  const texts = rows.map((values, row) => {
    const columns = values.map((value, index) => literal(value) + (row === 0 ? ` ${names[index] ?? ""}` : ""));
    return `SELECT ${columns.join(",")}`;
  });
  return new Sql(`(${texts.join(" UNION ALL ")})`);
};

/** The most rows, and characters of SQL, in one statement. */
const pieceRows = 500;
const pieceText = 512 * 1024;

/** Splits the rows of a long statement into those of several. No row, no statement. */
export const inPieces = <Row>(rows: readonly Row[], statement: (piece: readonly Row[]) => Sql): readonly Sql[] => {
  const statements: Sql[] = [];
  let piece: Row[] = [];
  let size = 0;
  for (const row of rows) {
    const length = row instanceof Sql ? row.text.length : 0;
    if (piece.length === pieceRows || (piece.length > 0 && size + length > pieceText)) {
      statements.push(statement(piece));
      piece = [];
      size = 0;
    }
    piece.push(row);
    size += length;
  }
  if (piece.length > 0) statements.push(statement(piece));
  return statements;
};
