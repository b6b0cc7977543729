import { Ajv, type ValidateFunction } from 'ajv';
import { ConnectorError } from '../errors.ts';
import { type DestinationMessage, MESSAGES } from '../protocol/messages.ts';
import type { WireMessage } from '../protocol/wire-reader.ts';

const TAKEN = [
  'SCHEMA',
  'BACKFILL',
  'RECORD',
  'BATCH',
  'CHUNK',
  'HANDOVER',
  'TRUNCATE',
  'DROPPED',
  'STATUS',
  'STATE',
] as const;
const validators = new Map<string, ValidateFunction>();

/** Checks a message that came over the pipe; unknown types give undefined (they are to be ignored), malformed ones `protocol_violation`. */
export function toDestinationMessage(message: WireMessage): DestinationMessage | undefined {
  const type = TAKEN.find((name) => name === message.type);
  if (!type) return undefined;
  if (type === 'RECORD') {
    // One a row: checked by hand, since a schema check would cost more than the row.
    if (typeof message['stream'] === 'string' && typeof message['data'] === 'object' && message['data'] !== null) {
      return message as unknown as DestinationMessage;
    }
    throw new ConnectorError('protocol_violation', 'A RECORD has no "stream" or no "data" object.');
  }
  const validate = validatorOf(type);
  if (validate(message)) return message as unknown as DestinationMessage;
  const error = validate.errors?.[0];
  throw new ConnectorError(
    'protocol_violation',
    `A ${type} message is malformed: ${error?.instancePath ?? ''} ${error?.message ?? ''}.`,
  );
}

function validatorOf(type: (typeof TAKEN)[number]): ValidateFunction {
  const known = validators.get(type);
  if (known) return known;
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(MESSAGES[type]);
  validators.set(type, validate);
  return validate;
}
