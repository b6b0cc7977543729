import path from 'node:path';

/** What of vitest's JSON report (Jest's format) is read. */
export interface TestReport {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { fullName: string; status: string }[];
  }[];
}

/** The last line of a test run, the names of skipped tests, and the files that failed before any test in them ran. */
export interface TestSummary {
  line: string;
  skipped: string[];
  brokenFiles: string[];
}

const NOT_RUN = new Set(['pending', 'skipped', 'todo', 'disabled']);

/** Counts a report; a file that could not be run counts as one failure. */
export function summarise(report: TestReport, root: string): TestSummary {
  const files = report.testResults.map((file) => ({ ...file, name: path.relative(root, file.name) }));
  const skipped = files.flatMap(({ name, assertionResults }) =>
    assertionResults.filter(({ status }) => NOT_RUN.has(status)).map(({ fullName }) => `${fullName} (${name})`),
  );
  const brokenFiles = files
    .filter((file) => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'))
    .map(({ name }) => name);
  const failed = report.numFailedTests + brokenFiles.length;
  return { line: `${report.numPassedTests} passed, ${failed} failed, ${skipped.length} skipped`, skipped, brokenFiles };
}
