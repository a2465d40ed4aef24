import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureDisks } from './disk-metrics.js';
import { Metrics } from './metrics.js';

it('says how much room is on the disks, and nothing of a folder that is not there', async () => {
  const metrics = new Metrics();
  measureDisks(metrics, { home: tmpdir(), storage: join(tmpdir(), 'no such folder') });
  const text = await metrics.text();
  metrics.close();
  const bytes = (name: string) => Number(new RegExp(`^${name}\\{folder="home"\\} (\\S+)`, 'm').exec(text)?.[1]);
  expect(bytes('platen_disk_free_bytes')).toBeGreaterThan(0);
  expect(bytes('platen_disk_size_bytes')).toBeGreaterThan(bytes('platen_disk_free_bytes'));
  expect(text).not.toContain('folder="storage"');
});
