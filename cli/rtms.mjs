#!/usr/bin/env node
/** The package's `rtms` command. Node strips no types inside `node_modules`: there the built program runs. */
const isInstalled = import.meta.url.includes('/node_modules/');
await import(isInstalled ? '../dist/cli/main.js' : './main.ts');
