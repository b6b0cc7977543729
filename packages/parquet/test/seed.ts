/** The seed of a test's random cases: a new one each day, unless FJORD_TEST_SEED says one. A failure names it. */
export const seed: number = Number(process.env['FJORD_TEST_SEED'] ?? Math.floor(Date.now() / 86_400_000));
