/** A name as it stands in a statement: always quoted, so that any legal name is safe (MySQL manual, 11.2 Schema Object Names). */
export function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** A table's name with its schema as it stands in a statement. */
export function quoteQualified(namespace: string, name: string): string {
  return `${quoteIdentifier(namespace)}.${quoteIdentifier(name)}`;
}

/** Text as a constant, correct whatever sql_mode says of backslashes: its bytes in hexadecimal digits. */
export function quoteText(text: string): string {
  return text === '' ? "_utf8mb4 ''" : `_utf8mb4 ${quoteBytes(Buffer.from(text))}`;
}

/** Bytes as a constant. */
export function quoteBytes(bytes: Uint8Array): string {
  return `X'${Buffer.from(bytes).toString('hex')}'`;
}

/** An account as it stands in a GRANT; `account` is what CURRENT_USER() gives. */
export function quoteAccount(account: string): string {
  const at = account.lastIndexOf('@');
  const quote = (part: string) => `'${part.replaceAll("'", "''")}'`;
  return `${quote(account.slice(0, at))}@${quote(account.slice(at + 1))}`;
}
