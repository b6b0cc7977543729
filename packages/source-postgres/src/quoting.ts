/** A name as it stands in a statement: always quoted, so that any legal name is safe (manual, 4.1.1 Identifiers and Key Words). */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A schema-qualified name as it stands in a statement. */
export function quoteQualified(namespace: string, name: string): string {
  return `${quoteIdentifier(namespace)}.${quoteIdentifier(name)}`;
}

/**
 * Text as a string constant, for the few statements that take no parameters. Correct whatever standard_conforming_strings
 * says (manual, 4.1.2.2 String Constants with C-Style Escapes).
 */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? `E${quoted}` : quoted;
}
