import { globSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const NEVER = ['node_modules/**', 'out/**', 'cdk.out/**', 'dist/**', '.peers-cache/**'];
/** Minutes of real processes and clocks: `npm run test:long`. */
const LONG = '**/*.long.test.ts';
/** Tests that leave nothing behind: their files share worker threads, which saves a process for each. First whole rooms. */
const SHARING = [
  ...[
    'shared',
    'rtms',
    'runner/kinesis',
    'runner/ownership',
    'runner/session',
    'simulator',
    'local/aws',
    'local/kinesis',
    'local/observe',
    'local/report',
    'console',
    'sdk/consumer',
    'infra',
    'cli',
    'sdk/client',
    'runner/task',
    'functions/session-catcher',
    'functions/webhook-canary',
    'test/hostile',
    'test/house',
    'test/peers',
    'test/sim/*',
    'test/supply-chain',
    'test/takeover-model',
  ].map((room) => `${room}/**/*.test.ts`),
  // Beside them are files that change the environment, the console or what can be imported, or that play whole scenarios.
  'functions/archiver/{gatherer,session-rows}.test.ts',
  'functions/zoom-webhook/{answer-errors,config,register-store,route}.test.ts',
  'local/*.test.ts',
  'runner/{config,runner-process}.test.ts',
  'test/*.test.ts',
  'test/drop-in/{parity,zoom-surface}.test.ts',
  'test/e2e/{aws-recipes,bundles,python-package}.test.ts',
  'test/sim/mutations.test.ts',
];
/**
 * Of those, the files that have a process each: one that puts something in the place of a module, because in a shared
 * thread another file's tests may have loaded the real one before, and one that changes V8 or measures its heap.
 */
const ALONE = globSync(SHARING, { cwd: import.meta.dirname }).filter((file) =>
  /vi\.mock\(|setFlagsFromString\(/.test(readFileSync(join(import.meta.dirname, file), 'utf8')),
);

/**
 * Compiled modules of every process of a run. Without it each of the hundreds of workers and of the runners, webhooks and
 * commands that tests start strips the types of the same sources and compiles the same SDK clients again.
 */
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules/.cache/node-compile');

/** Files of whole scenarios, the longest first: on an idle machine they take from half a minute to 8 s, and mostly wait. */
const LONGEST = [
  'test/e2e/start',
  'test/chaos/restart-storm',
  'test/chaos/runners',
  'test/sessions/take-over',
  'functions/archiver/archiver',
  'test/sessions/missed',
  'test/sessions/explain',
  'test/sim/sim',
  'test/sessions/restart',
  'test/sessions/catcher',
  'test/e2e/live',
  'test/chaos/kinesis-outage',
].map((name) => realpathSync(join(import.meta.dirname, `${name}.test.ts`)));
const BESIDE_EACH_OTHER = 2;

/**
 * Starts the longest files first, two at a time, and behind each two of them as many of the files that share threads as a third
 * worker may get through meanwhile. A long file that started last would run alone on one worker while the others have nothing
 * left. Long files beside nothing but long ones leave a core idle, and the short ones, which only compute, would be three to two
 * cores in the end.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const left = new Set(await super.sort(files));
    const take = (wanted: readonly TestSpecification[]) => {
      for (const file of wanted) left.delete(file);
      return wanted;
    };
    const long = LONGEST.flatMap((path) => [...left].filter(({ moduleId }) => moduleId === path));
    const sharing = [...left].filter(({ project }) => project.name === 'threads');
    const rounds = Math.ceil(long.length / BESIDE_EACH_OTHER) || 1;
    const first = Array.from({ length: rounds }, (_, round) => [
      ...take(long.slice(round * BESIDE_EACH_OTHER, (round + 1) * BESIDE_EACH_OTHER)),
      // Of the longest and the shortest of them as many in each round.
      ...take(sharing.filter((_file, index) => index % rounds === round)),
    ]).flat();
    return [...first, ...left];
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    // For what hangs: a healthy test may take ten times as long on a loaded machine as on an idle one.
    testTimeout: 60_000,
    // As test/support/wait.ts.
    expect: { poll: { timeout: 15_000 } },
    hookTimeout: 60_000,
    // Most tests wait for sockets and timers of real processes, not for a core.
    maxWorkers: 4,
    // The report and nothing else; what a failed test wrote is shown with it.
    silent: 'passed-only',
    coverage: {
      include: ['shared/**/*.ts', 'rtms/protocol/**/*.ts'],
      exclude: ['**/*.test.ts'],
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'processes',
          include: ['**/*.test.ts'],
          exclude: [...NEVER, LONG, ...SHARING],
        },
      },
      {
        extends: true,
        test: {
          name: 'threads',
          include: SHARING,
          exclude: [...NEVER, LONG, ...ALONE],
          pool: 'threads',
          isolate: false,
          // Tests that run beside others of their file do so here because they wait for a time-out.
          maxConcurrency: 20,
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE, exclude: [...NEVER, LONG] } },
    ],
  },
});
