import { createHash } from 'node:crypto';
import type { TableIdentifier } from './catalog.ts';
import type { TableMetadata } from './table-metadata.ts';

/** File systems allow 255 bytes a name. */
const MAX_NAME_BYTES = 200;

/** Where a table lives unless told: `<warehouse>/<namespace>/<table>`, names made safe for any storage. */
export function defaultLocation(warehouse: string, { namespace, name }: TableIdentifier): string {
  return `${warehouse.replace(/\/+$/, '')}/${encodeName(namespace.join('.'))}/${encodeName(name)}`;
}

/**
 * The location of a local path: `file://` and the path as it is, since all readers take it literally (a `%20` made by
 * `pathToFileURL` would name another folder). PyIceberg cuts such a URI at `#` and `?`, so a path with these stays plain.
 */
export function localLocation(path: string): string {
  return /[#?]/.test(path) ? path : `file://${path}`;
}

/** The folder of a table's data files, without a slash at its end. */
export function dataFolder(metadata: TableMetadata): string {
  return folder(metadata.properties['write.data.path'] ?? `${metadata.location}/data`);
}

/** The folder of a table's metadata files, manifests and manifest lists, without a slash at its end. */
export function metadataFolder(metadata: TableMetadata): string {
  return folder(metadata.properties['write.metadata.path'] ?? `${metadata.location}/metadata`);
}

/**
 * A name as one path segment that every reader takes literally. Readers disagree on `%`, `#`, `?` and spaces in URIs, so each
 * byte but letters, digits, `-`, `_` and `.` becomes `~` and two hexadecimal digits; a leading `.` or `_`, which hides files, too.
 */
export function encodeName(name: string): string {
  const encoded = Array.from(Buffer.from(name), (byte, index) => {
    const character = String.fromCharCode(byte);
    const isSafe = /[A-Za-z0-9-]/.test(character) || (index > 0 && /[._]/.test(character));
    return isSafe ? character : `~${byte.toString(16).padStart(2, '0')}`;
  }).join('');
  if (encoded.length <= MAX_NAME_BYTES) return encoded;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 16);
  return `${encoded.slice(0, MAX_NAME_BYTES - 17)}-${digest}`;
}

function folder(location: string): string {
  return location.replace(/\/+$/, '');
}
