import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { ConnectorError } from '@fjord/core';

export type Role = 'source' | 'destination';

/** A connector that was found: `command` is program and first arguments, `name` what the pipeline calls it. */
export type Connector = {
  role: Role;
  name: string;
  command: readonly [string, ...string[]];
  /** Whether the program started is the connector itself (and not a wrapper whose child it is). */
  isDirect: boolean;
};

/** Where a connector is looked for: relative paths and packages from the pipeline's `folder`, then packages from the others. */
export type SearchPlaces = { folder: string; others: readonly string[] };

/** The places of a pipeline in `folder`: that, where the command was started, and where Fjord itself is installed. */
export const placesOf = (folder: string): SearchPlaces => ({ folder, others: [process.cwd(), import.meta.dirname] });

const SCRIPT = /\.(?:[cm]?js|[cm]?ts)$/;

/**
 * Finds a connector by short name (`postgres`), package name, path of a file (`./my-source.ts`) or command line (an array).
 * `connector_not_found` says what was looked for, and what to install.
 */
export function resolveConnector(role: Role, named: string | readonly string[], places: SearchPlaces): Connector {
  if (typeof named !== 'string') return fromCommandLine(role, named);
  if (/^\.{0,2}[/\\]/.test(named) || SCRIPT.test(named)) return fromFile(role, named, places);
  return fromPackage(role, named, places);
}

function fromCommandLine(role: Role, [program, ...rest]: readonly string[]): Connector {
  if (program === undefined) throw new ConnectorError('config_invalid', `The command line of the ${role} is empty.`);
  return { role, name: path.basename(program), command: [program, ...rest], isDirect: false };
}

function fromFile(role: Role, named: string, places: SearchPlaces): Connector {
  const file = path.resolve(places.folder, named);
  if (existsSync(file) && statSync(file).isFile()) {
    return { role, name: path.basename(named), command: commandOf(file), isDirect: true };
  }
  throw new ConnectorError('connector_not_found', `The ${role} ${named} is not a file: ${file} does not exist.`, {
    help: 'Correct the path; it is taken from the folder of the pipeline file.',
  });
}

function fromPackage(role: Role, named: string, places: SearchPlaces): Connector {
  const prefix = role === 'source' ? 'source' : 'dest';
  const isShort = /^[a-z0-9][a-z0-9._-]*$/.test(named);
  const candidates = isShort ? [`@fjord/${prefix}-${named}`, named] : [named];
  for (const candidate of candidates) {
    for (const start of [places.folder, ...places.others]) {
      const folder = findPackage(candidate, start);
      const bin = folder === undefined ? undefined : findBin(folder);
      if (bin !== undefined) return { role, name: named, command: commandOf(bin), isDirect: true };
    }
  }
  throw new ConnectorError('connector_not_found', `The ${role} connector "${named}" is not installed.`, {
    help: `npm install ${candidates[0]}`,
  });
}

/** Scripts are run by the Node that runs us: the one on the PATH may be older. */
function commandOf(file: string): readonly [string, ...string[]] {
  // The real path: Node does not strip types below node_modules, where workspaces are only linked.
  const real = realpathSync(file);
  return SCRIPT.test(real) ? [process.execPath, real] : [real];
}

/** Looks for `node_modules/<name>` from a folder upwards, as Node does, but without regard to `exports`. */
function findPackage(name: string, start: string): string | undefined {
  for (let at = path.resolve(start); ; at = path.dirname(at)) {
    const folder = path.join(at, 'node_modules', name);
    if (existsSync(path.join(folder, 'package.json'))) return folder;
    if (at === path.dirname(at)) return undefined;
  }
}

/** The program of a package: its only bin, or the one named as a Fjord connector. */
function findBin(folder: string): string | undefined {
  const manifest: unknown = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  if (typeof manifest !== 'object' || manifest === null || !('bin' in manifest)) return undefined;
  const { bin } = manifest;
  if (typeof bin === 'string') return path.join(folder, bin);
  if (typeof bin !== 'object' || bin === null) return undefined;
  const programs = Object.entries(bin).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const chosen = programs.find(([name]) => /^fjord-(?:source|dest)-/.test(name)) ?? programs[0];
  return chosen === undefined ? undefined : path.join(folder, chosen[1]);
}
