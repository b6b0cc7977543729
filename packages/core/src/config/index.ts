export { resolveReferences, type ResolvedConfig } from './references.ts';
export { createRedactor, findSecrets } from './secrets.ts';
export { type ConfigProblem, findConfigProblems, validateConfig, type ValidConfig } from './validate.ts';
