import { fullest, memoryIn } from './redis-memory.js';

const info = (maxmemory: number) =>
  `# Memory\r\nused_memory:1500\r\nused_memory_human:1.46K\r\ntotal_system_memory:9000\r\nmaxmemory:${maxmemory}\r\nmaxmemory_human:x\r\n`;

describe('the memory of Redis', () => {
  it('is bounded by its own limit', () => {
    expect(memoryIn(info(4_000))).toEqual({ used: 1_500, limit: 4_000 });
  });

  it('is bounded by its machine when it has none', () => {
    expect(memoryIn(info(0))).toEqual({ used: 1_500, limit: 9_000 });
  });

  it('is that of the fullest master of a cluster', () => {
    const memories = [{ used: 50, limit: 1_000 }, { used: 40, limit: 50 }, { used: 0, limit: 1_000 }];
    expect(fullest(memories)).toEqual({ used: 40, limit: 50 });
  });
});
