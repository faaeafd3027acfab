export * from 'node:fs';

const missing = () => Promise.reject(Object.assign(new Error('ENOENT'), { code: 'ENOENT' }));

/** What the SDK reads of this machine: nothing. A real read would come back at a moment that no seed determines. */
export const readFile = missing;
export const promises = { readFile: missing };
