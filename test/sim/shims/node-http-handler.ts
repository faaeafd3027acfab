export { MemoryHandler as NodeHttpHandler } from '../aws/memory-handler.ts';
