import path from 'node:path';

/** The folder of the Python programs that foreign readers run in. */
export const PYTHON_FOLDER: string = path.join(import.meta.dirname, 'python');
