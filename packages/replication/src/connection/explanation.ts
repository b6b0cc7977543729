import { ConnectorError, type ErrorCode } from '@fjord/core';

/** How an error reads: `message` names the object, `help` stands for the code's own. */
export type Explanation<Target> = { code: ErrorCode; message: (target: Target) => string; help?: string };

/** An error as it was explained for the place where it happened. */
export function explained<Target extends { stream?: string }>(
  cause: unknown,
  { code, message, help }: Explanation<Target>,
  target: Target,
): ConnectorError {
  return new ConnectorError(code, message(target), {
    cause,
    ...(target.stream !== undefined && { stream: target.stream }),
    ...(help !== undefined && { help }),
  });
}
