import { diagnose, type Diagnosis, failureOfThrown, loadPipeline } from '@fjord/engine';
import { failureText } from './failure-text.ts';
import type { Arguments } from './main.ts';
import { paint, screenWidth, wrap } from './screen.ts';
import { formatBytes, formatCount } from './table-text.ts';
import { version } from './version.ts';
import { showWarning } from './with-session.ts';

/** `fjord doctor`: everything that is missing on both sides at once, each with what to do, statements ready to paste. */
export async function doctor(args: Arguments): Promise<number> {
  try {
    const pipeline = await loadPipeline(args.file);
    const diagnosis = await diagnose(pipeline, { onLine: showWarning });
    const text = args.json
      ? JSON.stringify({ ok: diagnosis.problems.length === 0, pipeline: pipeline.id, ...diagnosis })
      : `Pipeline ${pipeline.id}, fjord ${version}, Node ${process.versions.node}\n\n${diagnosisText(diagnosis, screenWidth())}`;
    process.stdout.write(`${text}\n`);
    return diagnosis.problems.length === 0 ? 0 : 2;
  } catch (thrown) {
    const failure = failureOfThrown(thrown);
    process.stderr.write(failureText(failure, args.json));
    return failure.exit;
  }
}

/** A diagnosis for a person. A fix is never broken into lines, so that a statement can be copied as it is. */
export function diagnosisText({ connectors, problems, streams }: Diagnosis, width: number | undefined): string {
  const owners = [
    ...connectors.map(({ role, name, version: of }) => ({
      label: `${role} ${name}${of === undefined ? '' : ` ${of}`}`,
      name,
    })),
    { label: 'streams', name: 'pipeline' },
  ];
  const labelWidth = Math.max(...owners.map(({ label }) => label.length));
  const verdicts = owners.map(({ label, name }) => {
    const count = problems.filter(({ from }) => from === name).length;
    const verdict = count === 0 ? paint('green', wellText(name, streams)) : paint('red', problemCount(count));
    return `  ${label.padEnd(labelWidth)}  ${verdict}`;
  });
  const details = problems.map(({ message, fix, code }, index) =>
    [
      wrap(`${index + 1}. ${message} (${code})`, { width }),
      paint('bold', '   fix:'),
      ...fix.split('\n').map((line) => `   ${line}`),
    ].join('\n'),
  );
  const end =
    problems.length === 0
      ? 'All is well: both sides can be reached and have what a sync needs.'
      : `${problemCount(problems.length)}. Then run fjord doctor again.`;
  return [verdicts.join('\n'), ...details, end].join('\n\n');
}

const problemCount = (count: number) => `${formatCount(count)} problem${count === 1 ? '' : 's'}`;

function wellText(name: string, streams: Diagnosis['streams']): string {
  if (name !== 'pipeline') return 'ok';
  if (!streams) return 'not looked at';
  const { count, estimatedRows, estimatedBytes } = streams;
  return `${formatCount(count)} chosen, about ${formatCount(estimatedRows)} rows, ${formatBytes(estimatedBytes)}`;
}
