/**
 * Properties are tried with the same values in every run, so that a run tells of the change it tests and not of its
 * luck. `O7S_SEED=N` tries others; what has to be looked for at length is looked for by `npm run fuzz`.
 */
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['O7S_SEED'] ?? 20_261_126) });
