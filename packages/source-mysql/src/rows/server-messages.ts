/** A packet that executes a prepared statement without parameters and without a cursor (MySQL, Client/Server Protocol, COM_STMT_EXECUTE). */
export function executeMessage(statement: number): Buffer {
  const packet = Buffer.alloc(14);
  packet.writeUIntLE(10, 0, 3);
  packet.writeUInt8(0x17, 4);
  packet.writeUInt32LE(statement, 5);
  // One iteration: the only number that is allowed.
  packet.writeUInt32LE(1, 10);
  return packet;
}

/** An ERR packet as an error with the names that the driver gives its fields. */
export function serverError(payload: Buffer): Error {
  const hasState = payload[3] === 0x23;
  const message = payload.toString('utf8', hasState ? 9 : 3);
  return Object.assign(new Error(message), {
    errno: payload.readUInt16LE(1),
    sqlState: hasState ? payload.toString('latin1', 4, 9) : undefined,
  });
}
