/** How history names a file. */
export interface FileItem {
  filename: string;
  subfolder: string;
  type: string;
}

/** The folders `input`, `output` and `temp` of a server, in memory. A restart empties the last. */
export class StoredFiles {
  private readonly files = new Map<string, Buffer>();
  private count = 0;

  save(type: string, prefix: string, extension: string, bytes: Buffer): FileItem {
    const at = prefix.lastIndexOf('/');
    const subfolder = at < 0 ? '' : prefix.slice(0, at);
    const filename = `${prefix.slice(at + 1)}_${String(++this.count).padStart(5, '0')}_.${extension}`;
    const item = { filename, subfolder, type };
    this.files.set(keyOf(item), bytes);
    return item;
  }

  /** Same name and bytes: the name is kept; other bytes get another name. */
  upload(type: string, subfolder: string, name: string, bytes: Buffer): { name: string; subfolder: string; type: string } {
    for (let copy = 0; ; copy++) {
      const free = copy === 0 ? name : name.replace(/(\.\w+)?$/, ` (${copy})$1`);
      const key = keyOf({ filename: free, subfolder, type });
      const known = this.files.get(key);
      if (known && !known.equals(bytes)) continue;
      this.files.set(key, bytes);
      return { name: free, subfolder, type };
    }
  }

  /** Throws what Python says of a file that is not there. */
  read(key: string): Buffer {
    const bytes = this.files.get(key);
    if (!bytes) throw new Error(`[Errno 2] No such file or directory: '${key}'`);
    return bytes;
  }

  find(item: FileItem): Buffer | undefined {
    return this.files.get(keyOf(item));
  }

  has(key: string): boolean {
    return this.files.has(key);
  }

  clearTemp(): void {
    for (const key of this.files.keys()) if (key.startsWith('temp/')) this.files.delete(key);
  }
}

const keyOf = ({ filename, subfolder, type }: FileItem): string =>
  [type, subfolder, filename].filter(Boolean).join('/');
