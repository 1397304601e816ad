/** An identifier in DuckDB's SQL. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A string literal in DuckDB's SQL. */
export function quoteString(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
