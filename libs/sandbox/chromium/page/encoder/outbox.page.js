/* What was written of the video and waits for the worker to take it. */
platen.Outbox = class Outbox {
  static PIECE_BYTES = 256 * 1024;
  /** So much may wait before the next picture does. */
  static AHEAD_BYTES = 4 * 1024 ** 2;

  pieces = [];
  bytes = 0;
  frames = 0;
  framesTold = 0;
  isClosed = false;
  change = Promise.withResolvers();

  changed() {
    this.change.resolve();
    this.change = Promise.withResolvers();
  }

  /** Bytes may be written anywhere, also over others. */
  write(position, data) {
    for (let at = 0; at < data.length; at += Outbox.PIECE_BYTES) {
      this.pieces.push({ position: position + at, data: data.slice(at, at + Outbox.PIECE_BYTES) });
    }
    this.bytes += data.length;
    this.changed();
  }

  countFrame() {
    this.frames += 1;
    this.changed();
  }

  close() {
    this.isClosed = true;
    this.changed();
  }

  hasNews() {
    return this.pieces.length > 0 || this.frames > this.framesTold;
  }

  /** `frames position base64` once there is more than the worker knows of, each frame by itself; then ''. */
  async take() {
    while (!this.hasNews() && !this.isClosed) await this.change.promise;
    if (!this.hasNews()) return '';
    const { position, data } = this.pieces.shift() ?? { position: 0, data: new Uint8Array() };
    if (this.frames > this.framesTold) this.framesTold += 1;
    this.bytes -= data.length;
    this.changed();
    return `${this.framesTold} ${position} ${data.toBase64()}`;
  }

  /** Waits while too much is waiting. */
  async room() {
    while (this.bytes > Outbox.AHEAD_BYTES) await this.change.promise;
  }
};
