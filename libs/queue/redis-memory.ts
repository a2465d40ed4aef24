import type { QueueMemory } from './wake-queue.js';

/** Reads an answer of `INFO memory`. Without a `maxmemory` Redis grows until its machine has no more. */
export function memoryIn(info: string): QueueMemory {
  const bytes = (field: string) => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  return { used: bytes('used_memory'), limit: bytes('maxmemory') || bytes('total_system_memory') };
}
