import type { Problem, SelectedStream } from '@fjord/core';
import type { RemovedLog } from '@fjord/replication';
import { newestLsn, waitForOlder } from './log-head.ts';
import type { SlotHistory } from './log-place.ts';
import { findLogProblems, type LogNeeds, requireIdentities } from './log-problems.ts';
import type { LogSessions } from './log-sessions.ts';
import { type Lsn, parseLsn, type Position, positionAt } from './position.ts';
import { changePublication, findPublication, publicationStatements } from './publication.ts';
import { quoteIdentifier } from './quoting.ts';
import { createSlot, dropSlot, findIdleSlots, findSlot, whyUnusable } from './slot.ts';

/** Beyond every place: of a stream that is about to be published. */
const NOT_YET: Lsn = 2n ** 64n;

/** Keeps slot and publication of a pipeline as its streams need them, and remembers what that makes of earlier places. */
export class SlotKeeper {
  readonly #sessions: LogSessions;
  readonly #slot: string;
  readonly #publication: string;
  readonly #publishedFrom = new Map<string, Lsn>();
  #givenUp: string | undefined;

  constructor(sessions: LogSessions, { slot, publication }: { slot: string; publication: string }) {
    this.#sessions = sessions;
    this.#slot = slot;
    this.#publication = publication;
  }

  get history(): SlotHistory {
    return { name: this.#slot, givenUp: this.#givenUp, publishedFrom: this.#publishedFrom };
  }

  async findProblems(streams: SelectedStream[]): Promise<Problem[]> {
    return findLogProblems(await this.#sessions.sql(), await this.#needs(streams));
  }

  /** Publishes the streams and makes the slot, as far as that is to be done; gives the place from which all of them can be followed. */
  async prepare(streams: SelectedStream[]): Promise<Position> {
    const sql = await this.#sessions.sql();
    const needs = await this.#needs(streams);
    await requireIdentities(sql, needs);
    const found = await findPublication(sql, this.#publication);
    const statements = publicationStatements(found, { ...needs, name: this.#publication });
    for (const { stream } of streams) if (!found?.tables.has(stream)) this.#publishedFrom.set(stream, NOT_YET);
    await changePublication(sql, statements);
    const position = (await this.#hasUsableSlot())
      ? await this.#nextPlace(statements.length > 0)
      : await this.#createSlot(needs.version);
    for (const [stream, from] of this.#publishedFrom) {
      if (from === NOT_YET) this.#publishedFrom.set(stream, parseLsn(position.lsn));
    }
    return position;
  }

  async remove(): Promise<RemovedLog> {
    const sql = await this.#sessions.sql();
    const removed: string[] = [];
    if (await findSlot(sql, this.#slot)) {
      await dropSlot(sql, this.#slot);
      removed.push(`replication slot ${this.#slot}`);
    }
    if (await findPublication(sql, this.#publication)) {
      await changePublication(sql, [`DROP PUBLICATION ${quoteIdentifier(this.#publication)}`]);
      removed.push(`publication ${this.#publication}`);
    }
    return { removed, idle: await findIdleSlots(sql) };
  }

  async #needs(streams: SelectedStream[]): Promise<LogNeeds> {
    const version = await this.#sessions.version();
    return { streams, slot: this.#slot, publication: this.#publication, version };
  }

  async #nextPlace(isChanged: boolean): Promise<Position> {
    const sql = await this.#sessions.sql();
    // What has begun before may write without being published.
    if (isChanged) await waitForOlder(sql);
    return positionAt(await newestLsn(sql), await this.#sessions.identify());
  }

  /** A slot that the server has given up is of no use to anybody: it is dropped. */
  async #hasUsableSlot(): Promise<boolean> {
    const sql = await this.#sessions.sql();
    const slot = await findSlot(sql, this.#slot);
    const why = slot && whyUnusable(slot);
    if (why !== undefined) {
      this.#givenUp = why;
      await dropSlot(sql, this.#slot);
    }
    return slot !== undefined && why === undefined;
  }

  /** After the publication is made: a place before it could not be decoded. */
  async #createSlot(version: number): Promise<Position> {
    await using sender = await this.#sessions.openSender();
    const { consistentPoint } = await createSlot(sender, { name: this.#slot, version, kind: 'lasting' });
    return positionAt(parseLsn(consistentPoint), await this.#sessions.identify());
  }
}
