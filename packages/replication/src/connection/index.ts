export { forgetPassword, type PasswordSettings, readPassword } from './password.ts';
export { readTakenSocket, type RowDecoder, type TakenRequest } from './read-taken-socket.ts';
export { ReadingSocket } from './reading-socket.ts';
export { SILENT, silenceLimitMs, SilenceWatch } from './silence.ts';
