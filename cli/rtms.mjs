#!/usr/bin/env node
/** The `rtms` command of the package. Node strips no types inside `node_modules`, so there the built program runs. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`rtms needs Node.js 22.18 or newer; this is ${process.versions.node}\n`);
  process.exit(2);
}
const isInstalled = import.meta.url.includes('/node_modules/');
await import(isInstalled ? '../dist/cli/main.js' : './main.ts');
