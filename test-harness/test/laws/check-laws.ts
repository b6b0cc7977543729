import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';

const OWNED = /^@fjord\//;
const LONGEST_FILE = 400;
const DRAWERS = new Set(['utils', 'util', 'common', 'helpers', 'helper', 'misc', 'types', 'manager', 'handler']);

// The arrows of ARCHITECTURE.md; transitive ones are spelled out.
const ALLOWED: [from: RegExp, to: RegExp][] = [
  [/^cli$/, /^(engine|core)$/],
  [/^engine$/, /^core$/],
  [/^dest-/, /^core$/],
  [/^dest-iceberg$/, /^(iceberg|parquet)$/],
  [/^iceberg$/, /^parquet$/],
  [/^source-/, /^(replication|core)$/],
  [/^replication$/, /^core$/],
  // The conformance kit speaks the protocol; what it offers to tests it may offer to all.
  [/^test-harness$/, /^core$/],
];

interface Manifest {
  name: string;
  private?: boolean;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

/** Every place in a workspace where a law of ARCHITECTURE.md or a limit of CONTRIBUTING.md is broken, as a sentence that names it. */
export function findBrokenLaws(root: string): string[] {
  const folders = globSync(['packages/*', 'test-harness'], { cwd: root }).toSorted();
  const packages = folders.filter((folder) => existsSync(path.join(root, folder, 'package.json')));
  return packages.flatMap((folder) => {
    const manifest = readManifest(path.join(root, folder, 'package.json'));
    const files = globSync(`${folder}/src/**/*.{ts,mts,js,mjs}`, { cwd: root }).toSorted();
    return [...checkManifest(manifest), ...files.flatMap((file) => checkFile(root, file, manifest))];
  });
}

function checkManifest(manifest: Manifest): string[] {
  const listed = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  const forbidden = listed.filter((name) => OWNED.test(name) && !isAllowed(manifest.name, name));
  return forbidden.map((name) => `${manifest.name} depends on ${name}`);
}

function checkFile(root: string, file: string, manifest: Manifest): string[] {
  const source = readFileSync(path.join(root, file), 'utf8');
  const lines = source.trimEnd().split('\n').length;
  const [name = ''] = path.basename(file).split('.');
  return [
    ...(lines > LONGEST_FILE ? [`${file} has ${lines} lines, more than ${LONGEST_FILE}`] : []),
    ...(DRAWERS.has(name) ? [`${file} is a drawer: name the one thing it gives`] : []),
    ...(/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) ? [] : [`${file} is not in kebab-case`]),
    ...importsOf(source).flatMap((specifier) => checkImport(file, specifier, manifest)),
  ];
}

function checkImport(file: string, specifier: string, manifest: Manifest): string[] {
  if (specifier.startsWith('.')) {
    const folder = file.slice(0, file.indexOf('/src/'));
    const target = path.posix.join(path.posix.dirname(file), specifier);
    return target.startsWith(`${folder}/`) ? [] : [`${file} reaches out of its package: ${specifier}`];
  }
  if (specifier.startsWith('node:')) return [];
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  if (name === manifest.name) return [];
  if (OWNED.test(name) && !isAllowed(manifest.name, name)) return [`${file} imports ${name}`];
  const isListed = name in { ...manifest.dependencies, ...manifest.peerDependencies };
  return isListed ? [] : [`${file} imports ${name}, which its package.json does not list under dependencies`];
}

function importsOf(source: string): string[] {
  const statements = source.matchAll(/^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm);
  const bare = source.matchAll(/^\s*import\s*['"]([^'"]+)['"]/gm);
  const dynamic = source.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g);
  return [...statements, ...bare, ...dynamic].map((match) => match[1] ?? '');
}

function isAllowed(from: string, to: string): boolean {
  const [fromName, toName] = [from.replace(OWNED, ''), to.replace(OWNED, '')];
  return ALLOWED.some(([source, target]) => source.test(fromName) && target.test(toName));
}

function readManifest(file: string): Manifest {
  return JSON.parse(readFileSync(file, 'utf8')) as Manifest;
}
