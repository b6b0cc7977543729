import {
  ConnectorError,
  ERROR_CODES,
  type ErrorCode,
  type RunContext,
  type SelectedStream,
  type SourceMessage,
} from '@fjord/core';
import { type BackfillRun, refuse } from '../backfill.ts';
import type { ChangeLog, LogPosition } from '../change-log.ts';
import { sourceView } from '../shape/source-view.ts';
import type { Opening, SharedState, StreamState } from '../stream-state.ts';
import { type ChangeOpening, openChanges, placesOf } from './change-state.ts';
import type { Place, StreamStart } from './followed-stream.ts';
import { findReservedColumns } from './reserved-columns.ts';

/** How a run begins to follow: where the log goes on, what is known of each stream, and which of them have to be read, how. */
export type OpenedStreams = {
  from: Place;
  starts: StreamStart[];
  loads: { beside: Load[]; point: Load[] };
  /** What must be said of streams that are given up at once. */
  messages: SourceMessage[];
};
type Load = { selected: SelectedStream; opening: Opening };

type Opened = { selected: SelectedStream; state: StreamState | undefined; opening: ChangeOpening };
type OpenRequest = {
  run: Pick<BackfillRun, 'states' | 'streams' | 'backfill'>;
  shared: SharedState | undefined;
  number: number;
  changeLog: ChangeLog;
};

/** Looks at the streams' states and asks the log which of their places it still leads on from. Streams whose history is gone are given up, and named. */
export async function openFollowed(request: OpenRequest, context: RunContext): Promise<OpenedStreams> {
  const { run, shared, number, changeLog } = request;
  const { selected, messages } = await leaveOutFaulty(request, context);
  const orderKey = (position: LogPosition) => changeLog.orderKey(position);
  const states = new Map(selected.map(({ stream }) => [stream, run.states.get(stream) as StreamState | undefined]));
  sayLeft(request, context);
  const begin = await changeLog.prepare(selected.map(sourceView));
  const opened = selected.map((stream): Opened => {
    const state = states.get(stream.stream) ?? undefined;
    const isAsked = run.backfill.includes(stream.stream);
    return { selected: stream, state, opening: openChanges(state, stream, { number, isAsked }) };
  });
  const { places, missed } = placesOf(states, { shared, orderKey });
  // Streams that are read anew need no history.
  const goingOn = opened.filter(({ opening }) => !isAnew(opening)).map(({ selected: { stream } }) => stream);
  const needed = new Map([...places].filter(([stream]) => goingOn.includes(stream)));
  const lost = new Map([...missed, ...(await changeLog.findLost(needed))]);
  const placed = [...needed].filter(([stream]) => !lost.has(stream)).map(([, position]) => position);
  const from = lowest([begin, ...placed], orderKey);
  const starts: StreamStart[] = [];
  const loads: OpenedStreams['loads'] = { beside: [], point: [] };
  for (const one of opened) {
    const { stream } = one.selected;
    const error = isAnew(one.opening) ? undefined : lost.get(stream);
    if (error) {
      const help = `Copy it anew with \`fjord sync --backfill ${stream}\`; readers keep the old rows meanwhile.`;
      messages.push(
        giveUp(one.selected, new ConnectorError(error.code, error.message, { cause: error, help }), context),
      );
      continue;
    }
    if (one.opening.action === 'refuse') messages.push(refuse(one.selected, context));
    if (one.opening.action === 'load')
      loads[one.opening.beside ? 'beside' : 'point'].push({ selected: one.selected, opening: one.opening.opening });
    const position = needed.get(stream);
    starts.push(startOf(one, position === undefined ? from : { position, orderKey: orderKey(position) }));
  }
  return { from, starts, loads, messages };
}

/** Of what followed in the run before and is selected no more. */
function sayLeft({ run, shared }: OpenRequest, context: RunContext): void {
  const selected = new Set(run.streams.map(({ stream }) => stream));
  for (const stream of shared?.members ?? []) {
    if (selected.has(stream)) continue;
    context.log('warn', 'a stream has left the pipeline: its table stays, its changes are followed no more', {
      stream,
    });
  }
}

const isAnew = (opening: ChangeOpening) => opening.action === 'load' && opening.opening.action === 'begin';

function startOf({ selected, opening, state }: Opened, place: Place): StreamStart {
  const base = { selected, place, beside: opening.action === 'load' && opening.beside };
  switch (opening.action) {
    case 'follow':
      return { ...base, phase: 'following', handover: opening.state.handover, generation: opening.state.generation };
    case 'refuse':
      return { ...base, phase: 'failed', generation: state?.generation ?? 1 };
    case 'load': {
      // Chunks of a stream that goes on are in its table: its changes count from the first on, as they do when all wait for a point.
      const isWaiting = opening.beside && opening.opening.action === 'begin';
      return { ...base, phase: isWaiting ? 'waiting' : 'loading', generation: state?.generation ?? 1 };
    }
    default:
      return opening satisfies never;
  }
}

/** Streams that cannot follow as they are (no key that the log tells, say) are given up and named; the others go on without them. */
async function leaveOutFaulty(
  { run, changeLog }: OpenRequest,
  context: RunContext,
): Promise<{ selected: SelectedStream[]; messages: SourceMessage[] }> {
  const followed = run.streams.filter(({ changes }) => changes);
  const problems = [...findReservedColumns(followed), ...(await changeLog.findProblems(followed.map(sourceView)))];
  const faults = new Map(problems.map((problem) => [problem.stream, problem]));
  const selected = followed.filter(({ stream }) => !faults.has(stream));
  // Where none is left, or the fault is the server's, `prepare` says so for the run as a whole.
  if (selected.length === 0) return { selected: followed, messages: [] };
  const messages = followed.flatMap((stream) => {
    const fault = faults.get(stream.stream);
    if (!fault) return [];
    const code = isErrorCode(fault.code) ? fault.code : 'unsupported';
    return [giveUp(stream, new ConnectorError(code, fault.message, { help: fault.fix }), context)];
  });
  return { selected, messages };
}

const isErrorCode = (code: string): code is ErrorCode => code in ERROR_CODES;

function giveUp({ stream }: SelectedStream, error: ConnectorError, context: RunContext): SourceMessage {
  const { code, message, help, cause } = error;
  context.report(new ConnectorError(code, message, { cause, stream, help }));
  return { type: 'STATUS', stream, status: 'INCOMPLETE', reason: message };
}

function lowest(positions: LogPosition[], orderKey: (position: LogPosition) => string): Place {
  const places = positions.map((position): Place => ({ position, orderKey: orderKey(position) }));
  return places.reduce((first, place) => (place.orderKey < first.orderKey ? place : first));
}
