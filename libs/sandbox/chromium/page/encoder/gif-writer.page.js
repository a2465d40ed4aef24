/* GIF counts in hundredths of a second: each picture ends at the hundredth nearest to its time. */
platen.GifWriter = class GifWriter {
  static COLORS = 256;

  constructor({ fps }, _size, outbox) {
    this.fps = fps;
    this.outbox = outbox;
    this.position = 0;
    this.gif = gifenc.GIFEncoder({ auto: false });
  }

  async add({ data, width, height }, index) {
    const palette = gifenc.quantize(data, GifWriter.COLORS);
    const pixels = gifenc.applyPalette(data, palette);
    const delay = (this.endOf(index) - this.endOf(index - 1)) * 10;
    if (index === 0) this.gif.writeHeader();
    // Endless, from its first frame on.
    this.gif.writeFrame(pixels, width, height, { palette, delay, first: index === 0, repeat: 0 });
    this.flush();
  }

  async finish() {
    this.gif.finish();
    this.flush();
  }

  endOf(index) {
    return Math.round(((index + 1) * 100) / this.fps);
  }

  flush() {
    const data = this.gif.bytes();
    this.outbox.write(this.position, data);
    this.position += data.length;
    this.gif.stream.reset();
  }
};
