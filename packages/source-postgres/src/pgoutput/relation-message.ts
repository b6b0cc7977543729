/** A column of a relation as the log describes it; `isKey`: part of what rows are told apart by. */
export type LoggedColumn = { name: string; typeOid: number; modifier: number; isKey: boolean };

/** How rows of the table are told apart: by its default (the primary key), not at all, by all columns, by an index. */
export type ReplicaIdentity = 'd' | 'n' | 'f' | 'i';

/** A table as it is from here on in the log (manual, 53.9 Logical Replication Message Formats, Relation). */
export type LoggedRelation = {
  oid: number;
  namespace: string;
  name: string;
  identity: ReplicaIdentity;
  columns: LoggedColumn[];
};

/** Reads a Relation message whose fields begin at `from`, behind its type and transaction. */
export function readRelation(bytes: Buffer, from: number): LoggedRelation {
  let at = from;
  const text = () => {
    const end = bytes.indexOf(0, at);
    const value = bytes.toString('utf8', at, end);
    at = end + 1;
    return value;
  };
  const oid = bytes.readUInt32BE(at);
  at += 4;
  // An empty name stands for pg_catalog.
  const namespace = text() || 'pg_catalog';
  const name = text();
  const identity = String.fromCharCode(bytes[at] ?? 0) as ReplicaIdentity;
  const count = bytes.readInt16BE(at + 1);
  at += 3;
  const columns = Array.from({ length: count }, () => {
    const isKey = ((bytes[at] ?? 0) & 1) !== 0;
    at += 1;
    const column = { name: text(), isKey, typeOid: bytes.readUInt32BE(at), modifier: bytes.readInt32BE(at + 4) };
    at += 8;
    return column;
  });
  return { oid, namespace, name, identity, columns };
}

/** Whether the log describes a relation just as before. */
export function isSameRelation(a: LoggedRelation, b: LoggedRelation): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
