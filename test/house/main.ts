import { doubledNames } from './exported-names.ts';
import { missingFiles } from './named-files.ts';
import { circles, forbiddenArrows } from './rooms.ts';
import { oddRooms, sizesByRoom, tooLong, tooManyShort } from './sizes.ts';
import { isProduct, sourceFiles } from './source-files.ts';
import { testOnlyExports } from './test-only-exports.ts';
import { bannedWords } from './words.ts';

/** `npm run house [-- folder]`: what stands against the rules of docs/glossary.md and CONTRIBUTING.md. */
const [folder = '.'] = process.argv.slice(2);
const code = sourceFiles(['.ts', '.tsx', '.mjs']);
const within = (line: string) => folder === '.' || line.includes(`${folder}/`);
const findings = [
  ...circles(),
  ...forbiddenArrows(code),
  ...doubledNames(code),
  ...testOnlyExports(code),
  ...tooLong(code),
  ...tooManyShort(code),
  ...oddRooms(code),
  ...missingFiles([...code.filter(isProduct), ...sourceFiles(['.md'])]),
  ...bannedWords(sourceFiles(['.ts', '.tsx', '.mjs', '.md', '.py'], folder)),
].filter(within);
process.stdout.write(
  `${[...sizesByRoom(code).filter((line) => folder === '.' || line.startsWith(folder)), ...findings].join('\n')}\n`,
);
process.exitCode = findings.length === 0 ? 0 : 1;
