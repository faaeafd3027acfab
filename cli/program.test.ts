import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createProgram } from './program.ts';

const commands = createProgram().commands;
const guide = readFileSync(new URL('../docs/cli.md', import.meta.url), 'utf8');

test.each(commands.map((command) => [command.name(), command] as const))(
  'rtms %s has examples in its help and a section in docs/cli.md',
  (name, command) => {
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text) });
    command.outputHelp();
    expect(help).toMatch(new RegExp(`Examples:\n {2}\\$ rtms ${name}`));
    expect(help).toContain('--json');
    expect(guide).toContain(`\n### rtms ${name}`);
    const own = command.options.filter((option) => option.helpGroupHeading === 'Options:');
    for (const option of own) expect(guide, `${name} ${option.long}`).toContain(`${option.long}`);
  },
);
