import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * Bundles the page: `npm run console:build` writes `console/assets/page.js`, which is committed, so that neither a start
 * nor an installed package builds anything. A test compares it with the sources.
 */
export async function bundlePage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./page/main.tsx', import.meta.url))],
    tsconfig: fileURLToPath(new URL('./page/tsconfig.json', import.meta.url)),
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2023'],
    charset: 'utf8',
    legalComments: 'eof',
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

export const PAGE_FILE = fileURLToPath(new URL('./assets/page.js', import.meta.url));

if (import.meta.main) await writeFile(PAGE_FILE, await bundlePage());
