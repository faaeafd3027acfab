/**
 * Loaded into every local child process: when the command that started it is gone (even by `kill -9`),
 * the child ends too instead of lingering on its port.
 */
process.on('disconnect', () => process.exit(1));
process.channel?.unref();

export {};
