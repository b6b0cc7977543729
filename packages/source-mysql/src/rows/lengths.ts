/** A length-encoded integer, and where what follows it begins (MySQL, Client/Server Protocol, Length-Encoded Integer Type). */
export function readLength(bytes: Buffer, at: number): { value: number; next: number } {
  const first = bytes.readUInt8(at);
  if (first < 251) return { value: first, next: at + 1 };
  if (first === 252) return { value: bytes.readUInt16LE(at + 1), next: at + 3 };
  if (first === 253) return { value: bytes.readUIntLE(at + 1, 3), next: at + 4 };
  if (first === 254) return { value: Number(bytes.readBigUInt64LE(at + 1)), next: at + 9 };
  throw new Error(`a length begins with the byte ${first}`);
}
