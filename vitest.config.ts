import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import ClosingLine from './tests/support/closing-line.ts';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as {
  version: string;
};
// Imports by the package's own name lead to the sources, in what vite resolves and in what Node does.
const conditions = ['@o7s/source', 'node', 'import', 'module', 'default'];

interface Project {
  readonly name: string;
  readonly include: readonly string[];
  /** ms a test may take. */
  readonly timeout: number;
}

const projects: readonly Project[] = [
  {
    name: 'unit',
    include: ['runtime', 'rumba', 'tui', 'tests/support', 'tests/bench'].map(
      (folder) => `${folder}/**/*.test.{ts,tsx}`,
    ),
    timeout: 30_000,
  },
  { name: 'sim', include: ['tests/sim/**/*.test.ts'], timeout: 300_000 },
  { name: 'process', include: ['tests/process/**/*.test.ts'], timeout: 60_000 },
  { name: 'docker', include: ['tests/docker/**/*.test.ts'], timeout: 180_000 },
  { name: 'netns', include: ['tests/netns/**/*.test.ts'], timeout: 120_000 },
  { name: 'interop', include: ['tests/interop/**/*.test.ts'], timeout: 120_000 },
];

export default defineConfig({
  define: { O7S_VERSION: JSON.stringify(version) },
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    // Most tests of whole nodes wait for processes rather than compute.
    maxWorkers: Math.max(4, availableParallelism()),
    reporters: ['default', new ClosingLine()],
    setupFiles: ['tests/support/seeded-properties.ts'],
    projects: projects.map(({ name, include, timeout }) => ({
      extends: true,
      test: {
        name,
        include: [...include],
        environment: 'node',
        pool: 'forks',
        execArgv: ['--conditions=@o7s/source'],
        testTimeout: timeout,
        hookTimeout: timeout,
        teardownTimeout: 10_000,
      },
    })),
  },
});
