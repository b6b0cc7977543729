import { IcebergError } from './errors.ts';

/** Loads a package that is installed only by those who use it. Throws `unsupported`, which tells how to install it, if it is not there. */
export async function importOptional<T>(name: string, purpose: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND')) throw cause;
    const message = `Package ${name}, which ${purpose} needs, is not installed: run npm install ${name}.`;
    throw new IcebergError('unsupported', message, { cause });
  }
}
