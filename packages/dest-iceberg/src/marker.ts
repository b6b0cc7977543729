import { ConnectorError } from '@fjord/core';
import { type Catalog, commitTable, createSchema, type TableIdentifier } from '@fjord/iceberg';
import {
  MARKER_NAMESPACE,
  MARKER_PROPERTY,
  markerName,
  type MarkerProperty,
  parseMarkerProperty,
} from './pipeline-state.ts';

/** The metadata log of a marker stays this short: it changes at every commit of the pipeline and nobody reads its past. */
const KEPT_VERSIONS = '10';

/** A pipeline's marker: a small table of its own that says which attempt is the newest and holds the shared state. */
export class Marker {
  readonly #catalog: Catalog;
  readonly #pipeline: string;
  readonly #identifier: TableIdentifier;
  #attempt: number | undefined;

  constructor(catalog: Catalog, pipeline: string) {
    this.#catalog = catalog;
    this.#pipeline = pipeline;
    this.#identifier = { namespace: MARKER_NAMESPACE, name: markerName(pipeline) };
  }

  /** What the marker holds now; undefined before the pipeline's first commit. */
  async read(): Promise<MarkerProperty | undefined> {
    const table = await this.#catalog.loadTable(this.#identifier);
    return parseMarkerProperty(table?.metadata.properties[MARKER_PROPERTY]);
  }

  /** This process's attempt number. The first call raises the marker's, so that every older attempt is fenced off. */
  async claim(): Promise<number> {
    if (this.#attempt !== undefined) return this.#attempt;
    await this.#create();
    let claimed = 0;
    await this.#update((marker) => {
      claimed = (marker?.attempt ?? 0) + 1;
      return { attempt: claimed, state: marker?.state ?? null };
    });
    this.#attempt = claimed;
    return claimed;
  }

  /** Throws `fenced` if a newer attempt has claimed the pipeline. */
  async check(): Promise<void> {
    this.#refuseNewer((await this.read())?.attempt);
  }

  /** Commits the shared state. */
  async commit(state: unknown): Promise<void> {
    const attempt = await this.claim();
    await this.#update((marker) => {
      this.#refuseNewer(marker?.attempt);
      return { attempt, state };
    });
  }

  #refuseNewer(attempt: number | undefined): void {
    if (this.#attempt === undefined || attempt === undefined || attempt <= this.#attempt) return;
    throw fenced(this.#pipeline, this.#attempt, attempt);
  }

  async #create(): Promise<void> {
    if (await this.#catalog.loadTable(this.#identifier)) return;
    await this.#catalog.createNamespace(MARKER_NAMESPACE);
    const schema = createSchema([
      { name: 'note', type: 'string', doc: 'Holds no rows: the state is in the table properties.' },
    ]);
    const properties = {
      'write.metadata.previous-versions-max': KEPT_VERSIONS,
      'write.metadata.delete-after-commit.enabled': 'true',
    };
    try {
      await this.#catalog.createTable(this.#identifier, { schema, properties });
    } catch (error) {
      // Another run of this pipeline may have made it between the look and the creation.
      if (!(await this.#catalog.loadTable(this.#identifier))) throw error;
    }
  }

  async #update(next: (marker: MarkerProperty | undefined) => MarkerProperty): Promise<void> {
    await commitTable(this.#catalog, this.#identifier, async ({ metadata }) => {
      const marker = next(parseMarkerProperty(metadata.properties[MARKER_PROPERTY]));
      return {
        requirements: [],
        updates: [{ action: 'set-properties', updates: { [MARKER_PROPERTY]: JSON.stringify(marker) } }],
      };
    });
  }
}

/** The error that ends an attempt which a newer one has taken over from. */
export function fenced(pipeline: string, own: number, newer: number): ConnectorError {
  return new ConnectorError('fenced', `Attempt ${own} of pipeline ${pipeline} ends: attempt ${newer} has taken over.`);
}
