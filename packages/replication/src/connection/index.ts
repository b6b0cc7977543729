export { type Explanation, explained } from './explanation.ts';
export { leaveInOrder } from './leave-connection.ts';
export { oneOf, passwordProperties, secret, tlsDescription, tlsProperties, waitProperties } from './options.ts';
export { forgetPassword, type PasswordSettings, readPassword } from './password.ts';
export { ownCertificate, readPem } from './pem-files.ts';
export { readTakenSocket, type RowDecoder, type TakenRequest } from './read-taken-socket.ts';
export { ReadingSocket } from './reading-socket.ts';
export { SILENT, silenceLimitMs, SilenceWatch } from './silence.ts';
export {
  forbidBesideUri,
  invalidConnection,
  missingOptions,
  onePassword,
  readSecrets,
  type SharedSettings,
  sharedSettings,
} from './settings.ts';
