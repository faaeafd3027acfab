import { execFile } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const PAGES = ['README.md', ...globSync('docs/*.md')];
const BLOCK = /```ts\n([\s\S]*?)```/g;

/** The blocks that a reader would copy into a file: those with an import. Others are parts of a configuration. */
const programs = PAGES.flatMap((page) =>
  [...readFileSync(page, 'utf8').matchAll(BLOCK)]
    .map(([, code = '']) => code)
    .filter((code) => /^import /m.test(code))
    .map((code, index) => ({ file: `${page.replaceAll(/[/.]/g, '-')}-${index}.ts`, code })),
);

/** Names that a page leaves to its reader. A name that is neither here nor in the program is a mistake of the page. */
const READERS_OWN = `
declare const client: import('@aws-sdk/client-kinesis').KinesisClient;
declare const rtmsStreamId: string;
declare const startMs: number;
declare function store(frames: unknown, events: unknown): Promise<void>;
declare const stack: import('constructs').Construct;
declare const archiver: import('aws-cdk-lib/aws-iam').IGrantable;
declare const analyst: import('aws-cdk-lib/aws-iam').IGrantable;
declare const recorder: import('aws-cdk-lib/aws-lambda').IFunction;
`;

test('every program of README and docs compiles under strict types', async () => {
  expect(programs.length).toBeGreaterThan(5);
  // Inside the checkout, so that packages are found as a reader's project finds them.
  mkdirSync('out', { recursive: true });
  const folder = mkdtempSync(join('out', 'documented-'));
  try {
    for (const { file, code } of programs) {
      writeFileSync(join(folder, file), `${code}\nexport {};\n`);
    }
    writeFileSync(join(folder, 'readers-own.d.ts'), READERS_OWN);
    const paths = {
      'rtms-kinesis': ['../../sdk/client/index.ts'],
      'rtms-kinesis/consumer': ['../../sdk/consumer/index.ts'],
      'rtms-kinesis/infra': ['../../infra/rtms-kinesis.ts'],
    };
    const options = {
      extends: '../../tsconfig.json',
      compilerOptions: { paths, noUnusedLocals: false },
      include: ['*.ts'],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options));
    const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
    const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', folder]).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe('');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
