/* The encoder of one video, as the recorder and the worker see it. */
class Encoder {
  constructor(video) {
    this.outbox = new platen.Outbox();
    this.video = video;
    this.frames = 0;
  }

  get width() {
    return this.camera.width;
  }

  get height() {
    return this.camera.height;
  }

  /** Takes the picture in this task; resolves when there is room for another, with what went wrong or ''. */
  async add(canvas, isLast) {
    try {
      if (!this.camera) this.open(canvas);
      await this.writer.add(this.camera.picture(canvas), this.frames);
      this.frames += 1;
      this.outbox.countFrame();
      if (isLast) await this.finish();
      await this.outbox.room();
      return '';
    } catch (error) {
      return `The video could not be encoded: ${error.message}`;
    }
  }

  open(canvas) {
    const isGif = this.video.format === 'gif';
    this.camera = new platen.Camera(canvas, !isGif && this.video.codec === 'h264');
    const Writer = isGif ? platen.GifWriter : platen.ContainerWriter;
    this.writer = new Writer(this.video, this.camera, this.outbox);
  }

  async finish() {
    await this.writer.finish();
    this.outbox.close();
  }

  next() {
    return this.outbox.take();
  }
}

// MP4 says when it was made.
Date.now = () => Date.UTC(2024, 0, 1);
window.openEncoder = (video) => new Encoder(video);
