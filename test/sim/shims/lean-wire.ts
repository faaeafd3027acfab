export { MemoryWire as LeanWire } from '../net/memory-wire.ts';
