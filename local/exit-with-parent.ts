/**
 * Loaded into every local child process. When the process that started the child is gone (even by `kill -9`), the
 * child ends too. Otherwise it would keep its port.
 */
process.on('disconnect', () => process.exit(1));
process.channel?.unref();

export {};
