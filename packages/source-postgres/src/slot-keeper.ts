import { ConnectorError, type Problem, type SelectedStream } from '@fjord/core';
import type { RemovedLog } from '@fjord/replication';
import { newestLsn, waitForOlder } from './log-head.ts';
import type { SlotHistory } from './log-place.ts';
import { findLogProblems, type LogNeeds, requireFitting, requireIdentities } from './log-problems.ts';
import { loadLoggedTables } from './log-stream-problems.ts';
import type { LogSessions } from './log-sessions.ts';
import { type Lsn, parseLsn, type Position, positionAt } from './position.ts';
import { changePublication, findPublication, publicationStatements, unpublished } from './publication.ts';
import { quoteIdentifier } from './quoting.ts';
import { createSlot, dropSlot, findIdleSlots, findSlot, inUse, whyUnusable } from './slot.ts';

/** Beyond every place: of a stream that is about to be published. */
const NOT_YET: Lsn = 2n ** 64n;

/** Keeps slot and publication of a pipeline as its streams need them, and remembers what that makes of earlier places. */
export class SlotKeeper {
  readonly #sessions: LogSessions;
  readonly #slot: string;
  readonly #publication: string;
  readonly #isOurs: boolean;
  readonly #publishedFrom = new Map<string, Lsn>();
  #givenUp: string | undefined;
  #wasRead = false;

  constructor(sessions: LogSessions, { slot, publication, isOurs }: Pick<LogNeeds, 'slot' | 'publication' | 'isOurs'>) {
    this.#sessions = sessions;
    this.#slot = slot;
    this.#publication = publication;
    this.#isOurs = isOurs;
  }

  get history(): SlotHistory {
    return {
      name: this.#slot,
      givenUp: this.#givenUp,
      publishedFrom: this.#publishedFrom,
      wasRead: this.#wasRead,
    };
  }

  /** This run, or another one beside it, reads from the slot. */
  noteRead(): void {
    this.#wasRead = true;
  }

  async findProblems(streams: SelectedStream[]): Promise<Problem[]> {
    return findLogProblems(await this.#sessions.sql(), await this.#needs(streams));
  }

  /** Publishes the streams and makes the slot, as far as that is to be done; gives the place from which all of them can be followed. */
  async prepare(streams: SelectedStream[]): Promise<Position> {
    const sql = await this.#sessions.sql();
    const needs = await this.#needs(streams);
    await requireIdentities(sql, needs);
    const slot = await findSlot(sql, this.#slot);
    requireFitting(slot, sql);
    if (slot?.active) {
      this.noteRead();
      throw inUse(slot);
    }
    const found = await findPublication(sql, this.#publication);
    const statements = publicationStatements(found, { ...needs, name: this.#publication });
    const added = unpublished(found, streams);
    for (const { stream } of added) this.#publishedFrom.set(stream, NOT_YET);
    await changePublication(sql, statements);
    const position = (await this.#hasUsableSlot())
      ? await this.#nextPlace(added.length > 0)
      : await this.#createSlot(needs.version);
    for (const [stream, from] of this.#publishedFrom) {
      if (from === NOT_YET) this.#publishedFrom.set(stream, parseLsn(position.lsn));
    }
    return position;
  }

  /** Makes sure that the streams are still published: nothing in the log tells that one was taken out, its changes are just not there. */
  async requirePublished(streams: readonly SelectedStream[]): Promise<void> {
    const sql = await this.#sessions.sql();
    const missing = unpublished(await findPublication(sql, this.#publication), streams);
    // A table that was dropped is in no publication either.
    const present = missing.length === 0 ? [] : await loadLoggedTables(sql, missing);
    const names = [...new Set(present.map(({ stream }) => stream))].join(', ');
    if (names === '') return;
    throw new ConnectorError(
      'position_lost',
      `Publication "${this.#publication}" has lost ${names} while it was followed: changes of these streams are missing.`,
      {
        help: 'Run the sync again: it publishes them anew, names the command that copies them anew, and follows the others.',
      },
    );
  }

  async remove(): Promise<RemovedLog> {
    const sql = await this.#sessions.sql();
    const removed: string[] = [];
    const slot = await findSlot(sql, this.#slot);
    requireFitting(slot, sql);
    if (slot) {
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
    const { isStandby } = await this.#sessions.sql();
    return {
      streams,
      slot: this.#slot,
      publication: this.#publication,
      isOurs: this.#isOurs && !isStandby,
      version,
    };
  }

  async #nextPlace(hasAdded: boolean): Promise<Position> {
    const sql = await this.#sessions.sql();
    // What has begun before may write without being published.
    if (hasAdded) await waitForOlder(sql);
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
