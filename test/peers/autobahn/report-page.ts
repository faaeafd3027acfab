import type { Engine } from './echo.ts';
import { type CaseReport, DEVIATIONS, judge } from './judgement.ts';

/** What the suite said about one of the client's WebSocket codes. */
export interface EngineReport {
  readonly engine: Engine;
  readonly cases: readonly CaseReport[];
}

const SECTIONS: Readonly<Record<string, string>> = {
  1: 'framing',
  2: 'pings and pongs',
  3: 'reserved bits',
  4: 'opcodes',
  5: 'fragmentation',
  6: 'UTF-8',
  7: 'close handshake',
  9: 'limits and performance',
  10: 'auto-fragmentation',
};

/** docs/autobahn.md: sections in rows, engines in columns, and every case that differs. */
export function reportPage(reports: readonly EngineReport[], version: string): string {
  const heads = ['section', 'cases', ...reports.map(({ engine }) => `\`${engine.name}\``)];
  const rows = Object.entries(SECTIONS).map(([section, what]) => {
    const counts = reports.map(({ engine, cases }) => {
      const own = cases.filter(({ id }) => id.startsWith(`${section}.`));
      const fine = own.filter((one) => judge(one, engine.webSocket) === 'fine').length;
      return { all: own.length, text: `${fine} passed, ${own.length - fine} differ` };
    });
    return [`${section} ${what}`, String(counts[0]?.all ?? 0), ...counts.map(({ text }) => text)];
  });
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const table = [line(heads), line(heads.map(() => '---')), ...rows.map(line)];
  return [
    '# The WebSocket client under Autobahn',
    '',
    `Written by \`npm run test:peers -- autobahn --write\`: Autobahn|Testsuite ${version} as the fuzzing server, and the socket that`,
    'signaling and media connections use, with their options. `lean` is our own code, `lean-tls` the same over TLS, `ws` the npm package as',
    'the client uses it through a proxy. The run fails when a case differs that is not explained below. Sections 12 and 13 are about',
    'compression, which the client never offers.',
    '',
    ...table,
    '',
    '## Where the client is meant to differ',
    '',
    ...DEVIATIONS.flatMap(({ name, reason }) => [
      `- **${name}**: ${reason}.`,
      ...differing(reports, name).map(([ids, engines]) => `  ${engines.join(', ')}: ${ids}.`),
    ]),
    '',
  ].join('\n');
}

/** The cases of a deviation, and the engines that have the same ones. */
function differing(reports: readonly EngineReport[], name: string): [string, string[]][] {
  const byCases = new Map<string, string[]>();
  for (const { engine, cases } of reports) {
    const ids = cases.filter((one) => isNamed(judge(one, engine.webSocket), name));
    if (ids.length === 0) continue;
    const text = `${ids.length}: ${ids.map(({ id }) => id).join(', ')}`;
    byCases.set(text, [...(byCases.get(text) ?? []), `\`${engine.name}\``]);
  }
  return [...byCases];
}

function isNamed(verdict: ReturnType<typeof judge>, name: string): boolean {
  return typeof verdict === 'object' && verdict.name === name;
}
